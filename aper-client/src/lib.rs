//! The native client of [Aper](aper): for bots, services, command lines and
//! tests. A [`Replica`](aper::sync::Replica) on a WebSocket, driven by a task
//! on tokio, which shows the program's own transitions at once, comes back by
//! itself whenever the connection is lost, and goes on taking transitions
//! meanwhile.
//!
//! ```
//! use aper::collections::Counter;
//! use aper_client::{Client, Options, Outcome};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! # let url = format!("ws://{}/counter/front-page", listener.local_addr()?);
//! # let server = aper_server::Server::builder().machine(|_| Counter::default()).build()?;
//! # tokio::spawn(server.serve(listener, std::future::pending()));
//! // url is "ws://host:port/{machine}/{session}"
//! let client = Client::<Counter>::connect(&url, Options::new())?;
//!
//! // Ready when the server has decided and will not forget it.
//! let outcome = client.submit(Counter::add(3)).await?;
//! assert!(matches!(outcome, Outcome::Confirmed(_)));
//! assert_eq!(client.state().map(|counter| counter.get()), Some(3));
//!
//! // Or go on, and look at the outcome later, if at all.
//! let later = client.submit(Counter::add(4));
//! assert_eq!(client.state().map(|counter| counter.get()), Some(7));
//! later.await?;
//! client.close().await;
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layers
//!
//! The core's [driver](aper::sync::driver) decides everything (when to connect,
//! what to send, what to tell) and does nothing. The client's task does what it
//! wants done with one socket and one timer; the handles take transitions and
//! read states without waiting for the task. Nothing here orders, decodes a
//! transition, or knows the protocol.
//!
//! # What a client costs
//!
//! A task, a socket with 4 KiB of buffer each way, a timer, and its replica's
//! state: one process can run thousands. What it waits for
//! is bounded: an attempt to connect by the driver, a connection's silence by
//! [`SILENCE`](aper::limits::SILENCE), the transitions without an answer by
//! [`PENDING_TRANSITIONS`](aper::limits::PENDING_TRANSITIONS), a server's frame
//! by [`SERVER_FRAME_BYTES`](aper::limits::SERVER_FRAME_BYTES).
//!
//! # Features
//!
//! `tls`: addresses that begin with `wss://`.

mod client;
mod core;
mod options;
mod socket;
mod task;
#[cfg(feature = "tls")]
mod tls;
mod told;

pub use aper::sync::driver::{Connection, Error, ErrorCode, Problem, ProblemCode, Status};
pub use aper::sync::{Outcome, Refusal};
pub use client::Client;
pub use options::Options;
pub use told::{Changes, NoConnection, Submission};
