//! The browser client of [Aper](aper): a [`Replica`](aper::sync::Replica) on a
//! WebSocket, which shows the user's own transitions at once, comes back by
//! itself whenever the connection is lost, and goes on taking transitions
//! meanwhile.
//!
//! For a Rust front end there is [`Client`], and upon it the crates `aper-leptos`
//! and `aper-yew`; for everybody else
//! [`export_client!`] makes a JavaScript class of one machine, which the npm
//! package wraps in typed TypeScript.
//!
//! ```no_run
//! use aper::{Context, NeverConflict, StateMachine};
//! use aper_client_wasm::{Client, Options};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Clone, Default, Serialize, Deserialize)]
//! struct Likes(u32);
//!
//! #[derive(Clone, Debug, Serialize, Deserialize)]
//! struct Like;
//!
//! impl StateMachine for Likes {
//!     const NAME: &'static str = "likes";
//!     type Transition = Like;
//!     type Conflict = NeverConflict;
//!     fn apply(&mut self, _: &Like, _: &Context) -> Result<(), NeverConflict> {
//!         self.0 += 1;
//!         Ok(())
//!     }
//! }
//!
//! # async fn run() -> Result<(), aper_client_wasm::Error> {
//! use futures::StreamExt as _;
//!
//! let client = Client::<Likes>::connect("wss://example.org/likes/front-page", Options::default())?;
//! let settled = client.submit(Like);
//! let mut changes = client.changes();
//! while changes.next().await.is_some() {
//!     let likes = client.state().map_or(0, |state| state.0);
//!     // show `likes`
//! }
//! let outcome = settled.await?;
//! # Ok(()) }
//! ```
//!
//! # Layers
//!
//! The core's [driver](aper::sync::driver) decides everything (when to connect,
//! what to send, what to say) and does nothing. `client` holds it, does what it
//! wants done with `socket`, `timer` and `signals`, and calls the application's
//! code only when nothing is borrowed. `export` translates between that and
//! JavaScript.
//!
//! # Where it runs
//!
//! In windows and in workers, and wherever else there is a global `WebSocket`
//! (Node from version 22 on). Nothing is looked for before [`Client::connect`].
//! The crate compiles for other targets too, for documentation and tests, but
//! only the browser's has the functions that it imports.
//!
//! # Features
//!
//! - `typescript`: the machine's types in TypeScript, for the build of an npm
//!   package.

mod client;
mod clock;
// For the code that `export_client!` makes, and for nobody else.
#[doc(hidden)]
pub mod export;
mod signals;
mod socket;
mod timer;
#[cfg(feature = "typescript")]
pub mod typescript;
mod value;

pub use aper::sync::driver::{
    Connection, Error, ErrorCode, Kept, KeptItem, Problem, ProblemCode, Status,
};
pub use client::{Changes, Client, Device, Options, Store, Submission, Subscription};

/// What the code that [`export_client!`] makes refers to.
#[doc(hidden)]
pub mod __private {
    pub use wasm_bindgen;

    #[cfg(target_arch = "wasm32")]
    pub type Allocator = rlsf::GlobalTlsf<Small>;

    /// Small, but what was given back by neighbours is one piece again, so that
    /// a state that grows does not leave behind what it has outgrown.
    #[cfg(target_arch = "wasm32")]
    #[derive(Debug)]
    pub struct Small;

    #[cfg(target_arch = "wasm32")]
    impl rlsf::GlobalTlsfOptions for Small {
        const ENABLE_REALLOCATION: bool = false;
        const COALESCE_POOLS: bool = true;
    }
}
