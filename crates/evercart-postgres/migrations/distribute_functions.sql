-- What the functions are on a cluster: after each migration, since a migration brings them as they are on one server.

-- The stock lies on other shards than the customer: a function that runs where the customer is does not see it.
CREATE OR REPLACE FUNCTION on_hand_of(p_sku BIGINT) RETURNS BIGINT LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN NULL;
END $$;

-- As on one server but for the pieces on hand, in whose place there is a 0: the caller reads them.
CREATE OR REPLACE FUNCTION cart_as(p_user BIGINT, p_outcome TEXT) RETURNS cart_answer LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_answer cart_answer;
BEGIN
    SELECT c.version, c.updated_at INTO v_answer.version, v_answer.updated_at FROM carts c WHERE c.user_id = p_user;
    SELECT array_agg(i.id), array_agg(i.sku_id), array_agg(i.quantity), array_agg(i.price_when_added),
        array_agg(0::BIGINT)
    INTO v_answer.line_ids, v_answer.sku_ids, v_answer.quantities, v_answer.prices, v_answer.on_hand
    FROM cart_items i WHERE i.user_id = p_user;
    SELECT v.version INTO v_answer.catalogue_version FROM catalogue_version v;
    v_answer.outcome := p_outcome;
    v_answer.version := coalesce(v_answer.version, 0);
    RETURN v_answer;
END $$;

-- change_carts for customers on one server, of whom p_user is one: that is where it runs, all of it.
CREATE OR REPLACE FUNCTION change_carts_beside(p_user BIGINT, p_kinds TEXT[], p_users BIGINT[], p_epochs BIGINT[],
    p_incarnations BIGINT[], p_nows BIGINT[], p_products BIGINT[], p_targets BIGINT[], p_quantities INTEGER[],
    p_versions BIGINT[], p_keys TEXT[], p_fingerprints BYTEA[], p_on_hand BIGINT[], p_limit BIGINT)
RETURNS SETOF cart_answer LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT * FROM change_carts(p_kinds, p_users, p_epochs, p_incarnations, p_nows, p_products, p_targets,
        p_quantities, p_versions, p_keys, p_fingerprints, p_on_hand, p_limit);
END $$;

-- Checks and reads customers on one server, of whom p_user is one. A row for each line, or one for an empty cart;
-- again the caller reads the pieces on hand.
CREATE OR REPLACE FUNCTION carts_beside(p_user BIGINT, p_users BIGINT[])
RETURNS TABLE (user_id BIGINT, is_active BOOLEAN, is_blocked BOOLEAN, session_epoch BIGINT, incarnation BIGINT,
    catalogue_version BIGINT, version BIGINT, updated_at BIGINT, line_id BIGINT, sku_id BIGINT, quantity INTEGER, price BIGINT,
    on_hand BIGINT)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    v_user BIGINT;
BEGIN
    FOREACH v_user IN ARRAY p_users LOOP
        RETURN QUERY SELECT u.id, u.is_active, u.blocked_at IS NOT NULL, u.session_epoch, n.value, v.version,
            c.version, c.updated_at, i.id, i.sku_id, i.quantity, i.price_when_added, 0::BIGINT
        FROM users u CROSS JOIN incarnation n CROSS JOIN catalogue_version v
        LEFT JOIN carts c ON c.user_id = u.id
        LEFT JOIN cart_items i ON i.user_id = u.id
        WHERE u.id = v_user;
    END LOOP;
END $$;

-- Where functions run elsewhere, nobody has said which schema they are of.
DO $$
DECLARE
    f RECORD;
BEGIN
    FOR f IN
        SELECT p.oid::REGPROCEDURE AS name, p.proname IN ('change_carts_beside', 'carts_beside') AS is_of_many
        FROM pg_proc p WHERE p.pronamespace = current_schema()::REGNAMESPACE
        AND p.proname IN ('begin_as', 'remember', 'other_version', 'full_hour', 'empty_cart',
            'change_carts_beside', 'carts_beside')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I', f.name, current_schema());
        -- Of one customer's it is known that it stays on the shard, so it may leave in a transaction, too.
        PERFORM create_distributed_function(f.name, 'p_user', colocate_with => 'users',
            force_delegation => NOT f.is_of_many);
    END LOOP;
END $$;
