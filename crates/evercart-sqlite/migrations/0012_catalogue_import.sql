-- A catalogue file goes in a part at a time, so that others write in between, and is shown all at once. What is new is
-- written into its place and hidden; what changes is written beside, read from there once it is shown, and moved into
-- its place in parts again. A crash leaves a state that every reader understands and the next import, or start, ends.

CREATE TABLE import_state (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    -- 0: no import is under way. 1: one is being written, and nobody sees it. 2: it is seen, and being moved.
    state    INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2)
) STRICT;
INSERT INTO import_state VALUES (1, 0);

-- Products as they are to be. New ones have a row in `products`, too, which is not for sale. Where the texts of one
-- change, the words of the new ones stand in `product_words` under its id + 2^53.
CREATE TABLE import_products (
    id            INTEGER NOT NULL PRIMARY KEY,
    handle        TEXT,
    name          TEXT    NOT NULL,
    brand         TEXT,
    category      TEXT,
    description   TEXT,
    for_sale      INTEGER NOT NULL CHECK (for_sale IN (0, 1)),
    is_new        INTEGER NOT NULL CHECK (is_new IN (0, 1)),
    has_new_words INTEGER NOT NULL CHECK (has_new_words IN (0, 1))
) STRICT;

-- SKUs as they are to be, of those that change.
CREATE TABLE import_skus (
    id             INTEGER NOT NULL PRIMARY KEY,
    sku_code       TEXT    NOT NULL,
    size           TEXT,
    color          TEXT,
    image          TEXT,
    price          INTEGER NOT NULL,
    original_price INTEGER,
    active         INTEGER NOT NULL CHECK (active IN (0, 1))
) STRICT;

-- Rows of `skus` and `stock` that are new.
CREATE TABLE import_new_skus (
    id INTEGER NOT NULL PRIMARY KEY
) STRICT;

-- What becomes of the stock of SKUs that were there, all at once when the import is shown: so many pieces (if there still
-- are as many as were seen), or so many more or less. `line` is the row of the file.
CREATE TABLE import_stock (
    sku_id INTEGER NOT NULL PRIMARY KEY,
    line   INTEGER NOT NULL,
    pieces INTEGER,
    seen   INTEGER,
    moved  INTEGER,
    CHECK ((pieces IS NULL) <> (moved IS NULL))
) STRICT;
