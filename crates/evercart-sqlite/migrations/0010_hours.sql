-- The hour in which a customer's changes are counted: when it began, and how many there were or, for those of the cart,
-- at which version. Nothing where none was counted yet. The first change after an hour is over begins another.
ALTER TABLE users ADD COLUMN hour_began INTEGER;
ALTER TABLE users ADD COLUMN hour_changes INTEGER;
ALTER TABLE carts ADD COLUMN hour_began INTEGER;
ALTER TABLE carts ADD COLUMN hour_version INTEGER;
