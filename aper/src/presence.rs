//! What a client shows of itself while it is here: a cursor, a selection, a
//! name, that somebody is typing.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::state_machine::StateMachine;

/// A state machine whose clients show each other something that is no part of
/// the state: the latest value counts, and it is gone when its client goes. It
/// is in no journal and has no history, and a value may be skipped, never the
/// last one.
///
/// A machine without this has nothing to write. One that
/// `#[derive(StateMachine)]` makes says it by `#[machine(presence = Cursor)]`.
///
/// ```
/// use aper::collections::{Counter, Map};
/// use aper::{StateMachine, WithPresence};
/// use serde::{Deserialize, Serialize};
///
/// /// Where somebody points to.
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// struct Cursor {
///     name: String,
///     at: (i32, i32),
/// }
///
/// #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, StateMachine)]
/// #[machine(presence = Cursor)]
/// struct Votes {
///     by_candidate: Map<String, Counter>,
/// }
///
/// fn show<S: WithPresence>(_cursor: S::Presence) {}
/// show::<Votes>(Cursor { name: "Ada".to_owned(), at: (3, 4) });
/// ```
///
/// The server does not read it, so a value is what its client says: it is for
/// whoever draws it not to trust it further. It costs each of the others at
/// most one value every [`PRESENCE_INTERVAL`](crate::limits::PRESENCE_INTERVAL),
/// however often it changes.
pub trait WithPresence: StateMachine {
    /// What a client shows. Encoded as transitions are, and at most
    /// [`PRESENCE_BYTES`](crate::limits::PRESENCE_BYTES) long. Another encoding
    /// needs another [`SCHEMA`](StateMachine::SCHEMA).
    type Presence: Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static;
}
