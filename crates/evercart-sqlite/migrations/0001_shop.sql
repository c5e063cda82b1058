-- A market's shop. Times are milliseconds since 1970 in UTC, money is in minor units, flags are 0 or 1.
-- Every customer table is keyed by user_id first, so that the same schema can be distributed by it.
-- Foreign keys restrict: nothing of a customer's goes away because something else does.

CREATE TABLE store_facts (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Numbers that people see. Taken inside the transaction that uses them.
CREATE TABLE counters (
    name TEXT    NOT NULL PRIMARY KEY,
    next INTEGER NOT NULL CHECK (next BETWEEN 1 AND 9007199254740991)
) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES ('user', 1), ('order', 1001), ('product', 1), ('sku', 1);

-- Moves with every change of products or SKUs, so that copies in memory know when they are old.
CREATE TABLE catalogue_version (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    version  INTEGER NOT NULL
) STRICT;
INSERT INTO catalogue_version VALUES (1, 1);

CREATE TABLE products (
    id          INTEGER NOT NULL PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    handle      TEXT UNIQUE,
    name        TEXT NOT NULL,
    brand       TEXT,
    category    TEXT,
    description TEXT,
    -- At least one SKU is active. Kept by the import, which alone changes that.
    for_sale    INTEGER NOT NULL CHECK (for_sale IN (0, 1))
) STRICT;
CREATE INDEX products_for_sale ON products (id) WHERE for_sale = 1;
CREATE INDEX products_by_category ON products (category, id) WHERE for_sale = 1;

-- The words of products, for search. Its rowid is the product's id.
CREATE VIRTUAL TABLE product_words USING fts5 (
    name, brand, category, description,
    content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);

CREATE TABLE skus (
    id             INTEGER NOT NULL PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    product_id     INTEGER NOT NULL REFERENCES products (id),
    sku_code       TEXT    NOT NULL UNIQUE,
    size           TEXT,
    color          TEXT,
    image          TEXT,
    price          INTEGER NOT NULL CHECK (price BETWEEN 0 AND 1000000000000),
    original_price INTEGER CHECK (original_price BETWEEN 0 AND 1000000000000),
    active         INTEGER NOT NULL CHECK (active IN (0, 1))
) STRICT;
CREATE INDEX skus_by_product ON skus (product_id, id);

-- Apart from the SKUs, because it changes with every order. `taken` is what uncancelled orders hold.
CREATE TABLE stock (
    sku_id  INTEGER NOT NULL PRIMARY KEY REFERENCES skus (id),
    on_hand INTEGER NOT NULL CHECK (on_hand >= 0),
    taken   INTEGER NOT NULL DEFAULT 0 CHECK (taken >= 0)
) STRICT;

CREATE TABLE users (
    id                INTEGER NOT NULL PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    phone             TEXT    NOT NULL,
    full_name         TEXT,
    email             TEXT,
    profile_image_url TEXT,
    language          TEXT,
    is_active         INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    blocked_at        INTEGER,
    session_epoch     INTEGER NOT NULL DEFAULT 0 CHECK (session_epoch >= 0),
    last_login        INTEGER,
    created_at        INTEGER NOT NULL,
    next_address      INTEGER NOT NULL DEFAULT 1
) STRICT;

-- The way from a phone to its user; apart, because it is looked up by phone.
CREATE TABLE phone_numbers (
    phone   TEXT    NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL UNIQUE REFERENCES users (id)
) STRICT, WITHOUT ROWID;

-- One cart a user: the user's id is its key. Lines are counted by next_line and never renumbered.
CREATE TABLE carts (
    user_id    INTEGER NOT NULL PRIMARY KEY REFERENCES users (id),
    version    INTEGER NOT NULL CHECK (version >= 1),
    next_line  INTEGER NOT NULL CHECK (next_line >= 1),
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE cart_items (
    user_id          INTEGER NOT NULL REFERENCES carts (user_id),
    sku_id           INTEGER NOT NULL REFERENCES skus (id),
    id               INTEGER NOT NULL CHECK (id >= 1),
    quantity         INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    price_when_added INTEGER NOT NULL,
    added_at         INTEGER NOT NULL,
    PRIMARY KEY (user_id, sku_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE wishlists (
    user_id   INTEGER NOT NULL PRIMARY KEY REFERENCES users (id),
    next_wish INTEGER NOT NULL CHECK (next_wish >= 1)
) STRICT;

CREATE TABLE wishlist_items (
    user_id    INTEGER NOT NULL REFERENCES wishlists (user_id),
    product_id INTEGER NOT NULL REFERENCES products (id),
    id         INTEGER NOT NULL CHECK (id >= 1),
    added_at   INTEGER NOT NULL,
    PRIMARY KEY (user_id, product_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE orders (
    user_id          INTEGER NOT NULL REFERENCES users (id),
    id               INTEGER NOT NULL CHECK (id BETWEEN 1001 AND 9007199254740991),
    status           TEXT    NOT NULL CHECK (status IN (
        'pending', 'confirmed', 'processing', 'shipped', 'delivered', 'cancelled', 'returned')),
    subtotal         INTEGER NOT NULL CHECK (subtotal >= 0),
    shipping_cost    INTEGER NOT NULL CHECK (shipping_cost >= 0),
    tax_amount       INTEGER NOT NULL CHECK (tax_amount >= 0),
    total_amount     INTEGER NOT NULL CHECK (total_amount = subtotal + shipping_cost),
    currency         TEXT    NOT NULL,
    customer_name    TEXT    NOT NULL,
    customer_phone   TEXT    NOT NULL,
    customer_email   TEXT,
    delivery_address TEXT    NOT NULL,
    delivery_city    TEXT,
    delivery_notes   TEXT,
    payment_method   TEXT    NOT NULL,
    order_date       INTEGER NOT NULL,
    delivery_date    INTEGER,
    PRIMARY KEY (user_id, id)
) STRICT, WITHOUT ROWID;

-- Names and prices are copies: a change of the catalogue changes no order.
CREATE TABLE order_items (
    user_id      INTEGER NOT NULL,
    order_id     INTEGER NOT NULL,
    id           INTEGER NOT NULL CHECK (id >= 1),
    sku_id       INTEGER NOT NULL REFERENCES skus (id),
    product_id   INTEGER NOT NULL REFERENCES products (id),
    product_name TEXT    NOT NULL,
    sku_code     TEXT    NOT NULL,
    size         TEXT,
    color        TEXT,
    image        TEXT,
    unit_price   INTEGER NOT NULL CHECK (unit_price >= 0),
    quantity     INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    PRIMARY KEY (user_id, order_id, id),
    UNIQUE (user_id, order_id, sku_id),
    FOREIGN KEY (user_id, order_id) REFERENCES orders (user_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE order_history (
    user_id  INTEGER NOT NULL,
    order_id INTEGER NOT NULL,
    id       INTEGER NOT NULL CHECK (id >= 1),
    status   TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (user_id, order_id, id),
    FOREIGN KEY (user_id, order_id) REFERENCES orders (user_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE addresses (
    user_id      INTEGER NOT NULL REFERENCES users (id),
    id           INTEGER NOT NULL CHECK (id >= 1),
    title        TEXT    NOT NULL,
    full_address TEXT    NOT NULL,
    street       TEXT,
    building     TEXT,
    apartment    TEXT,
    city         TEXT,
    postal_code  TEXT,
    country      TEXT,
    is_default   INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    PRIMARY KEY (user_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_default_address ON addresses (user_id) WHERE is_default = 1;

-- What was done under a client's key: written together with the effect. `resource` is the id of
-- what it made or changed.
CREATE TABLE idempotency_keys (
    user_id     INTEGER NOT NULL REFERENCES users (id),
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    resource    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;

-- Phones and addresses of the network stand below only as keyed hashes.

-- The same for requests made before the user is known: by phone.
CREATE TABLE sign_in_keys (
    phone       BLOB    NOT NULL CHECK (length(phone) = 32),
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    epoch       INTEGER,
    is_new      INTEGER NOT NULL DEFAULT 0,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (phone, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_keys_by_age ON sign_in_keys (expires_at);

-- The one outstanding code of a phone and purpose.
CREATE TABLE verification_codes (
    phone      BLOB    NOT NULL CHECK (length(phone) = 32),
    purpose    TEXT    NOT NULL,
    code       BLOB    NOT NULL CHECK (length(code) = 32),
    sent_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- The client's key of the request, forgotten if the code could not be sent.
    key        TEXT,
    PRIMARY KEY (phone, purpose)
) STRICT, WITHOUT ROWID;
CREATE INDEX verification_codes_by_age ON verification_codes (expires_at);

-- Events counted in a window that began with the first of them: codes sent, wrong codes.
CREATE TABLE send_budget (
    scope   TEXT    NOT NULL,
    subject BLOB    NOT NULL CHECK (length(subject) = 32),
    count   INTEGER NOT NULL CHECK (count >= 1),
    ends_at INTEGER NOT NULL,
    PRIMARY KEY (scope, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX send_budget_by_age ON send_budget (ends_at);

-- What operators did to a customer.
CREATE TABLE audit_log (
    user_id INTEGER NOT NULL REFERENCES users (id),
    id      INTEGER NOT NULL CHECK (id >= 1),
    at      INTEGER NOT NULL,
    action  TEXT    NOT NULL,
    PRIMARY KEY (user_id, id)
) STRICT, WITHOUT ROWID;
