-- The functions as they are now: made anew after the last migration, so that each is described once.
--
-- What changes carts, as one call each: the check of the user, the idempotency key, the effect and the cart as it
-- then is, in one round trip and one transaction. Refusals are answers, not exceptions: many calls share a
-- transaction, and a refusal must undo nothing of the others. So everything is checked before anything is written,
-- which is safe because the door locks the user's row: all that one customer changes happens one after another.

-- What the door says: 'fresh', 'replayed', or the word of a refusal. `resource` is what a replayed request made.
CREATE TYPE begun AS (
    outcome  TEXT,
    resource BIGINT
);

-- The door: every change by a customer passes here first. Signing out changes the row that is locked here, so a
-- change either happens before it or sees it.
CREATE FUNCTION begin_as(p_user BIGINT, p_epoch BIGINT, p_incarnation BIGINT, p_now BIGINT, p_key TEXT,
    p_fingerprint BYTEA) RETURNS begun LANGUAGE plpgsql AS $$
DECLARE
    v_active   BOOLEAN;
    v_blocked  BOOLEAN;
    v_epoch    BIGINT;
    v_life     BIGINT;
    v_is_same  BOOLEAN;
    v_resource BIGINT;
BEGIN
    SELECT u.is_active, u.blocked_at IS NOT NULL, u.session_epoch INTO v_active, v_blocked, v_epoch
    FROM users u WHERE u.id = p_user FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN ('unknown_user', NULL)::begun;
    END IF;
    SELECT n.value INTO v_life FROM incarnation n;
    IF v_life <> p_incarnation THEN
        RETURN ('returned', NULL)::begun;
    ELSIF v_blocked THEN
        RETURN ('user_blocked', NULL)::begun;
    ELSIF NOT v_active OR v_epoch <> p_epoch THEN
        RETURN ('signed_out', NULL)::begun;
    ELSIF p_key IS NULL THEN
        RETURN ('fresh', NULL)::begun;
    END IF;
    SELECT k.fingerprint = p_fingerprint, k.resource INTO v_is_same, v_resource FROM idempotency_keys k
    WHERE k.user_id = p_user AND k.key = p_key AND k.created_at > p_now - 86400000;
    IF NOT FOUND THEN
        RETURN ('fresh', NULL)::begun;
    ELSIF v_is_same THEN
        RETURN ('replayed', v_resource)::begun;
    END IF;
    RETURN ('key_reused', NULL)::begun;
END $$;

-- Writes down, in the operation's own transaction, that it was done.
CREATE FUNCTION remember(p_user BIGINT, p_now BIGINT, p_key TEXT, p_fingerprint BYTEA, p_resource BIGINT)
RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    IF p_key IS NOT NULL THEN
        INSERT INTO idempotency_keys (user_id, key, fingerprint, resource, created_at)
        VALUES (p_user, p_key, p_fingerprint, p_resource, p_now)
        ON CONFLICT (user_id, key) DO UPDATE SET fingerprint = excluded.fingerprint, resource = excluded.resource,
            created_at = excluded.created_at;
    END IF;
END $$;

-- The answer to a change of a cart: what became of it, the number that goes with a refusal, and the cart.
CREATE TYPE cart_answer AS (
    outcome           TEXT,
    detail            BIGINT,
    catalogue_version BIGINT,
    version           BIGINT,
    updated_at        BIGINT,
    line_ids          BIGINT[],
    sku_ids           BIGINT[],
    quantities        INTEGER[],
    prices            BIGINT[],
    on_hand           BIGINT[]
);

CREATE FUNCTION cart_as(p_user BIGINT, p_outcome TEXT) RETURNS cart_answer LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_answer cart_answer;
BEGIN
    SELECT p_outcome, NULL, v.version, coalesce(c.version, 0), c.updated_at, l.ids, l.skus, l.quantities, l.prices,
        l.on_hand
    INTO v_answer
    FROM catalogue_version v
    LEFT JOIN carts c ON c.user_id = p_user
    CROSS JOIN (
        SELECT array_agg(i.id) AS ids, array_agg(i.sku_id) AS skus, array_agg(i.quantity) AS quantities,
            array_agg(i.price_when_added) AS prices, array_agg(s.on_hand) AS on_hand
        FROM cart_items i JOIN stock s ON s.sku_id = i.sku_id WHERE i.user_id = p_user
    ) l;
    RETURN v_answer;
END $$;

