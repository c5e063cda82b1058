-- Spreads a market's shop over a Citus cluster: once, after the tables were made. Everything of a customer's lies on
-- one shard; the catalogue is on every node; what is found by something else than the customer is spread by that.

-- A new table and what it refers to may be made in one transaction only if one connection a node does it all.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

-- Tables can only be spread while nothing refers to them. What is put back below is what was there, but for what no
-- constraint can keep across shards: a phone's user is on another shard than the phone, and that a user has one phone
-- only is left to the operations, and to the check.
CREATE TEMPORARY TABLE set_aside ON COMMIT DROP AS
SELECT conname, conrelid::REGCLASS AS relation, pg_get_constraintdef(oid) AS definition
FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::REGNAMESPACE;

DO $$
DECLARE
    c RECORD;
BEGIN
    FOR c IN SELECT * FROM set_aside LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.relation, c.conname);
    END LOOP;
END $$;
ALTER TABLE phone_numbers DROP CONSTRAINT phone_numbers_user_id_key;
CREATE INDEX phone_numbers_by_user ON phone_numbers (user_id);

SELECT create_reference_table('store_facts');
SELECT create_reference_table('incarnation');
SELECT create_reference_table('catalogue_version');
SELECT create_reference_table('products');
SELECT create_reference_table('skus');

SELECT create_distributed_table('users', 'id', colocate_with => 'none');
SELECT create_distributed_table('carts', 'user_id', colocate_with => 'users');
SELECT create_distributed_table('cart_items', 'user_id', colocate_with => 'users');
SELECT create_distributed_table('wishlists', 'user_id', colocate_with => 'users');
SELECT create_distributed_table('wishlist_items', 'user_id', colocate_with => 'users');
SELECT create_distributed_table('orders', 'user_id', colocate_with => 'users');
SELECT create_distributed_table('order_items', 'user_id', colocate_with => 'users');
SELECT create_distributed_table('order_history', 'user_id', colocate_with => 'users');
SELECT create_distributed_table('addresses', 'user_id', colocate_with => 'users');
SELECT create_distributed_table('idempotency_keys', 'user_id', colocate_with => 'users');
SELECT create_distributed_table('audit_log', 'user_id', colocate_with => 'users');
SELECT create_distributed_table('outbox', 'user_id', colocate_with => 'users');
SELECT create_distributed_table('erasures', 'user_id', colocate_with => 'users');

SELECT create_distributed_table('phone_numbers', 'phone', colocate_with => 'none');
SELECT create_distributed_table('stock', 'sku_id', colocate_with => 'none');
SELECT create_distributed_table('sign_in_keys', 'phone', colocate_with => 'none');
SELECT create_distributed_table('verification_codes', 'phone', colocate_with => 'sign_in_keys');
SELECT create_distributed_table('send_budget', 'subject', colocate_with => 'sign_in_keys');

DO $$
DECLARE
    c RECORD;
BEGIN
    FOR c IN SELECT * FROM set_aside WHERE relation <> 'phone_numbers'::REGCLASS ORDER BY conname LOOP
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.relation, c.conname, c.definition);
    END LOOP;
END $$;

-- Rows that were there before are copied by now.
SELECT truncate_local_data_after_distributing_table(logicalrelid)
FROM pg_dist_partition JOIN pg_class ON pg_class.oid = logicalrelid
WHERE relnamespace = current_schema()::REGNAMESPACE;
