//! What of a state is another than it was: [`Diff`], which is told so part by
//! part.
//!
//! Whoever shows a state has shown the one before it. A [`StateMachine`] says
//! what is another by [`diff`](crate::StateMachine::diff), so that nothing else
//! need be looked at, made again or drawn again. The collections do so at the
//! cost of what changed, because what they share with an earlier state lies at
//! the same place in memory, and what lies at one place cannot be two values.
//!
//! What is told is about the shape that a state has for people and for
//! JavaScript, by the names that serde gives it. It is no part of the protocol,
//! and need not be the least: a part that is told again without being another
//! is a cost, not a mistake. A part that is another and is not told is one.
//!
//! [`StateMachine`]: crate::StateMachine

mod chunks;
mod fields;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use chunks::diff_chunks;
pub(crate) use chunks::splice_chunks;
pub use fields::{PartAt, diff_parts};

/// Is told what of a value is another than in an earlier one: what
/// [`StateMachine::diff`](crate::StateMachine::diff) speaks to. The browser's
/// client has one that writes it down for JavaScript; an application writes its
/// own only to show states in another way.
///
/// It is told of one value at a time. About a value the methods say one of these
/// things, or nothing, if it is the same:
///
/// - it is [`replace`](Self::replace)d, as a whole;
/// - some [`field`](Self::field)s of it, in any order, are others inside;
/// - it is a sequence of what has a key, and these are gone
///   ([`removed`](Self::removed)), new or elsewhere ([`after`](Self::after),
///   [`placed`](Self::placed)), or others inside ([`changed`](Self::changed)), in
///   this order;
/// - it is a sequence by index, of which stretches are replaced
///   ([`splice`](Self::splice)).
///
/// ```
/// use aper::diff::{Diff, Keyed};
/// use aper::collections::{Counter, Map};
/// use aper::{Context, StateMachine};
/// use serde::Serialize;
///
/// /// Counts what is told.
/// #[derive(Default)]
/// struct Count { changed: u32, other: u32 }
///
/// impl Diff for Count {
///     type Error = serde_json::Error;
///
///     fn is_same<T: Serialize + ?Sized>(&mut self, one: &T, other: &T) -> serde_json::Result<bool> {
///         Ok(serde_json::to_value(one)? == serde_json::to_value(other)?)
///     }
///     fn replace<T: Serialize + ?Sized>(&mut self, _: &T) -> serde_json::Result<()> {
///         Ok(self.other += 1)
///     }
///     fn field(
///         &mut self,
///         _: &'static str,
///         inside: impl FnOnce(&mut Self) -> serde_json::Result<()>,
///     ) -> serde_json::Result<()> {
///         inside(self)
///     }
///     fn removed<K: Serialize>(&mut self, _: Keyed, _: &K) -> serde_json::Result<()> {
///         Ok(self.other += 1)
///     }
///     fn after<K: Serialize>(&mut self, _: Keyed, _: Option<&K>) -> serde_json::Result<()> {
///         Ok(self.other += 1)
///     }
///     fn placed<K: Serialize>(
///         &mut self,
///         _: Keyed,
///         _: &K,
///         inside: impl FnOnce(&mut Self) -> serde_json::Result<()>,
///     ) -> serde_json::Result<()> {
///         inside(self)
///     }
///     fn changed<K: Serialize>(
///         &mut self,
///         _: Keyed,
///         _: &K,
///         _: impl FnOnce(&mut Self) -> serde_json::Result<()>,
///     ) -> serde_json::Result<()> {
///         Ok(self.changed += 1)
///     }
///     fn splice<T: Serialize>(&mut self, _: usize, _: usize, _: &[T]) -> serde_json::Result<()> {
///         Ok(self.other += 1)
///     }
/// }
///
/// let earlier: Map<u32, Counter> = (0..1000).map(|key| (key, Counter::default())).collect();
/// let mut later = earlier.clone();
/// later.apply(&Map::apply_to(7, Counter::add(1)), &Context::for_test()).unwrap();
/// let mut count = Count::default();
/// later.diff(&earlier, &mut count)?;
/// // Of small values in a map some neighbours may be told, and are the same inside.
/// assert!((1..100).contains(&count.changed) && count.other == 0);
///
/// count.value(&7, &7)?;
/// assert_eq!(count.other, 0);
/// count.whole(&8, &7)?;
/// assert_eq!(count.other, 1, "it is replaced");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait Diff {
    /// Why something cannot be told.
    type Error;

    /// Whether both look the same to whom this tells. Cost: a pass over both.
    ///
    /// # Errors
    ///
    /// When one of them cannot be shown.
    fn is_same<T: Serialize + ?Sized>(&mut self, one: &T, other: &T) -> Result<bool, Self::Error>;

    /// The value is this now.
    ///
    /// # Errors
    ///
    /// When it cannot be shown.
    fn replace<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Self::Error>;

    /// The value is this now, and was that: it is [`replace`](Self::replace)d
    /// unless [they are the same](Self::is_same).
    ///
    /// # Errors
    ///
    /// When it cannot be shown.
    fn value<T: Serialize + ?Sized>(&mut self, value: &T, earlier: &T) -> Result<(), Self::Error> {
        if self.is_same(value, earlier)? { Ok(()) } else { self.replace(value) }
    }

    /// As [`value`](Self::value), of a machine that never tells parts of itself:
    /// whoever keeps earlier states for a comparison need not keep those.
    ///
    /// # Errors
    ///
    /// When it cannot be shown.
    fn whole<T: Serialize + ?Sized>(&mut self, value: &T, earlier: &T) -> Result<(), Self::Error> {
        self.value(value, earlier)
    }

    /// The value is an object; `inside` tells of its field of this name.
    ///
    /// # Errors
    ///
    /// When it cannot be shown.
    fn field(
        &mut self,
        name: &'static str,
        inside: impl FnOnce(&mut Self) -> Result<(), Self::Error>,
    ) -> Result<(), Self::Error>;

    /// What had this key is not there any more, or is [`placed`](Self::placed)
    /// elsewhere.
    ///
    /// # Errors
    ///
    /// When it cannot be shown.
    fn removed<K: Serialize>(&mut self, keyed: Keyed, key: &K) -> Result<(), Self::Error>;

    /// What is [`placed`](Self::placed) next comes right after that of this key,
    /// which was there before and stays where it is; without one, before all. The
    /// places are told in their order.
    ///
    /// # Errors
    ///
    /// When it cannot be shown.
    fn after<K: Serialize>(&mut self, keyed: Keyed, key: Option<&K>) -> Result<(), Self::Error>;

    /// This comes next. If something of this key was removed from elsewhere,
    /// `inside` tells what of it is another, and otherwise
    /// [what it is](Self::replace).
    ///
    /// # Errors
    ///
    /// When it cannot be shown.
    fn placed<K: Serialize>(
        &mut self,
        keyed: Keyed,
        key: &K,
        inside: impl FnOnce(&mut Self) -> Result<(), Self::Error>,
    ) -> Result<(), Self::Error>;

    /// What has this key stays where it is; `inside` tells of it.
    ///
    /// # Errors
    ///
    /// When it cannot be shown.
    fn changed<K: Serialize>(
        &mut self,
        keyed: Keyed,
        key: &K,
        inside: impl FnOnce(&mut Self) -> Result<(), Self::Error>,
    ) -> Result<(), Self::Error>;

    /// So many elements from this index on are these now. Indexes are those of
    /// the earlier sequence, each greater than the end of the one before.
    ///
    /// # Errors
    ///
    /// When it cannot be shown.
    fn splice<T: Serialize>(
        &mut self,
        index: usize,
        removed: usize,
        elements: &[T],
    ) -> Result<(), Self::Error>;
}

/// In what way a sequence has keys: where the key of an element is, and where
/// what `inside` tells of.
///
/// ```
/// use aper::diff::Keyed;
///
/// fn element(keyed: Keyed) -> &'static str {
///     match keyed {
///         Keyed::Items => "{ id: key, value: … }",
///         Keyed::Entries => "[key, …]",
///         Keyed::Values => "key",
///     }
/// }
/// assert_eq!(element(Keyed::Entries), "[key, …]");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyed {
    /// `{ id, value }`, as of a [`List`](crate::collections::List).
    Items,
    /// `[key, value]`, as of a [`Map`](crate::collections::Map).
    Entries,
    /// The key alone, as of a [`Set`](crate::collections::Set).
    Values,
}
