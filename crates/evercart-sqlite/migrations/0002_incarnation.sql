-- What a return to older data is noticed by, and what keeps it from letting anybody in.

-- The store's life. Tokens carry `value`; a return starts another life, with the next number.
CREATE TABLE incarnation (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    number   INTEGER NOT NULL CHECK (number >= 1),
    value    INTEGER NOT NULL CHECK (value >= 0),
    -- When it began; nothing for the first.
    since    INTEGER
) STRICT;
INSERT INTO incarnation VALUES (1, 1, abs(random() >> 1), NULL);

-- Moves with every commit. A mark outside the store says how far it had come.
CREATE TABLE progress (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    position INTEGER NOT NULL CHECK (position >= 0)
) STRICT;
INSERT INTO progress VALUES (1, 0);

-- When the store was served. A token of a time that is not here comes from a future that was lost.
CREATE TABLE awake (
    run   INTEGER NOT NULL PRIMARY KEY,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL CHECK (until >= since)
) STRICT;
