//! One type for each kind of id, so that a product's id can never stand where a SKU's is meant.

/// The largest id that survives a trip through a JavaScript number (2^53 - 1, RFC 8259 section 6).
pub const ID_MAX: i64 = 9_007_199_254_740_991;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A customer of one market. Never reused, never changed: everything a customer has hangs on
    /// it.
    UserId
);
id!(
    /// A line of a cart, counted per cart from 1; a removed line's id is not given out again.
    LineId
);
id!(
    /// What can be bought: one size and colour of a product.
    SkuId
);
id!(
    /// What is shown: a product with its SKUs.
    ProductId
);
id!(
    /// An order. It is also the number people see (`#1001`), counted from 1001 in each market.
    OrderId
);
id!(
    /// An address, counted per customer from 1.
    AddressId
);
id!(
    /// An entry of a wishlist, counted per customer from 1.
    WishId
);
