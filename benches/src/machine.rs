//! The machine that everything here is measured with: numbers by number.

use aper::collections::{Atom, Map, MapTransition};

/// What the sessions hold: small, so that the cost of the rest shows.
pub type Table = Map<u64, Atom<u64>>;

/// What happens to it.
pub type Change = MapTransition<u64, Atom<u64>>;

/// A table with `entries` keys: `0`, `3`, `6` and so on, with values of up to
/// 16 bits.
#[must_use]
pub fn table(entries: u64) -> Table {
    (0..entries).map(|n| (n * 3, Atom::new(n * 7 % 65_536))).collect()
}

/// The `n`-th change of a table: sets one of `keys` keys.
#[must_use]
pub fn change(n: u64, keys: u64) -> Change {
    // A prime far from a power of two: neighbours in time are none in the tree.
    let key = n.wrapping_mul(7_919) % keys.max(1) * 3;
    Table::insert(key, Atom::new(n % 65_536))
}