-- A refusal, with the number and the SKU that go with it.
CREATE FUNCTION cart_refusal(p_outcome TEXT, p_detail BIGINT, p_sku BIGINT) RETURNS cart_answer
LANGUAGE sql IMMUTABLE AS $$
    SELECT p_outcome, p_detail, NULL::BIGINT, NULL::BIGINT, NULL::BIGINT, NULL::BIGINT[], ARRAY[p_sku],
        NULL::INTEGER[], NULL::BIGINT[], NULL::BIGINT[]
$$;

-- The version that contradicts the expected one, or null.
CREATE FUNCTION other_version(p_user BIGINT, p_expected BIGINT) RETURNS BIGINT LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_version BIGINT;
BEGIN
    IF p_expected IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT c.version INTO v_version FROM carts c WHERE c.user_id = p_user;
    RETURN nullif(coalesce(v_version, 0), p_expected);
END $$;

-- Counts a change of a cart whose user is locked in its hour: null, or, if it is one too many, when the hour began.
CREATE FUNCTION full_hour(p_user BIGINT, p_now BIGINT, p_limit BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    v_began   BIGINT;
    v_changes BIGINT;
BEGIN
    SELECT c.hour_began, c.version - c.hour_version INTO v_began, v_changes FROM carts c WHERE c.user_id = p_user;
    IF NOT FOUND THEN
        RETURN NULL;
    ELSIF p_now BETWEEN v_began - 3600000 AND v_began + 3599999 THEN
        RETURN CASE WHEN v_changes >= p_limit THEN v_began END;
    END IF;
    -- None was counted yet, it is over, or it was counted by a clock that was wrong.
    UPDATE carts SET hour_began = p_now, hour_version = version WHERE user_id = p_user;
    RETURN NULL;
END $$;

-- The pieces there are of a SKU. Null where the stock is out of a function's reach, which is where a caller has to
-- bring the number along.
CREATE FUNCTION on_hand_of(p_sku BIGINT) RETURNS BIGINT LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT t.on_hand FROM stock t WHERE t.sku_id = p_sku);
END $$;

-- Puts pieces of a SKU into a cart whose user is locked. Null, or a refusal. `p_product`: the SKU must be one of it.
-- `p_on_hand`: how many pieces there are, if the caller knows.
CREATE FUNCTION put_into_cart(p_user BIGINT, p_now BIGINT, p_sku BIGINT, p_quantity INTEGER, p_product BIGINT,
    p_on_hand BIGINT, OUT refusal TEXT, OUT detail BIGINT, OUT line BIGINT) LANGUAGE plpgsql AS $$
DECLARE
    v_price   BIGINT;
    v_active  BOOLEAN;
    v_product BIGINT;
    v_on_hand BIGINT;
    v_before  INTEGER;
    v_lines   INTEGER;
BEGIN
    SELECT s.price, s.active, s.product_id INTO v_price, v_active, v_product FROM skus s WHERE s.id = p_sku;
    IF NOT FOUND THEN
        refusal := CASE WHEN p_product IS NULL THEN 'no_sku' ELSE 'no_sku_of_product' END;
        RETURN;
    ELSIF v_product <> p_product THEN
        refusal := 'no_sku_of_product';
        RETURN;
    ELSIF NOT v_active THEN
        refusal := 'sku_unavailable';
        RETURN;
    END IF;
    SELECT count(*), coalesce(max(i.quantity) FILTER (WHERE i.sku_id = p_sku), 0),
        max(i.id) FILTER (WHERE i.sku_id = p_sku)
    INTO v_lines, v_before, line FROM cart_items i WHERE i.user_id = p_user;
    v_on_hand := coalesce(p_on_hand, on_hand_of(p_sku));
    IF v_before + p_quantity > 999 THEN
        refusal := 'quantity_limit';
        RETURN;
    ELSIF line IS NULL AND v_lines >= 100 THEN
        refusal := 'lines_limit';
        RETURN;
    ELSIF v_before + p_quantity > v_on_hand THEN
        refusal := 'insufficient_stock';
        detail := v_on_hand;
        RETURN;
    END IF;
    IF line IS NOT NULL THEN
        UPDATE carts SET version = version + 1, updated_at = p_now WHERE user_id = p_user;
        UPDATE cart_items SET quantity = quantity + p_quantity, price_when_added = v_price
        WHERE user_id = p_user AND sku_id = p_sku;
        RETURN;
    END IF;
    INSERT INTO carts (user_id, version, next_line, updated_at, hour_began, hour_version)
    VALUES (p_user, 1, 2, p_now, p_now, 0)
    ON CONFLICT (user_id) DO UPDATE SET version = carts.version + 1, next_line = carts.next_line + 1,
        updated_at = excluded.updated_at
    RETURNING next_line - 1 INTO line;
    INSERT INTO cart_items (user_id, sku_id, id, quantity, price_when_added, added_at)
    VALUES (p_user, p_sku, line, p_quantity, v_price, p_now);
