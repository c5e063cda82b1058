-- An account that was moved to another phone can be given back.

-- Until then the former phone can stop the last change of phone.
ALTER TABLE users ADD COLUMN phone_held_until INTEGER;
-- When the former phone stopped it; an operator has to decide.
ALTER TABLE users ADD COLUMN frozen_at INTEGER;
-- The former phone, kept in the clear only while an operator may have to give it back.
ALTER TABLE users ADD COLUMN frozen_phone TEXT CHECK ((frozen_at IS NULL) = (frozen_phone IS NULL));

-- The phones that accounts had before: as keyed hashes, to be looked up, and masked, to be shown.
CREATE TABLE former_phones (
    phone      BLOB    NOT NULL CHECK (length(phone) = 32),
    user_id    INTEGER NOT NULL REFERENCES users (id),
    masked     TEXT    NOT NULL,
    left_at    INTEGER NOT NULL,
    -- Until then the phone makes no new customer.
    kept_until INTEGER NOT NULL,
    PRIMARY KEY (phone, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX former_phones_by_user ON former_phones (user_id, left_at);
