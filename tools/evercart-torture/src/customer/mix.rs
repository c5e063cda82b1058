//! What devices do, how often: each scene makes another promise sweat.

use rand::RngExt;
use rand::rngs::StdRng;

/// Something a device does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Add,
    Set,
    Remove,
    Clear,
    Merge,
    Wish,
    Unwish,
    ClearWishes,
    Move,
    Checkout,
    Cancel,
    ReadCart,
    ReadWishes,
    ReadOrders,
    AddAddress,
    ChangeAddress,
    RemoveAddress,
    ReadAddresses,
    Export,
    WhoAmI,
    Logout,
    /// Signs out while adds are on their way, signs in and looks.
    LeaveAmidAdds,
    ChangePhone,
    /// With a token that may have ended.
    OldToken,
    /// An earlier intent again, under its key.
    Repeat,
}

use Act::*;

/// What all devices of a customer are up to for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scene {
    /// Everything
    Shopping,
    /// Quantities of one SKU
    Rush,
    /// Logging out while others go on
    Parting,
    /// Logging out while adds are on their way, and being back before they arrive
    Leaving,
    /// Checking out, more than once, calling off, and changing addresses
    Paying,
    /// Taking over visitors' carts, again and again
    Merging,
    /// Wishing and moving
    Wishing,
}

const SHOPPING: &[(Act, u32)] = &[
    (Add, 26),
    (Set, 10),
    (Remove, 5),
    (Clear, 1),
    (Merge, 5),
    (Wish, 6),
    (Unwish, 3),
    (ClearWishes, 1),
    (Move, 4),
    (Checkout, 4),
    (Cancel, 3),
    (ReadCart, 9),
    (ReadWishes, 3),
    (ReadOrders, 3),
    (AddAddress, 3),
    (ChangeAddress, 3),
    (RemoveAddress, 1),
    (ReadAddresses, 2),
    (Export, 2),
    (WhoAmI, 1),
    (Logout, 2),
    (ChangePhone, 1),
    (OldToken, 3),
    (Repeat, 8),
];
const RUSH: &[(Act, u32)] =
    &[(Add, 45), (Set, 30), (Remove, 3), (ReadCart, 8), (Repeat, 12), (Logout, 1), (Checkout, 1)];
const PARTING: &[(Act, u32)] = &[
    (Add, 38),
    (Set, 8),
    (ReadCart, 14),
    (Logout, 12),
    (OldToken, 14),
    (Wish, 4),
    (Checkout, 2),
    (Repeat, 6),
    (ChangePhone, 2),
    (LeaveAmidAdds, 8),
];
const LEAVING: &[(Act, u32)] =
    &[(LeaveAmidAdds, 60), (Add, 14), (ReadCart, 10), (OldToken, 8), (Clear, 4), (Checkout, 4)];
const PAYING: &[(Act, u32)] = &[
    (Add, 30),
    (Checkout, 20),
    (Cancel, 12),
    (ReadOrders, 6),
    (AddAddress, 4),
    (ChangeAddress, 6),
    (RemoveAddress, 3),
    (ReadAddresses, 5),
    (Export, 5),
    (ReadCart, 7),
    (Repeat, 16),
    (Clear, 2),
    (Logout, 2),
];
const MERGING: &[(Act, u32)] =
    &[(Merge, 42), (Add, 8), (ReadCart, 10), (Repeat, 30), (Clear, 5), (Set, 4), (Logout, 1)];
const WISHING: &[(Act, u32)] = &[
    (Wish, 30),
    (Unwish, 14),
    (Move, 20),
    (ClearWishes, 2),
    (ReadWishes, 12),
    (ReadCart, 4),
    (Repeat, 14),
    (Export, 3),
    (Logout, 1),
];

impl Scene {
    /// One of them; half of the time it is shopping.
    pub fn draw(rng: &mut StdRng) -> Self {
        match rng.random_range(0..12) {
            0 => Self::Rush,
            1 => Self::Parting,
            2 => Self::Paying,
            3 => Self::Merging,
            4 => Self::Wishing,
            5 => Self::Leaving,
            _ => Self::Shopping,
        }
    }

    /// What a device does next.
    pub(super) fn act(self, rng: &mut StdRng) -> Act {
        let acts = match self {
            Self::Shopping => SHOPPING,
            Self::Rush => RUSH,
            Self::Parting => PARTING,
            Self::Leaving => LEAVING,
            Self::Paying => PAYING,
            Self::Merging => MERGING,
            Self::Wishing => WISHING,
        };
        let mut left = rng.random_range(0..acts.iter().map(|(_, weight)| weight).sum());
        for (act, weight) in acts {
            match left.checked_sub(*weight) {
                Some(less) => left = less,
                None => return *act,
            }
        }
        acts[0].0
    }
}
