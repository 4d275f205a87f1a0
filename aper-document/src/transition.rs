//! [`Transition`]: what can happen to a document.

use aper::collections::{self, ItemId};
use serde::{Deserialize, Serialize};

use crate::path::Path;
use crate::value::Value;

/// Operations that happen in their order, all of them or none: what a user
/// means is one transition, however many operations it takes.
///
/// ```
/// use aper::{Context, StateMachine};
/// use aper_document::{Document, Operation, Transition, Value};
///
/// let cx = Context::for_test();
/// let mut account = Document::default();
/// account.apply(&Operation::create(["stars"], Value::counter(3).unwrap()).into(), &cx)?;
///
/// // Spend two, on one condition: nobody has bought it meanwhile.
/// let buy = Transition::from([
///     Operation::test_absent(["owner"]),
///     Operation::add(["stars"], -2),
///     Operation::set(["owner"], "Ada"),
/// ]);
/// account.apply(&buy, &cx)?;
/// assert!(account.apply(&buy, &cx).is_err(), "once is enough");
/// assert_eq!(account.get(["stars"]).and_then(Value::as_counter), Some(1));
/// # Ok::<(), aper_document::Conflict>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Transition(pub Vec<Operation>);

/// One change of a document. Its parts may be written out, or it is made by
/// the function of its name.
///
/// ```
/// use aper::collections::ItemId;
/// use aper::{Context, StateMachine};
/// use aper_document::{Document, Operation, Path, Place, Transition, Value};
///
/// let [card, other] = [1, 2].map(ItemId::from_u128);
/// let cards = Value::list([(card, "buy milk".into()), (other, "call Ada".into())])?;
/// let board = Value::object([("doing", cards), ("done", Value::list([])?)]);
/// let mut board = Document::try_from(board)?;
///
/// let doing = Path::from(["doing"]);
/// let finish = Transition::from([
///     // Only what I have seen: somebody may have changed the card, or closed the board.
///     Operation::test(doing.clone().then(card), "buy milk"),
///     Operation::test_absent(["closed"]),
///     Operation::move_into(doing.clone().then(card), ["done"], Place::Last),
/// ]);
/// board.apply(&finish, &Context::for_test())?;
/// board.apply(&Operation::remove(doing.then(other)).into(), &Context::for_test())?;
/// assert_eq!(board.get(["done"]).and_then(|done| done.get(card)), Some(&"buy milk".into()));
/// assert_eq!(finish.0[2].path().to_string(), format!("doing/{card}"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// This is the value at the path now. The last step may be a new key of an
    /// object, or an item that a list has.
    Set {
        /// Where.
        path: Path,
        /// What.
        value: Value,
    },
    /// This is the value of a new key of an object.
    Create {
        /// Where; nothing may be there.
        path: Path,
        /// What.
        value: Value,
    },
    /// A key of an object, or an item of a list, goes.
    Remove {
        /// Which.
        path: Path,
    },
    /// A new item of a list.
    Insert {
        /// Of which list.
        path: Path,
        /// Its id, which no item of the list may have: draw it at random.
        id: ItemId,
        /// Where in the list.
        place: Place,
        /// The item.
        value: Value,
    },
    /// An item goes to another place of its list, or to another list. Who
    /// changes it by its old path at the same time is refused if it has gone
    /// to another list.
    Move {
        /// Which item.
        path: Path,
        /// To which list; its own, if none is named.
        into: Option<Path>,
        /// Where in that list. Before or after itself is where it is.
        place: Place,
    },
    /// So much more on a counter, or less if it is negative.
    Add {
        /// Which counter.
        path: Path,
        /// How much.
        #[cfg_attr(feature = "typescript", ts(type = "number"))]
        amount: i64,
    },
    /// Changes nothing, and is refused unless this is what is there. Before
    /// other operations it is a condition for them: nobody overwrites what
    /// they have not seen.
    Test {
        /// Where.
        path: Path,
        /// What has to be there; none if nothing may be.
        value: Option<Value>,
    },
}

/// Where in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// Before all other items.
    First,
    /// After all other items.
    #[default]
    Last,
    /// Right before this item.
    Before(ItemId),
    /// Right after this item.
    After(ItemId),
}

impl Operation {
    /// An [`Operation::Set`].
    pub fn set(path: impl Into<Path>, value: impl Into<Value>) -> Self {
        Self::Set { path: path.into(), value: value.into() }
    }

    /// An [`Operation::Create`].
    pub fn create(path: impl Into<Path>, value: impl Into<Value>) -> Self {
        Self::Create { path: path.into(), value: value.into() }
    }

    /// An [`Operation::Remove`].
    pub fn remove(path: impl Into<Path>) -> Self {
        Self::Remove { path: path.into() }
    }

    /// An [`Operation::Insert`].
    pub fn insert(
        path: impl Into<Path>,
        id: ItemId,
        place: Place,
        value: impl Into<Value>,
    ) -> Self {
        Self::Insert { path: path.into(), id, place, value: value.into() }
    }

    /// An [`Operation::Move`] within the item's list.
    pub fn move_to(path: impl Into<Path>, place: Place) -> Self {
        Self::Move { path: path.into(), into: None, place }
    }

    /// An [`Operation::Move`] to another list.
    pub fn move_into(path: impl Into<Path>, into: impl Into<Path>, place: Place) -> Self {
        Self::Move { path: path.into(), into: Some(into.into()), place }
    }

    /// An [`Operation::Add`].
    pub fn add(path: impl Into<Path>, amount: i64) -> Self {
        Self::Add { path: path.into(), amount }
    }

    /// An [`Operation::Test`] that this is there.
    pub fn test(path: impl Into<Path>, value: impl Into<Value>) -> Self {
        Self::Test { path: path.into(), value: Some(value.into()) }
    }

    /// An [`Operation::Test`] that nothing is there.
    pub fn test_absent(path: impl Into<Path>) -> Self {
        Self::Test { path: path.into(), value: None }
    }

    /// Where it happens.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Set { path, .. }
            | Self::Create { path, .. }
            | Self::Remove { path }
            | Self::Insert { path, .. }
            | Self::Move { path, .. }
            | Self::Add { path, .. }
            | Self::Test { path, .. } => path,
        }
    }
}

impl From<Operation> for Transition {
    fn from(operation: Operation) -> Self {
        Self(vec![operation])
    }
}

impl<const N: usize> From<[Operation; N]> for Transition {
    fn from(operations: [Operation; N]) -> Self {
        Self(operations.into())
    }
}

impl From<Place> for collections::Place {
    fn from(place: Place) -> Self {
        match place {
            Place::First => Self::First,
            Place::Last => Self::Last,
            Place::Before(id) => Self::Before(id),
            Place::After(id) => Self::After(id),
        }
    }
}
