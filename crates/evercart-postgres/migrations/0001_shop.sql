-- A market's shop, in a schema of its own. Times are milliseconds since 1970 in UTC, money is in minor units: the
-- same as in the embedded store, so that rows move between the two as they are.
-- Every customer table is keyed by user_id first, so that the same schema can be distributed by it.
-- Foreign keys restrict: nothing of a customer's goes away because something else does.

CREATE TABLE store_facts (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Numbers that people see come from sequences: taking one makes nobody wait. What is rolled back leaves a gap.
CREATE SEQUENCE user_numbers MAXVALUE 9007199254740991;
CREATE SEQUENCE order_numbers START 1001 MAXVALUE 9007199254740991;
CREATE SEQUENCE product_numbers MAXVALUE 9007199254740991;
CREATE SEQUENCE sku_numbers MAXVALUE 9007199254740991;

-- Moves with every change of products or SKUs, so that copies in memory know when they are old.
CREATE TABLE catalogue_version (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    version  BIGINT  NOT NULL
);
INSERT INTO catalogue_version VALUES (1, 1);

CREATE TABLE products (
    id          BIGINT  NOT NULL PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    handle      TEXT UNIQUE,
    name        TEXT    NOT NULL,
    brand       TEXT,
    category    TEXT,
    description TEXT,
    -- At least one SKU is active. Kept by the import, which alone changes that.
    for_sale    BOOLEAN NOT NULL,
    -- What search looks through: each word of the texts above once, folded.
    words       TSVECTOR NOT NULL
);
CREATE INDEX products_for_sale ON products (id) WHERE for_sale;
CREATE INDEX products_by_category ON products (category, id) WHERE for_sale;
CREATE INDEX products_by_word ON products USING gin (words) WITH (fastupdate = off);

CREATE TABLE skus (
    id             BIGINT  NOT NULL PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    product_id     BIGINT  NOT NULL REFERENCES products (id),
    sku_code       TEXT    NOT NULL UNIQUE,
    size           TEXT,
    color          TEXT,
    image          TEXT,
    price          BIGINT  NOT NULL CHECK (price BETWEEN 0 AND 1000000000000),
    original_price BIGINT CHECK (original_price BETWEEN 0 AND 1000000000000),
    active         BOOLEAN NOT NULL
);
CREATE INDEX skus_by_product ON skus (product_id, id);

-- Apart from the SKUs, because it changes with every order. `taken` is what uncancelled orders hold.
CREATE TABLE stock (
    sku_id  BIGINT NOT NULL PRIMARY KEY REFERENCES skus (id),
    on_hand BIGINT NOT NULL CHECK (on_hand >= 0),
    taken   BIGINT NOT NULL DEFAULT 0 CHECK (taken >= 0)
) WITH (fillfactor = 70);

CREATE TABLE users (
    id                BIGINT  NOT NULL PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    phone             TEXT    NOT NULL,
    full_name         TEXT,
    email             TEXT,
    profile_image_url TEXT,
    language          TEXT,
    is_active         BOOLEAN NOT NULL,
    blocked_at        BIGINT,
    session_epoch     BIGINT  NOT NULL DEFAULT 0 CHECK (session_epoch >= 0),
    last_login        BIGINT,
    created_at        BIGINT  NOT NULL,
    next_address      BIGINT  NOT NULL DEFAULT 1
) WITH (fillfactor = 85);

-- The way from a phone to its user; apart, because it is looked up by phone.
CREATE TABLE phone_numbers (
    phone   TEXT   NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL UNIQUE REFERENCES users (id)
);

-- One cart a user: the user's id is its key. Lines are counted by next_line and never renumbered.
CREATE TABLE carts (
    user_id    BIGINT NOT NULL PRIMARY KEY REFERENCES users (id),
    version    BIGINT NOT NULL CHECK (version >= 1),
    next_line  BIGINT NOT NULL CHECK (next_line >= 1),
    updated_at BIGINT NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE cart_items (
    user_id          BIGINT  NOT NULL REFERENCES carts (user_id),
    sku_id           BIGINT  NOT NULL REFERENCES skus (id),
    id               BIGINT  NOT NULL CHECK (id >= 1),
    quantity         INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    price_when_added BIGINT  NOT NULL,
    added_at         BIGINT  NOT NULL,
    PRIMARY KEY (user_id, sku_id)
) WITH (fillfactor = 85);

CREATE TABLE wishlists (
    user_id   BIGINT NOT NULL PRIMARY KEY REFERENCES users (id),
    next_wish BIGINT NOT NULL CHECK (next_wish >= 1)
);

CREATE TABLE wishlist_items (
    user_id    BIGINT NOT NULL REFERENCES wishlists (user_id),
    product_id BIGINT NOT NULL REFERENCES products (id),
    id         BIGINT NOT NULL CHECK (id >= 1),
    added_at   BIGINT NOT NULL,
    PRIMARY KEY (user_id, product_id)
);

CREATE TABLE orders (
    user_id          BIGINT NOT NULL REFERENCES users (id),
    id               BIGINT NOT NULL CHECK (id BETWEEN 1001 AND 9007199254740991),
    status           TEXT   NOT NULL CHECK (status IN (
        'pending', 'confirmed', 'processing', 'shipped', 'delivered', 'cancelled', 'returned')),
    subtotal         BIGINT NOT NULL CHECK (subtotal >= 0),
    shipping_cost    BIGINT NOT NULL CHECK (shipping_cost >= 0),
    tax_amount       BIGINT NOT NULL CHECK (tax_amount >= 0),
    total_amount     BIGINT NOT NULL CHECK (total_amount = subtotal + shipping_cost),
    currency         TEXT   NOT NULL,
    customer_name    TEXT   NOT NULL,
    customer_phone   TEXT   NOT NULL,
    customer_email   TEXT,
    delivery_address TEXT   NOT NULL,
    delivery_city    TEXT,
    delivery_notes   TEXT,
    payment_method   TEXT   NOT NULL,
    order_date       BIGINT NOT NULL,
    delivery_date    BIGINT,
    PRIMARY KEY (user_id, id)
);

-- Names and prices are copies: a change of the catalogue changes no order.
CREATE TABLE order_items (
    user_id      BIGINT  NOT NULL,
    order_id     BIGINT  NOT NULL,
    id           BIGINT  NOT NULL CHECK (id >= 1),
    sku_id       BIGINT  NOT NULL REFERENCES skus (id),
    product_id   BIGINT  NOT NULL REFERENCES products (id),
    product_name TEXT    NOT NULL,
    sku_code     TEXT    NOT NULL,
    size         TEXT,
    color        TEXT,
    image        TEXT,
    unit_price   BIGINT  NOT NULL CHECK (unit_price >= 0),
    quantity     INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    PRIMARY KEY (user_id, order_id, id),
    UNIQUE (user_id, order_id, sku_id),
    FOREIGN KEY (user_id, order_id) REFERENCES orders (user_id, id)
);

CREATE TABLE order_history (
    user_id  BIGINT NOT NULL,
    order_id BIGINT NOT NULL,
    id       BIGINT NOT NULL CHECK (id >= 1),
    status   TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (user_id, order_id, id),
    FOREIGN KEY (user_id, order_id) REFERENCES orders (user_id, id)
);

CREATE TABLE addresses (
    user_id      BIGINT  NOT NULL REFERENCES users (id),
    id           BIGINT  NOT NULL CHECK (id >= 1),
    title        TEXT    NOT NULL,
    full_address TEXT    NOT NULL,
    street       TEXT,
    building     TEXT,
    apartment    TEXT,
    city         TEXT,
    postal_code  TEXT,
    country      TEXT,
    is_default   BOOLEAN NOT NULL,
    PRIMARY KEY (user_id, id)
);
CREATE UNIQUE INDEX one_default_address ON addresses (user_id) WHERE is_default;

-- What was done under a client's key: written together with the effect. `resource` is the id of
-- what it made or changed.
CREATE TABLE idempotency_keys (
    user_id     BIGINT NOT NULL REFERENCES users (id),
    key         TEXT   NOT NULL,
    fingerprint BYTEA  NOT NULL CHECK (octet_length(fingerprint) = 32),
    resource    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (user_id, key)
);

-- Phones and addresses of the network stand below only as keyed hashes.

-- The same for requests made before the user is known: by phone.
CREATE TABLE sign_in_keys (
    phone       BYTEA   NOT NULL CHECK (octet_length(phone) = 32),
    key         TEXT    NOT NULL,
    fingerprint BYTEA   NOT NULL CHECK (octet_length(fingerprint) = 32),
    epoch       BIGINT,
    is_new      BOOLEAN NOT NULL DEFAULT false,
    expires_at  BIGINT  NOT NULL,
    PRIMARY KEY (phone, key)
);
CREATE INDEX sign_in_keys_by_age ON sign_in_keys (expires_at);

-- The one outstanding code of a phone and purpose.
CREATE TABLE verification_codes (
    phone      BYTEA  NOT NULL CHECK (octet_length(phone) = 32),
    purpose    TEXT   NOT NULL,
    code       BYTEA  NOT NULL CHECK (octet_length(code) = 32),
    sent_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- The client's key of the request, forgotten if the code could not be sent.
    key        TEXT,
    PRIMARY KEY (phone, purpose)
);
CREATE INDEX verification_codes_by_age ON verification_codes (expires_at);

-- Events counted in a window that began with the first of them: codes sent, wrong codes.
CREATE TABLE send_budget (
    scope   TEXT    NOT NULL,
    subject BYTEA   NOT NULL CHECK (octet_length(subject) = 32),
    count   INTEGER NOT NULL CHECK (count >= 1),
    ends_at BIGINT  NOT NULL,
    PRIMARY KEY (scope, subject)
);
CREATE INDEX send_budget_by_age ON send_budget (ends_at);

-- What operators did to a customer.
CREATE TABLE audit_log (
    user_id BIGINT NOT NULL REFERENCES users (id),
    id      BIGINT NOT NULL CHECK (id >= 1),
    at      BIGINT NOT NULL,
    action  TEXT   NOT NULL,
    PRIMARY KEY (user_id, id)
);