END $$;

CREATE FUNCTION add_to_cart(p_user BIGINT, p_epoch BIGINT, p_incarnation BIGINT, p_now BIGINT,
    p_sku BIGINT, p_quantity INTEGER, p_version BIGINT, p_key TEXT, p_fingerprint BYTEA, p_on_hand BIGINT,
    p_limit BIGINT) RETURNS cart_answer LANGUAGE plpgsql AS $$
DECLARE
    v_begun begun := begin_as(p_user, p_epoch, p_incarnation, p_now, p_key, p_fingerprint);
    v_other BIGINT;
    v_full  BIGINT;
    v_put   RECORD;
BEGIN
    IF v_begun.outcome = 'replayed' THEN
        RETURN cart_as(p_user, 'replayed');
    ELSIF v_begun.outcome <> 'fresh' THEN
        RETURN cart_refusal(v_begun.outcome, NULL, NULL);
    END IF;
    v_other := other_version(p_user, p_version);
    IF v_other IS NOT NULL THEN
        RETURN cart_refusal('version_conflict', v_other, NULL);
    END IF;
    v_full := full_hour(p_user, p_now, p_limit);
    IF v_full IS NOT NULL THEN
        RETURN cart_refusal('too_many_changes', v_full, NULL);
    END IF;
    v_put := put_into_cart(p_user, p_now, p_sku, p_quantity, NULL, p_on_hand);
    IF v_put.refusal IS NOT NULL THEN
        RETURN cart_refusal(v_put.refusal, v_put.detail, p_sku);
    END IF;
    PERFORM remember(p_user, p_now, p_key, p_fingerprint, v_put.line);
    RETURN cart_as(p_user, 'done');
END $$;

CREATE FUNCTION set_quantity(p_user BIGINT, p_epoch BIGINT, p_incarnation BIGINT, p_now BIGINT,
    p_line BIGINT, p_quantity INTEGER, p_version BIGINT, p_key TEXT, p_fingerprint BYTEA, p_on_hand BIGINT,
    p_limit BIGINT) RETURNS cart_answer LANGUAGE plpgsql AS $$
DECLARE
    v_begun   begun := begin_as(p_user, p_epoch, p_incarnation, p_now, p_key, p_fingerprint);
    v_other   BIGINT;
    v_full    BIGINT;
    v_sku     BIGINT;
    v_before  INTEGER;
    v_price   BIGINT;
    v_active  BOOLEAN;
    v_on_hand BIGINT;
BEGIN
    IF v_begun.outcome = 'replayed' THEN
        RETURN cart_as(p_user, 'replayed');
    ELSIF v_begun.outcome <> 'fresh' THEN
        RETURN cart_refusal(v_begun.outcome, NULL, NULL);
    END IF;
    v_other := other_version(p_user, p_version);
    IF v_other IS NOT NULL THEN
        RETURN cart_refusal('version_conflict', v_other, NULL);
    END IF;
    v_full := full_hour(p_user, p_now, p_limit);
    IF v_full IS NOT NULL THEN
        RETURN cart_refusal('too_many_changes', v_full, NULL);
    END IF;
    SELECT i.sku_id, i.quantity INTO v_sku, v_before FROM cart_items i WHERE i.user_id = p_user AND i.id = p_line;
    IF NOT FOUND THEN
        RETURN cart_refusal('no_line', NULL, NULL);
    END IF;
    IF p_quantity = 0 THEN
        DELETE FROM cart_items WHERE user_id = p_user AND sku_id = v_sku;
    ELSE
        SELECT s.price, s.active INTO v_price, v_active FROM skus s WHERE s.id = v_sku;
        IF p_quantity > v_before THEN
            v_on_hand := coalesce(p_on_hand, on_hand_of(v_sku));
        END IF;
        IF p_quantity > v_before AND NOT v_active THEN
            RETURN cart_refusal('sku_unavailable', NULL, v_sku);
        ELSIF p_quantity > 999 THEN
            RETURN cart_refusal('quantity_limit', NULL, v_sku);
        ELSIF p_quantity > v_before AND v_on_hand IS NULL THEN
            -- There was no such line yet when the caller looked which SKU it is of.
            RETURN cart_refusal('no_line', NULL, NULL);
        ELSIF p_quantity > v_before AND p_quantity > v_on_hand THEN
            RETURN cart_refusal('insufficient_stock', v_on_hand, v_sku);
        END IF;
        UPDATE cart_items SET quantity = p_quantity, price_when_added = v_price
        WHERE user_id = p_user AND sku_id = v_sku;
    END IF;
    UPDATE carts SET version = version + 1, updated_at = p_now WHERE user_id = p_user;
    PERFORM remember(p_user, p_now, p_key, p_fingerprint, p_line);
    RETURN cart_as(p_user, 'done');
