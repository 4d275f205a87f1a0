//! A ready-made [state machine](aper::StateMachine): a document like JSON that
//! people change at once, for applications that need no rules of their own,
//! and no Rust.
//!
//! A [`Document`] is an object of values by key. A [`Value`] is an object, a
//! list whose items have ids that stay, a counter that several people count at
//! once, or any plain JSON value. A [`Transition`] is a few [`Operation`]s that
//! all happen or none; each names a [`Path`], and is refused with a
//! [`Reason`] when it cannot happen. Two people who change two values meet
//! nowhere; of two who set one value, the later one has set it.
//!
//! ```
//! use aper::collections::ItemId;
//! use aper::{Context, StateMachine};
//! use aper_document::{Document, Operation, Path, Place, Reason, Transition, Value};
//!
//! let cx = Context::for_test();
//! let mut document = Document::default();
//! let mut change = |operation| document.apply(&Transition::from(operation), &cx);
//!
//! change(Operation::create(["todos"], Value::list([])?))?;
//! let todo = Value::object([("title", "buy milk".into()), ("done", false.into())]);
//! let id = ItemId::from_u128(1);
//! change(Operation::insert(["todos"], id, Place::Last, todo))?;
//!
//! // One moves the item while another changes it: both happen.
//! let todo = Path::from(["todos"]).then(id);
//! change(Operation::move_to(todo.clone(), Place::First))?;
//! change(Operation::set(todo.clone().then("done"), true))?;
//!
//! let refused = change(Operation::add(todo.then("title"), 1)).unwrap_err();
//! assert!(matches!(refused.reason, Reason::WrongKind { .. }));
//! assert_eq!(
//!     serde_json::to_string(&document)?,
//!     r#"{"todos":[{"id":"00000000-0000-0000-0000-000000000001","value":{"done":true,"title":"buy milk"}}]}"#
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Cost
//!
//! Objects and lists are persistent trees. *n* is how many values one of them
//! holds, and a path has at most [`DEPTH`](limits::DEPTH) steps:
//!
//! | | cost |
//! |---|---|
//! | clone of a document | O(1) |
//! | following a path, reading | O(log n) for each step |
//! | `Set`, `Create` | the same, and O(m) for a value in which *m* others are |
//! | `Remove`, `Add` | O(log n) for each step |
//! | `Insert`, `Move` | the same; in the middle of a list O(log² n) amortised |
//! | `Move` to another list | the same, and O(m) for an item in which *m* others are |
//! | `Test` | the same, and a comparison of the two values |
//! | memory that a clone and a change add | O(log n) for each step |
//!
//! A text and a plain array are wholes: a change costs as much as they are long.
//!
//! # What it does not do
//!
//! It does not merge texts letter by letter, it knows no rights (a document is
//! everybody's who may join its session), and it holds no secrets: every client
//! has all of it.
//!
//! # Features
//!
//! - `schema`: a JSON Schema that a server enforces. Never part of the browser's
//!   module.
//! - `typescript`: the types in TypeScript, for the build of the npm package.

mod apply;
mod conflict;
mod encoding;
mod inverse;
mod json;
pub mod limits;
mod node;
mod number;
mod path;
#[cfg(feature = "schema")]
mod schema;
mod transition;
#[cfg(feature = "typescript")]
mod typescript;
mod value;

use std::fmt;

use aper::{Context, StateMachine, WithPresence};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use conflict::{Conflict, Kind, Reason};
pub use json::Json;
pub use number::{InvalidNumber, Number};
pub use path::{Path, Step};
#[cfg(feature = "schema")]
pub use schema::{InvalidSchema, Schema};
pub use transition::{Operation, Place, Transition};
pub use value::Value;

use encoding::Plain;
use node::{Node, Object};

/// The machine: values by key, at first none.
///
/// As JSON and in JavaScript it is what it looks like: an object of objects,
/// arrays of `{ id, value }` for lists, and numbers for counters. From that
/// nobody can tell a list from an array, or a counter from a number, so a
/// document is written as JSON, but not read from it.
///
/// ```
/// use aper::{Context, StateMachine};
/// use aper_document::{Document, Operation, Reason, Transition};
///
/// let mut document = Document::default();
/// let remove = Transition::from(Operation::remove(["a", "b", "c"]));
/// let conflict = document.apply(&remove, &Context::for_test()).unwrap_err();
/// assert_eq!(conflict.reason, Reason::Missing);
/// assert_eq!(conflict.to_string(), "at a: there is nothing");
/// ```
#[derive(Clone, PartialEq)]
pub struct Document {
    root: Value,
}

/// A document is an object; this value is none.
/// ```
/// use aper_document::{Document, Kind, NoObject, Value};
///
/// let number = Document::try_from(Value::from(7));
/// assert_eq!(number.err(), Some(NoObject { found: Kind::Number }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a document is an object, not of kind {found}")]
pub struct NoObject {
    /// Of which kind it is.
    pub found: Kind,
}

impl Document {
    /// The object that the document is.
    ///
    /// ```
    /// use aper_document::{Document, Value};
    ///
    /// let list = Value::object([("title", "groceries".into()), ("open", true.into())]);
    /// let document = Document::try_from(list)?; // what a session begins with
    /// let keys: Vec<&str> = document.root().entries().into_iter().flatten().map(|it| it.0).collect();
    /// assert_eq!(keys, ["open", "title"]);
    /// assert_eq!(document.get(["title"]), Some(&"groceries".into()));
    /// assert_eq!(document.get(["title", "length"]), None, "a text is a whole");
    /// # Ok::<(), aper_document::NoObject>(())
    /// ```
    #[must_use]
    pub fn root(&self) -> &Value {
        &self.root
    }

    /// What is at a path. Cost: O(log n) for each step.
    #[must_use]
    pub fn get(&self, path: impl Into<Path>) -> Option<&Value> {
        let path = path.into();
        path.steps().iter().try_fold(&self.root, |value, step| value.step(step).ok())
    }
}

impl StateMachine for Document {
    const NAME: &'static str = "document";
    const ATOMIC: bool = true;
    type Transition = Transition;
    type Conflict = Conflict;

    fn apply(&mut self, transition: &Transition, cx: &Context) -> Result<(), Conflict> {
        let mut root = self.root.clone();
        apply::apply(&mut root, transition, cx)?;
        self.root = root;
        Ok(())
    }

    /// Transitions that set the values at the same paths.
    fn merge(earlier: &Transition, later: &Transition) -> Option<Transition> {
        inverse::merge(earlier, later)
    }

    /// All operations of a transition are taken back by one transition.
    fn inverse(&self, transition: &Transition) -> Vec<Transition> {
        inverse::inverse(&self.root, transition)
    }
}

/// Clients show each other any JSON value: a cursor, a selection, a name.
impl WithPresence for Document {
    type Presence = Json;
}

impl Default for Document {
    fn default() -> Self {
        Self { root: Value(Node::Object(Object::new())) }
    }
}

/// An initial state. Mind the [`limits`], which are not checked here.
impl TryFrom<Value> for Document {
    type Error = NoObject;

    fn try_from(root: Value) -> Result<Self, NoObject> {
        match root.kind() {
            Kind::Object => Ok(Self { root }),
            found => Err(NoObject { found }),
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return Plain(&self.root).serialize(serializer);
        }
        self.root.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = "a document cannot be read from JSON, which does not tell a list from an \
                        array; read a `Value` and make a document of that";
            return Err(D::Error::custom(text));
        }
        let root = Value::deserialize(deserializer)?;
        Self::try_from(root).map_err(D::Error::custom)
    }
}
