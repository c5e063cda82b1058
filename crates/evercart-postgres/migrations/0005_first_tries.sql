-- From where the first try of a code is compared although too many codes were wrong: the keyed hash
-- of the address it was asked from, or of the phone if its customer asked for it, for anywhere. NULL
-- once it has been tried.
ALTER TABLE verification_codes ADD COLUMN first_try_from BYTEA;
