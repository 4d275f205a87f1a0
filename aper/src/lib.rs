//! Placeholder.

pub mod collections;
mod id;
pub mod journal;
pub mod limits;
mod state_machine;
pub mod sync;
pub mod testing;
pub mod protocol;
mod time;

#[cfg(feature = "derive")]
pub use aper_derive::StateMachine;
pub use id::{
    ClientId, ClientSeq, Epoch, HistoryId, Identity, InvalidIdentity, InvalidSessionId, ResumeKey,
    SessionId, UserId, Version,
};
pub use state_machine::{
    Chance, ClientEvent, Context, ContextRng, NeverConflict, Prediction, Scheduled, StateMachine,
};
pub use time::{LocalTime, Timestamp};

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
