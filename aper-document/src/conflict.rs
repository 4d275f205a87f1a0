//! [`Conflict`]: why a transition is refused.

use aper::collections::ItemId;
use serde::{Deserialize, Serialize};

use crate::path::Path;

/// Why a transition was refused. Nothing of it has happened.
///
/// ```
/// use aper::{Context, StateMachine};
/// use aper_document::{Conflict, Document, Operation, Path, Reason, Transition};
///
/// let mut document = Document::default();
/// let both = Transition::from([
///     Operation::set(["title"], "groceries"),
///     Operation::remove(["todos"]),
/// ]);
/// let refused = document.apply(&both, &Context::for_test());
/// let path = Path::from(["todos"]);
/// assert_eq!(refused, Err(Conflict { operation: 1, path, reason: Reason::Missing }));
/// assert_eq!(document.get(["title"]), None, "the first has not happened either");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[error("at {path}: {reason}")]
pub struct Conflict {
    /// Which operation of the transition, counted from 0.
    pub operation: u32,
    /// Where: the operation's path, or the part of it from which on there is
    /// nothing.
    pub path: Path,
    /// Why.
    pub reason: Reason,
}

/// Why an operation is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// There is nothing at the path: there never was, or it has gone.
    #[error("there is nothing")]
    Missing,
    /// There is something at the path already.
    #[error("there is something already")]
    Exists,
    /// What is at the path is of another kind.
    #[error("this is of kind {found}, not {expected}")]
    WrongKind {
        /// The kind that it is of.
        found: Kind,
        /// The kind that the operation is for.
        expected: Kind,
    },
    /// The list has an item with this id already.
    #[error("there is an item {id} already")]
    Repeated {
        /// The id.
        id: ItemId,
    },
    /// The item that the place is before or after is not in the list.
    #[error("there is no item {id} to be before or after")]
    NoNeighbour {
        /// That item.
        id: ItemId,
    },
    /// The counter would leave its range, ±(2⁵³ − 1).
    #[error("the counter is at {value}, and the change would take it out of its range")]
    OutOfRange {
        /// The value, which stays.
        #[cfg_attr(feature = "typescript", ts(type = "number"))]
        value: i64,
    },
    /// What is there is not what a test expects.
    #[error("this has changed")]
    Changed,
    /// An item cannot go into itself.
    #[error("an item cannot be moved into itself")]
    IntoItself,
    /// The document itself cannot be removed or moved.
    #[error("this is the document itself")]
    Root,
    /// The value would lie deeper than [`DEPTH`](crate::limits::DEPTH).
    #[error("a document is at most {max} steps deep")]
    TooDeep {
        /// The bound.
        max: u32,
    },
    /// The document would be bigger than
    /// [`DOCUMENT_BYTES`](crate::limits::DOCUMENT_BYTES).
    #[error("a document has at most {max} bytes")]
    TooBig {
        /// The bound.
        #[cfg_attr(feature = "typescript", ts(type = "number"))]
        max: u64,
    },
    /// A text is longer than [`TEXT_BYTES`](crate::limits::TEXT_BYTES).
    #[error("a text has at most {max} bytes")]
    TextTooLong {
        /// The bound.
        max: u32,
    },
    /// A key is longer than [`KEY_BYTES`](crate::limits::KEY_BYTES).
    #[error("a key has at most {max} bytes")]
    KeyTooLong {
        /// The bound.
        max: u32,
    },
    /// There are more operations than [`OPERATIONS`](crate::limits::OPERATIONS).
    #[error("a transition has at most {max} operations")]
    TooManyOperations {
        /// The bound.
        max: u32,
    },
    /// The schema that the server enforces does not allow it. Only a server
    /// says so.
    #[error("the schema does not allow it: {text}")]
    Schema {
        /// What it does not allow, in words.
        text: String,
    },
}

/// What there may be at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A text, which is replaced as a whole.
    Text,
    /// A plain array, which is replaced as a whole.
    Array,
    /// Values by key.
    Object,
    /// Values in an order, each with an id.
    List,
    /// A number that several people count at once.
    Counter,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::Text => "text",
            Self::Array => "array",
            Self::Object => "object",
            Self::List => "list",
            Self::Counter => "counter",
        })
    }
}
