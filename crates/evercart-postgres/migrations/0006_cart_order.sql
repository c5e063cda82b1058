-- Which order emptied the cart, and the version at which it left it: the order emptied the present cart as long as
-- that is the cart's version. Written by an order alone; what else changes the cart moves its version past it.
ALTER TABLE carts ADD COLUMN emptied_by BIGINT;
ALTER TABLE carts ADD COLUMN emptied_version BIGINT;
ALTER TABLE carts ADD CONSTRAINT carts_emptied_check CHECK ((emptied_version IS NULL) = (emptied_by IS NULL));