END $$;

-- Removes every line; the cart itself stays, one version on. An empty cart is left alone.
CREATE FUNCTION empty_cart(p_user BIGINT, p_now BIGINT) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM cart_items WHERE user_id = p_user;
    IF FOUND THEN
        UPDATE carts SET version = version + 1, updated_at = p_now WHERE user_id = p_user;
    END IF;
END $$;

CREATE FUNCTION clear_cart(p_user BIGINT, p_epoch BIGINT, p_incarnation BIGINT, p_now BIGINT,
    p_version BIGINT, p_key TEXT, p_fingerprint BYTEA, p_limit BIGINT) RETURNS cart_answer LANGUAGE plpgsql AS $$
DECLARE
    v_begun begun := begin_as(p_user, p_epoch, p_incarnation, p_now, p_key, p_fingerprint);
    v_other BIGINT;
    v_full  BIGINT;
BEGIN
    IF v_begun.outcome = 'replayed' THEN
        RETURN cart_as(p_user, 'replayed');
    ELSIF v_begun.outcome <> 'fresh' THEN
        RETURN cart_refusal(v_begun.outcome, NULL, NULL);
    END IF;
    v_other := other_version(p_user, p_version);
    IF v_other IS NOT NULL THEN
        RETURN cart_refusal('version_conflict', v_other, NULL);
    END IF;
    v_full := full_hour(p_user, p_now, p_limit);
    IF v_full IS NOT NULL THEN
        RETURN cart_refusal('too_many_changes', v_full, NULL);
    END IF;
    PERFORM empty_cart(p_user, p_now);
    PERFORM remember(p_user, p_now, p_key, p_fingerprint, p_user);
    RETURN cart_as(p_user, 'done');
END $$;

CREATE FUNCTION move_to_cart(p_user BIGINT, p_epoch BIGINT, p_incarnation BIGINT, p_now BIGINT,
    p_product BIGINT, p_sku BIGINT, p_quantity INTEGER, p_version BIGINT, p_key TEXT, p_fingerprint BYTEA, p_on_hand BIGINT,
    p_limit BIGINT)
RETURNS cart_answer LANGUAGE plpgsql AS $$
DECLARE
    v_begun begun := begin_as(p_user, p_epoch, p_incarnation, p_now, p_key, p_fingerprint);
    v_other BIGINT;
    v_full  BIGINT;
    v_put   RECORD;
BEGIN
    IF v_begun.outcome = 'replayed' THEN
        RETURN cart_as(p_user, 'replayed');
    ELSIF v_begun.outcome <> 'fresh' THEN
        RETURN cart_refusal(v_begun.outcome, NULL, NULL);
    END IF;
    v_other := other_version(p_user, p_version);
    IF v_other IS NOT NULL THEN
        RETURN cart_refusal('version_conflict', v_other, NULL);
    END IF;
    v_full := full_hour(p_user, p_now, p_limit);
    IF v_full IS NOT NULL THEN
        RETURN cart_refusal('too_many_changes', v_full, NULL);
    END IF;
    PERFORM 1 FROM wishlist_items w WHERE w.user_id = p_user AND w.product_id = p_product;
    IF NOT FOUND THEN
        RETURN cart_refusal('no_wish', NULL, NULL);
    END IF;
    v_put := put_into_cart(p_user, p_now, p_sku, p_quantity, p_product, p_on_hand);
    IF v_put.refusal IS NOT NULL THEN
        RETURN cart_refusal(v_put.refusal, v_put.detail, p_sku);
    END IF;
    DELETE FROM wishlist_items WHERE user_id = p_user AND product_id = p_product;
    PERFORM remember(p_user, p_now, p_key, p_fingerprint, v_put.line);
    RETURN cart_as(p_user, 'done');
