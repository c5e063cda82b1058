-- An account that was moved to another phone can be given back.

-- Until then the former phone can stop the last change of phone.
ALTER TABLE users ADD COLUMN phone_held_until BIGINT;
-- When the former phone stopped it; an operator has to decide.
ALTER TABLE users ADD COLUMN frozen_at BIGINT;
-- The former phone, kept in the clear only while an operator may have to give it back.
ALTER TABLE users ADD COLUMN frozen_phone TEXT;
ALTER TABLE users ADD CONSTRAINT frozen_has_its_phone CHECK ((frozen_at IS NULL) = (frozen_phone IS NULL));

-- The phones that accounts had before: as keyed hashes, to be looked up, and masked, to be shown.
-- No foreign key: on a cluster a phone lies elsewhere than its user. Users are never deleted.
CREATE TABLE former_phones (
    phone      BYTEA  NOT NULL CHECK (length(phone) = 32),
    user_id    BIGINT NOT NULL,
    masked     TEXT   NOT NULL,
    left_at    BIGINT NOT NULL,
    -- Until then the phone makes no new customer.
    kept_until BIGINT NOT NULL,
    PRIMARY KEY (phone, user_id)
);
CREATE INDEX former_phones_by_user ON former_phones (user_id, left_at);
