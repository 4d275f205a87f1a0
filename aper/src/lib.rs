//! Real-time shared state: an application writes its state as one state
//! machine, and every user sees the same state, at once and for ever.
//!
//! The machine is a Rust type, a `Transition` type that names everything that
//! can happen to it, a `Conflict` type that names every reason to refuse, and
//! one deterministic `apply`. The same `apply` runs on the server, which alone
//! decides the order, and in every client, which shows its own user's
//! transition before the server has answered and is put right when it guessed
//! wrong. So the rules can be anything: those of a game, a card that is never
//! in two columns, a balance that never goes below zero.
//!
//! This crate is the pure core. It has no clock, no random source, no files
//! and no sockets, and builds for `wasm32-unknown-unknown`. An application
//! writes its machine with this crate, and takes of the others what it needs:
//!
//! | crate | what it is |
//! |---|---|
//! | `aper-server` | hosts machines: a library, and a program |
//! | `aper-client-wasm` | the client in a browser, for Rust and, by one line, for TypeScript |
//! | `aper-client` | the client of a bot, a service or a test, on tokio |
//! | `aper-document` | a ready machine, a document like JSON |
//!
//! # Quick start
//!
//! A machine is written by hand (see [`StateMachine`]), or made of machines:
//!
//! ```
//! use aper::collections::{Counter, Map};
//! use aper::{Context, StateMachine};
//! use serde::{Deserialize, Serialize};
//!
//! /// Votes by candidate, and how many there were.
//! #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, StateMachine)]
//! struct Poll {
//!     votes: Map<String, Counter>,
//!     total: Counter,
//! }
//!
//! let mut poll = Poll::default();
//! let cx = Context::for_test();
//! poll.apply(&Poll::votes(Map::insert("Ada".to_owned(), Counter::default())), &cx)?;
//! poll.apply(&Poll::votes(Map::apply_to("Ada".to_owned(), Counter::add(1))), &cx)?;
//! let conflict = poll.apply(&Poll::votes(Map::remove("Bob".to_owned())), &cx);
//! assert!(conflict.is_err(), "nobody voted for Bob");
//! # Ok::<(), PollConflict>(())
//! ```
//!
//! # The modules
//!
//! | module | what it is |
//! |---|---|
//! | [`collections`] | ready-made machines that share structure |
//! | [`diff`] | what of a state is another than it was |
//! | [`sync`] | the two halves of a session, [`Replica`](sync::Replica) and [`Authority`](sync::Authority) |
//! | [`protocol`] | what they say to each other, to the byte |
//! | [`journal`] | where accepted transitions are kept |
//! | [`limits`] | every bound, and what happens at it |
//! | [`testing`] | a seeded simulation for the tests of your own machine (feature `testing`) |
//!
//! # Features
//!
//! - `derive`, on by default: `#[derive(StateMachine)]`.
//! - `testing`: the module [`testing`], for the `dev-dependencies` of whoever
//!   has a machine to test.
//! - `typescript`: the types of this crate in TypeScript, for the build of an
//!   npm package. Never part of the browser's module.

pub mod collections;
mod context;
pub mod diff;
mod id;
pub mod journal;
pub mod limits;
mod mutant;
mod presence;
pub mod protocol;
mod state_machine;
pub mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
#[cfg(feature = "typescript")]
mod typescript;

#[cfg(feature = "derive")]
pub use aper_derive::StateMachine;
pub use context::{Chance, Context, ContextRng};
pub use id::{
    ClientId, ClientSeq, Epoch, HistoryId, Identity, InvalidIdentity, InvalidSessionId, ResumeKey,
    SessionId, UserId, Version,
};
pub use presence::WithPresence;
pub use state_machine::{ClientEvent, NeverConflict, Prediction, Scheduled, StateMachine};
pub use time::{LocalTime, Timestamp};

#[doc(hidden)]
pub mod __private;

/// The front page's Rust is compiled with the documentation's tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct FrontPage;
