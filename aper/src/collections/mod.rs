//! Ready-made state machines, to use alone, inside a machine of your own, or
//! as the fields of one that `#[derive(StateMachine)]` makes.
//!
//! | collection | holds | transitions | refuses, by |
//! |---|---|---|---|
//! | [`Atom<T>`] | one value | `Set` | never |
//! | [`Constant<T>`] | one value, for ever | none | never |
//! | [`Register<T>`] | one value, who wrote it and when | `Set` | never |
//! | [`Counter`] | a number that many people count at once | `Add`, `Set` | [`CounterConflict`] |
//! | [`List<T>`] | machines in an order, each with an [`ItemId`] | `Insert`, `Move`, `Remove`, `Apply` | [`ListConflict`] |
//! | [`Map<K, V>`] | machines by key, in the order of the keys | `Insert`, `Remove`, `Apply` | [`MapConflict`] |
//! | [`Set<T>`] | values, each once, in their order | `Insert`, `Remove` | never |
//! | [`Grid<T>`] | values in rows and columns, of a size that stays | `Set`, `Fill` | [`GridConflict`] |
//!
//! [`Atom`], [`Constant`], [`Register`], [`Set`] and [`Grid`] hold plain
//! [`Value`]s, which are replaced as a whole. [`List`] and [`Map`] hold
//! machines, so that two people can change two parts of one item without
//! either losing a change: a card is a machine, a list of cards is a
//! `List<Card>`, and where there is nothing to be finer about, an item is an
//! [`Atom`].
//!
//! # What they have in common
//!
//! **They are atomic.** Each checks first and changes then, and none panics,
//! so each is [`ATOMIC`](crate::StateMachine::ATOMIC) (a [`List`] and a
//! [`Map`]: when what they hold is).
//!
//! **Clones share structure.** Collections of many values are persistent
//! trees. A clone costs the same whether there are ten values or a million;
//! a change to a collection that has been cloned copies the O(log *n*) nodes
//! on its way and shares the rest. *n* is the number of values:
//!
//! | | clone | read one | change one | read all | memory that a clone and a change add |
//! |---|---|---|---|---|---|
//! | [`Atom`], [`Constant`], [`Register`] | as `T` | O(1) | as `T` | | as `T` |
//! | [`Counter`] | O(1) | O(1) | O(1) | | O(1) |
//! | [`List`] | O(1) | O(log n) | O(log n); `Insert` and `Move` O(log² n) amortised | O(n) | O(log n) |
//! | [`Map`], [`Set`] | O(1) | O(log n) | O(log n) | O(n) | O(log n) |
//! | [`Grid`] | O(1) | O(log n) | O(log n); `Fill` O(n) | O(n) | O(log n) |
//!
//! To that comes what the values themselves cost. A [`Set`], a [`Grid`] and
//! the keys of a [`Map`] copy up to some dozens of neighbours of a value that
//! changes, so long texts are better kept in an `Arc<str>` than in a `String`.
//! The items of a [`List`], and the values of a [`Map`] that own anything or are
//! not small, are never copied for a neighbour's sake.
//!
//! **What does not show does not decide.** Two equal collections behave
//! equally, whatever happened to them before, also when one has been through
//! an encoding. Nothing that is encoded grows with use.
//!
//! # What they leave to you
//!
//! [`List`] and [`Map`] forward [`predict`](crate::StateMachine::predict) to
//! the item that a transition is for, but neither
//! [`scheduled`](crate::StateMachine::scheduled) nor
//! [`on_client`](crate::StateMachine::on_client): to find the earliest timer,
//! every item would be asked after every transition, and that is O(n) also
//! where no item has one. A machine whose items have timers implements
//! `scheduled` itself and knows best where to look.
//!
//! A machine that contains more of itself (a folder in a list of folders) has
//! transitions and conflicts that contain themselves, so its own transition
//! and conflict hold those of the list in a `Box`.
//!
//! # In JavaScript
//!
//! An encoding for people and for JavaScript has the shape that a reader
//! expects, and a compact one spends no byte on it:
//!
//! | collection | JSON, JavaScript |
//! |---|---|
//! | [`Atom<T>`], [`Constant<T>`] | `T` |
//! | [`Register<T>`] | `{ value: T, author: number, at: number }` |
//! | [`Counter`] | `number` |
//! | [`List<T>`] | `Array<{ id: string, value: T }>` |
//! | [`Map<K, V>`] | `Array<[K, V]>` in the order of the keys, so `new Map(it)` works |
//! | [`Set<T>`] | `Array<T>` in the order of the values |
//! | [`Grid<T>`] | `{ width: number, height: number, cells: Array<T> }` row by row |

use std::fmt::Debug;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::state_machine::StateMachine;

mod atom;
mod constant;
mod counter;
mod grid;
mod list;
mod map;
mod register;
mod set;
#[cfg(test)]
mod testing;
#[cfg(feature = "typescript")]
mod typescript;

pub use atom::{Atom, AtomTransition};
pub use constant::{Constant, ConstantTransition};
pub use counter::{Counter, CounterConflict, CounterTransition, InvalidCounter};
pub use grid::{Grid, GridConflict, GridTransition, InvalidGrid};
pub use list::{InvalidItemId, ItemId, List, ListConflict, ListTransition, Place, RepeatedItem};
pub use map::{Map, MapConflict, MapTransition};
pub use register::{Register, RegisterTransition};
pub use set::{Set, SetTransition};

/// Plain data, as the collections hold it: every type with these traits is a
/// value, and there is nothing to implement.
///
/// ```
/// use aper::collections::{Atom, Value};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, Serialize, Deserialize)]
/// struct Card { suit: char, rank: u8 }
///
/// fn face_down<T: Value>(value: T) -> Atom<Option<T>> {
///     Atom::new(Some(value))
/// }
/// let card = face_down(Card { suit: '♠', rank: 1 });
/// assert!(card.get().is_some());
/// ```
pub trait Value: Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static> Value for T {}

/// Makes a transition happen to one part of a collection. A part that is not
/// atomic by itself gets a clone to spoil; one that is, is spared it.
fn apply_to_part<T: StateMachine>(
    part: &mut Arc<T>,
    transition: &T::Transition,
    cx: &Context,
) -> Result<(), T::Conflict> {
    if T::ATOMIC {
        return Arc::make_mut(part).apply(transition, cx);
    }
    let mut next = T::clone(part);
    next.apply(transition, cx)?;
    *part = Arc::new(next);
    Ok(())
}
