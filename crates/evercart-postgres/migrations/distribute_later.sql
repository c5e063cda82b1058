-- Spreads the tables that migrations made after the shop was spread. Each is spread once: a shop that is spread anew
-- and one that was spread by an older evercart come out the same.

DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'former_phones'::REGCLASS) THEN
        -- Beside the codes, which are found by the same keyed hash of a phone.
        PERFORM create_distributed_table('former_phones', 'phone', colocate_with => 'sign_in_keys');
        PERFORM truncate_local_data_after_distributing_table('former_phones');
    END IF;
END $$;
