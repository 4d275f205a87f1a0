//! The two halves of a session, free of IO.
//!
//! ```text
//!   submit ┌───────────┐ Submit ┌───────────┐ Append ┌─────────┐
//!  ───────▶│  Replica  │───────▶│ Authority │───────▶│ journal │
//!          │ confirmed │        │ orders,   │        └────┬────┘
//!          │ + pending │        │ dedups,   │◀────────────┘ Durable
//!  ◀───────│ =predicted│◀───────│ applies   │
//!   Event  └───────────┘ Commits└───────────┘
//!           rebase       Rejects
//! ```
//!
//! # The contract
//!
//! Both halves are driven the same way: **one input, drain the outputs to
//! `None`, next input**. Time comes in as an argument; `next_timeout` says
//! when to come back if nothing else happens. Neither half blocks, reads a
//! clock or knows what carries its messages; the same loop drives a server's
//! task, a browser and a simulation.
//!
//! What carries the messages of one connection keeps their order and loses
//! none in the middle: it may only end. A [`Rejects`] is delivered before any
//! [`Commits`] that was decided later.
//!
//! # The invariants, by their numbers in `docs/ARCHITECTURE.md`
//!
//! - **I1** [`Replica::confirmed`] at a version is the journal replayed to it.
//! - **I2** [`Replica::state`] is `confirmed` plus `pending` in order, made
//!   anew whenever one of them changes, never patched.
//! - **I3** the authority accepts a `(client, seq)` at most once.
//! - **I4** the authority tells nobody what the journal does not hold.
//! - **I5** each [`Ticket`] ends in exactly one [`Event::Settled`].
//!
//! [`Rejects`]: crate::protocol::ServerMessage::Rejects
//! [`Commits`]: crate::protocol::ServerMessage::Commits

mod attempt;
pub mod authority;
mod backoff;
mod clock;
pub mod replica;

pub use attempt::Refusal;
pub use authority::{Authority, ConnectionId, OpenError};
pub use backoff::Backoff;
pub use replica::{Event, Outcome, Replica, SubmitError, Ticket};