END $$;

-- Several changes in one call and one commit, each with its own answer. The caller sorts them by user, so that two
-- calls at once lock users in the same order; changes by one user come in the order in which they are to happen.
CREATE FUNCTION change_carts(p_kinds TEXT[], p_users BIGINT[], p_epochs BIGINT[], p_incarnations BIGINT[],
    p_nows BIGINT[], p_products BIGINT[], p_targets BIGINT[], p_quantities INTEGER[], p_versions BIGINT[], p_keys TEXT[], p_fingerprints BYTEA[],
    p_on_hand BIGINT[], p_limit BIGINT) RETURNS SETOF cart_answer LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1 .. cardinality(p_kinds) LOOP
        CASE p_kinds[n]
            WHEN 'add' THEN
                RETURN NEXT add_to_cart(p_users[n], p_epochs[n], p_incarnations[n], p_nows[n],
                    p_targets[n], p_quantities[n], p_versions[n], p_keys[n], p_fingerprints[n], p_on_hand[n],
                    p_limit);
            WHEN 'set' THEN
                RETURN NEXT set_quantity(p_users[n], p_epochs[n], p_incarnations[n], p_nows[n],
                    p_targets[n], p_quantities[n], p_versions[n], p_keys[n], p_fingerprints[n], p_on_hand[n],
                    p_limit);
            WHEN 'clear' THEN
                RETURN NEXT clear_cart(p_users[n], p_epochs[n], p_incarnations[n], p_nows[n], p_versions[n], p_keys[n],
                    p_fingerprints[n], p_limit);
            WHEN 'move' THEN
                RETURN NEXT move_to_cart(p_users[n], p_epochs[n], p_incarnations[n], p_nows[n],
                    p_products[n], p_targets[n], p_quantities[n], p_versions[n], p_keys[n], p_fingerprints[n], p_on_hand[n],
                    p_limit);
        END CASE;
    END LOOP;
END $$;

-- What becomes of one of several adds.
CREATE TYPE add_verdict AS (
    place       BIGINT,
    user_id     BIGINT,
    sku_id      BIGINT,
    quantity    INTEGER,
    now         BIGINT,
    key         TEXT,
    fingerprint BYTEA,
    price       BIGINT,
    new_lines   INTEGER,
    outcome     TEXT,
    detail      BIGINT
);

-- The same as add_to_cart for many users at once, each of them at most once: one statement a step instead of one a
-- step and user, which halves what an add costs. A row for each line of each cart that was changed, and one for each
-- refusal; `place` counts the adds from 1.
CREATE FUNCTION add_to_carts(p_users BIGINT[], p_epochs BIGINT[], p_incarnations BIGINT[], p_nows BIGINT[],
    p_skus BIGINT[], p_quantities INTEGER[], p_versions BIGINT[], p_keys TEXT[], p_fingerprints BYTEA[],
    p_limit BIGINT)
RETURNS TABLE (place BIGINT, outcome TEXT, detail BIGINT, catalogue_version BIGINT, version BIGINT,
    updated_at BIGINT, line_id BIGINT, line_sku BIGINT, line_quantity INTEGER, line_price BIGINT,
    line_on_hand BIGINT)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_verdicts add_verdict[];
