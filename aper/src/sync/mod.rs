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
//! task, a browser and a simulation. What a client decides beyond that (when
//! to connect, when to give a connection up) is in [`driver`].
//!
//! What carries the messages of one connection keeps their order and loses
//! none in the middle: it may only end. A [`Rejects`] is delivered before any
//! [`Commits`] that was decided later.
//!
//! ```
//! use aper::collections::Counter;
//! use aper::journal::Recovered;
//! use aper::protocol::{ClientMessage, Payload, ServerMessage, SnapshotHeader};
//! use aper::sync::{Authority, ConnectionId, Replica, authority, replica};
//! use aper::{LocalTime, Timestamp, Version};
//!
//! let mut server = Authority::open(Counter::default(), Recovered::default(), [7; 32])?;
//! let mut client = Replica::<Counter>::new(None);
//! let (here, connection) = (LocalTime::from_millis(0), ConnectionId(1));
//!
//! client.submit(here, Counter::add(3))?; // before it has ever been connected
//! client.handle(here, replica::Input::Connected);
//!
//! // What a server and a network do, for one client:
//! let mut to_client = Vec::new();
//! while let Some(output) = client.next_output() {
//!     let replica::Output::Send(message) = output else { continue };
//!     let input = match message {
//!         ClientMessage::Hello(hello) => authority::Input::Join {
//!             connection, user: None, resume: hello.resume,
//!             tail: Version(0), cheaper: Version(0),
//!         },
//!         ClientMessage::Submit(submissions) => {
//!             authority::Input::Submit { connection, submissions }
//!         }
//!         _ => continue,
//!     };
//!     server.handle(Timestamp::from_millis(1_000), input);
//!     while let Some(output) = server.next_output() {
//!         match output {
//!             authority::Output::Append { after, batch } => {
//!                 // A journal would write here.
//!                 let durable = authority::Input::Durable(after.after(batch.len()));
//!                 server.handle(Timestamp::from_millis(1_000), durable);
//!             }
//!             authority::Output::Commit(commit) => {
//!                 to_client.push(ServerMessage::Commits(commit.entries().cloned().collect()));
//!             }
//!             authority::Output::Welcome { welcome, image, .. } => {
//!                 let last_seq = welcome.last_seq;
//!                 to_client.push(ServerMessage::Welcome(*welcome));
//!                 if let Some(image) = image {
//!                     let (version, at, state) = (image.version(), image.at(), image.encode()?);
//!                     let bytes = state.len() as u64;
//!                     let header = SnapshotHeader { version, at, last_seq, bytes };
//!                     to_client.push(ServerMessage::Snapshot(header));
//!                     to_client.push(ServerMessage::Chunk(Payload(state.to_vec())));
//!                 }
//!             }
//!             other => panic!("not in this example: {other:?}"),
//!         }
//!     }
//!     for message in to_client.drain(..) {
//!         client.handle(here, replica::Input::Message(message));
//!     }
//! }
//! assert_eq!(server.state().get(), 3);
//! assert_eq!(client.confirmed().map(|counter| counter.get()), Some(3));
//! assert!(client.is_saved());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The invariants, by their numbers in `docs/ARCHITECTURE.md`
//!
//! - **I1** [`Replica::confirmed`] at a version is the journal replayed to it.
//! - **I2** [`Replica::state`] is `confirmed` plus `pending` in order, made
//!   anew whenever one of them changes, never patched.
//! - **I3** the authority accepts a `(client, seq)` at most once.
//! - **I4** the authority tells nobody what the journal does not hold.
//! - **I5** each [`Ticket`] ends in exactly one [`Event::Settled`].
//! - **I9** what clients show of themselves ([`presence`]) is in no journal.
//!
//! [`Rejects`]: crate::protocol::ServerMessage::Rejects
//! [`Commits`]: crate::protocol::ServerMessage::Commits

mod attempt;
pub mod authority;
mod backoff;
mod clock;
pub mod driver;
pub mod presence;
mod recording;
pub mod replica;
mod undo;

pub use attempt::Refusal;
pub use authority::{Admission, Authority, ConnectionId, Lineage, OpenError};
pub use backoff::Backoff;
pub use recording::{Recording, ReplayError, Replayed};
pub use replica::{Event, Outcome, Replica, SubmitError, Ticket};
pub use undo::{UndoStack, Undone};
