-- Who was erased, and when: a list outside the database repeats it, so that no return to older data brings anybody back.
CREATE TABLE erasures (
    user_id     BIGINT  NOT NULL PRIMARY KEY,
    -- 0 if nobody noted it then.
    erased_at   BIGINT  NOT NULL CHECK (erased_at >= 0),
    -- Orders were open, and keep what their delivery needs until they end.
    open_orders BOOLEAN NOT NULL,
    -- A hash of the request that asked for it: a repeat is told that it was done.
    request     BYTEA CHECK (length(request) = 32)
);
CREATE INDEX erasures_by_time ON erasures (erased_at);

-- In a shop that is spread over a cluster already, the table is spread before it may refer to one that is. A new shop is
-- spread later, with all others.
DO $$
BEGIN
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        IF EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'users'::REGCLASS) THEN
            SET LOCAL citus.multi_shard_modify_mode = 'sequential';
            PERFORM create_distributed_table('erasures', 'user_id', colocate_with => 'users');
        END IF;
    END IF;
END $$;
ALTER TABLE erasures ADD CONSTRAINT erasures_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id);

-- What earlier erasures left.
INSERT INTO erasures (user_id, erased_at, open_orders) SELECT id, 0, false FROM users WHERE phone = '';
UPDATE orders o SET payment_method = '' FROM erasures e WHERE e.user_id = o.user_id;
DELETE FROM idempotency_keys k USING erasures e WHERE e.user_id = k.user_id;
UPDATE users SET blocked_at = NULL, frozen_at = NULL, frozen_phone = NULL WHERE phone = '';
