//! [Aper](aper) in [Leptos](https://leptos.dev) 0.8, rendered in the browser:
//! what everybody sees, how the connection is, and what others show of
//! themselves, as signals. The names are those of the hooks for React.
//!
//! ```no_run
//! # use reactive_graph as leptos; // whose prelude has the same signals
//! use aper::collections::Counter;
//! use aper_leptos::{Error, Options, use_client, use_selector, use_status};
//! use leptos::prelude::*;
//!
//! /// What a component has before its `view!`.
//! fn likes(url: &str) -> Result<impl Fn() -> String, Error> {
//!     let client = use_client::<Counter>(url, Options::default())?;
//!     let likes = use_selector(client, |counter| counter.get());
//!     let status = use_status(client);
//!     let like = move || drop(client.submit(Counter::add(1))); // for a button
//! #   drop(like);
//!     Ok(move || match likes.get() {
//!         Some(likes) if status.with(|status| status.is_saved()) => format!("{likes} likes"),
//!         Some(likes) => format!("{likes} likes, saving…"),
//!         None => "…".to_owned(),
//!     })
//! }
//! ```
//!
//! # What is drawn again
//!
//! A Leptos component runs once; what reads a signal runs again when the signal
//! tells. [`use_selector`] gives a memo, which tells only when what it selects
//! is another value: so what is to be drawn apart is selected apart. A change of
//! the state costs a call of each selector that somebody listens to.
//!
//! # How long a client lives
//!
//! [`use_client`] makes one that is closed with the component (more exactly: with
//! the reactive owner) that made it. Components below get it as a property, or
//! by `provide_context`: a [`LiveClient`] is `Copy`. Another session is another
//! component.
//!
//! Leptos' signals can go to other threads and a [`Client`] cannot; there is only
//! one thread in a browser, and on others a `LiveClient` panics.
//!
//! # What it depends on
//!
//! Of Leptos only the signals, `reactive_graph`, of which 0.2 is that of Leptos
//! 0.8. There is nothing here for rendering on a server: a client there would be
//! one of [`aper-client`](https://github.com/aper-rs/aper/tree/main/aper-client).

mod client;
mod select;
mod undo;

pub use aper_client_wasm::{
    Client, Connection, Error, ErrorCode, Options, Problem, ProblemCode, Status, Submission,
};

pub use client::{LiveClient, use_client};
pub use select::{use_presence, use_selector, use_status};
pub use undo::{Undo, use_undo};
