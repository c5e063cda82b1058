-- Who was erased, and when: a list outside the database repeats it, so that no return to older data brings anybody back.
CREATE TABLE erasures (
    user_id     INTEGER NOT NULL PRIMARY KEY REFERENCES users (id),
    -- 0 if nobody noted it then.
    erased_at   INTEGER NOT NULL CHECK (erased_at >= 0),
    -- Orders were open, and keep what their delivery needs until they end.
    open_orders INTEGER NOT NULL CHECK (open_orders IN (0, 1)),
    -- A hash of the request that asked for it: a repeat is told that it was done.
    request     BLOB CHECK (length(request) = 32)
) STRICT;

-- What earlier erasures left.
INSERT INTO erasures (user_id, erased_at, open_orders) SELECT id, 0, 0 FROM users WHERE phone = '';
UPDATE orders SET payment_method = '' WHERE user_id IN (SELECT user_id FROM erasures);
DELETE FROM idempotency_keys WHERE user_id IN (SELECT user_id FROM erasures);
UPDATE users SET blocked_at = NULL, frozen_at = NULL, frozen_phone = NULL WHERE phone = '';
