-- The names of the keys that the server verifies tokens with, the one that signs first, a space between: servers that
-- share the store see by them when one has another key file.
ALTER TABLE awake ADD COLUMN keys TEXT;
