//! The server of Aper: hosts state machines that people share in real time.
//!
//! A machine's sessions are at `/{machine}/{session}`; a client connects there
//! by WebSocket and speaks the protocol of [`aper::protocol`]. A session is
//! one task, started by its first client; it orders what its clients submit,
//! keeps that in a [`Journal`](aper::journal::Journal), and tells everybody.
//! When all have gone it falls asleep, and wakes when somebody comes or a
//! timer of the machine is due.
//!
//! ```
//! use std::sync::Arc;
//!
//! use aper::collections::Counter;
//! use aper_server::Server;
//! use aper_server::journal::{DiskJournal, Durability};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let data = tempfile::tempdir()?;
//! let journal = DiskJournal::open(data.path(), Durability::Synced)?;
//! let server = Server::builder()
//!     .machine(|_session| Counter::default()) // at ws://host:port/counter/{session}
//!     .journal(Arc::new(journal))
//!     .build()?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! server.serve(listener, async { /* ready when it is to stop */ }).await;
//! # Ok(())
//! # }
//! ```
//!
//! The server [runs alone](Server::serve), [as a program](program) with flags
//! and logs, or as [part of an axum application](Server::router). Every bound
//! is in [`Limits`], with what happens at it.
//!
//! # What it does not do
//!
//! It does not decide: order, deduplication and refusals are
//! [`Authority`](aper::sync::Authority)'s. It does not know users:
//! [authentication](ServerBuilder::authenticate) is the operator's. It does
//! not speak TLS: put it behind a proxy, or [serve](Server::serve_on) a
//! listener that does.
//!
//! # Features
//!
//! - `program`, on by default: [`program`] and [`telemetry`]. Without it there
//!   are no flags, no signals and no subscriber for logs.
//! - `document`, on by default: what the program `aper-server` hosts, documents.
//! - `testing`: for the tests of this crate itself.
#![warn(missing_docs)]

mod alarms;
mod auth;
mod clock;
mod connection;
mod divergence;
mod error;
mod fanout;
mod hub;
mod inspector;
pub mod journal;
mod latest;
mod limits;
mod lines;
mod machine;
mod origin;
mod presence;
#[cfg(feature = "program")]
pub mod program;
mod queue;
mod server;
mod session;
mod tail;
#[cfg(feature = "program")]
pub mod telemetry;
mod turns;

pub use auth::{Authenticate, Credentials, Denied};
pub use error::{BuildError, StateError};
pub use inspector::{AdminToken, InvalidAdminToken};
pub use limits::Limits;
pub use origin::Origins;
pub use server::{Server, ServerBuilder};
