//! [Aper](aper) in [Yew](https://yew.rs) 0.23, rendered in the browser: hooks
//! for what everybody sees, how the connection is, and what others show of
//! themselves. The names are those of the hooks for React.
//!
//! ```no_run
//! use aper::collections::Counter;
//! use aper_yew::{Client, ClientProvider, use_selector, use_status};
//! use yew::prelude::*;
//!
//! #[component]
//! fn App() -> Html {
//!     html! {
//!         <ClientProvider<Counter> url="wss://example.org/counter/front-page">
//!             <Likes />
//!         </ClientProvider<Counter>>
//!     }
//! }
//!
//! #[component]
//! fn Likes() -> Html {
//!     let client = use_context::<Client<Counter>>().expect("it is in a provider");
//!     let likes = use_selector(&client, |counter| counter.get());
//!     let status = use_status(&client);
//!     let like = move |_| drop(client.submit(Counter::add(1)));
//!     html! {
//!         <>
//!             <button onclick={like}>{ likes.map_or(0, |likes| *likes) }{ " likes" }</button>
//!             <p>{ if status.is_saved() { "Saved" } else { "Saving…" } }</p>
//!         </>
//!     }
//! }
//! ```
//!
//! # What is rendered again
//!
//! A component is rendered again when what it has selected is another value, and
//! when its own parent renders it with other properties. A [`Client`] is a
//! property that compares in no time: a clone is equal to it. So an item of a
//! list is a component with the client and an id, and selects itself; the list
//! selects the ids. A change of the state costs a call of each selector.
//!
//! # How long a client lives
//!
//! [`use_client`], and so [`ClientProvider`], makes one that is closed when its
//! component goes, or is rendered with another URL. Components below get it as a
//! property, or by `use_context`.
//!
//! There is nothing here for rendering on a server.

mod client;
mod read;
mod undo;

pub use aper_client_wasm::{
    Client, Connection, Error, ErrorCode, Options, Problem, ProblemCode, Status, Submission,
};

pub use client::{ClientProvider, ClientProviderProps, use_client};
pub use read::{use_presence, use_selector, use_status};
pub use undo::{Undo, use_undo};