BEGIN
    -- The door, as in begin_as. What is read after the locks are held is what is true until the commit.
    PERFORM 1 FROM users u WHERE u.id = ANY (p_users) ORDER BY u.id FOR NO KEY UPDATE;
    SELECT array_agg(ROW(q.place, q.user_id, q.sku_id, q.quantity, q.now, q.key, q.fingerprint, s.price,
        CASE WHEN l.user_id IS NULL THEN 1 ELSE 0 END,
        CASE
            WHEN u.id IS NULL THEN 'unknown_user'
            WHEN n.value <> q.incarnation THEN 'returned'
            WHEN u.blocked_at IS NOT NULL THEN 'user_blocked'
            WHEN NOT u.is_active OR u.session_epoch <> q.epoch THEN 'signed_out'
            WHEN k.fingerprint = q.fingerprint THEN 'replayed'
            WHEN k.user_id IS NOT NULL THEN 'key_reused'
            WHEN coalesce(c.version, 0) <> q.version THEN 'version_conflict'
            WHEN q.now BETWEEN c.hour_began - 3600000 AND c.hour_began + 3599999
                AND c.version - c.hour_version >= p_limit THEN 'too_many_changes'
            WHEN s.id IS NULL THEN 'no_sku'
            WHEN NOT s.active THEN 'sku_unavailable'
            WHEN coalesce(l.quantity, 0) + q.quantity > 999 THEN 'quantity_limit'
            WHEN l.user_id IS NULL
                AND (SELECT count(*) FROM cart_items i WHERE i.user_id = q.user_id) >= 100 THEN 'lines_limit'
            WHEN coalesce(l.quantity, 0) + q.quantity > t.on_hand THEN 'insufficient_stock'
            ELSE 'done'
        END,
        CASE
            WHEN coalesce(c.version, 0) <> q.version THEN coalesce(c.version, 0)
            WHEN q.now BETWEEN c.hour_began - 3600000 AND c.hour_began + 3599999
                AND c.version - c.hour_version >= p_limit THEN c.hour_began
            ELSE t.on_hand
        END
    )::add_verdict) INTO v_verdicts
    FROM unnest(p_users, p_epochs, p_incarnations, p_nows, p_skus, p_quantities, p_versions, p_keys, p_fingerprints)
        WITH ORDINALITY AS q (user_id, epoch, incarnation, now, sku_id, quantity, version, key, fingerprint, place)
    CROSS JOIN incarnation n
    LEFT JOIN users u ON u.id = q.user_id
    LEFT JOIN idempotency_keys k
        ON k.user_id = q.user_id AND k.key = q.key AND k.created_at > q.now - 86400000
    LEFT JOIN carts c ON c.user_id = q.user_id
    LEFT JOIN skus s ON s.id = q.sku_id
    LEFT JOIN stock t ON t.sku_id = q.sku_id
    LEFT JOIN cart_items l ON l.user_id = q.user_id AND l.sku_id = q.sku_id;
    -- A new cart counts on from 2; what `excluded` carries for one that is there is 1 and its new lines.
    INSERT INTO carts (user_id, version, next_line, updated_at, hour_began, hour_version)
    SELECT a.user_id, 1, 1 + a.new_lines, a.now, a.now, 0 FROM unnest(v_verdicts) a WHERE a.outcome = 'done'
    ON CONFLICT (user_id) DO UPDATE SET version = carts.version + 1,
        next_line = carts.next_line + excluded.next_line - 1, updated_at = excluded.updated_at,
        hour_version = CASE WHEN excluded.updated_at BETWEEN carts.hour_began - 3600000 AND carts.hour_began + 3599999
            THEN carts.hour_version ELSE carts.version END,
        hour_began = CASE WHEN excluded.updated_at BETWEEN carts.hour_began - 3600000 AND carts.hour_began + 3599999
            THEN carts.hour_began ELSE excluded.updated_at END;
    INSERT INTO cart_items AS i (user_id, sku_id, id, quantity, price_when_added, added_at)
    SELECT a.user_id, a.sku_id, c.next_line - 1, a.quantity, a.price, a.now
    FROM unnest(v_verdicts) a JOIN carts c ON c.user_id = a.user_id WHERE a.outcome = 'done'
    ON CONFLICT (user_id, sku_id) DO UPDATE SET quantity = i.quantity + excluded.quantity,
        price_when_added = excluded.price_when_added;
    IF array_remove(p_keys, NULL) <> '{}' THEN
        INSERT INTO idempotency_keys (user_id, key, fingerprint, resource, created_at)
        SELECT a.user_id, a.key, a.fingerprint, i.id, a.now
        FROM unnest(v_verdicts) a JOIN cart_items i ON i.user_id = a.user_id AND i.sku_id = a.sku_id
        WHERE a.outcome = 'done' AND a.key IS NOT NULL
        ON CONFLICT (user_id, key) DO UPDATE SET fingerprint = excluded.fingerprint,
            resource = excluded.resource, created_at = excluded.created_at;
    END IF;
    RETURN QUERY
    SELECT a.place, a.outcome, a.detail, v.version, c.version, c.updated_at, i.id, i.sku_id, i.quantity,
        i.price_when_added, t.on_hand
    FROM unnest(v_verdicts) a CROSS JOIN catalogue_version v
    LEFT JOIN carts c ON c.user_id = a.user_id AND a.outcome IN ('done', 'replayed')
    LEFT JOIN cart_items i ON i.user_id = c.user_id
    LEFT JOIN stock t ON t.sku_id = i.sku_id;
END $$;
