-- What a return to older data is noticed by, and what keeps it from letting anybody in.

-- The store's life. Tokens carry `value`; a return starts another life, with the next number.
CREATE TABLE incarnation (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    number   BIGINT  NOT NULL CHECK (number >= 1),
    value    BIGINT  NOT NULL CHECK (value >= 0),
    -- When it began; nothing for the first.
    since    BIGINT
);

-- How far the store has come, and on which server's log: what servers compare with what they remember, and what tells
-- a promoted standby and a recovery from the server that was left.
CREATE TABLE progress (
    only_row       INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    position       BIGINT  NOT NULL CHECK (position >= 0),
    system         TEXT,
    timeline       BIGINT,
    -- Every commit was on a standby, too, before it was answered.
    is_synchronous BOOLEAN NOT NULL DEFAULT false
);
INSERT INTO progress (only_row, position) VALUES (1, 0);

-- When the store was served. A token of a time that is not here comes from a future that was lost.
CREATE TABLE awake (
    run   BIGINT NOT NULL PRIMARY KEY,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL CHECK (until >= since)
);

-- 62 random bits; not a secret.
INSERT INTO incarnation
SELECT 1, 1, ('x' || left(replace(gen_random_uuid()::TEXT, '-', ''), 16))::BIT(64)::BIGINT & 4611686018427387903, NULL;

-- In a shop that is spread over a cluster already, every server compares it.
DO $$
BEGIN
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        IF EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = 'users'::REGCLASS) THEN
            PERFORM create_reference_table('incarnation');
        END IF;
    END IF;
END $$;
