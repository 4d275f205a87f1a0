//! Makes the npm package of a state machine, of a crate that calls
//! [`export_client!`]: the machine as WebAssembly, its glue, the TypeScript
//! client around it, and the types of state, transition and conflict, written
//! from the Rust ones.
//!
//! It is a library, for a small program in the application's own workspace:
//! then the glue is made by exactly the version of wasm-bindgen that the
//! workspace's `Cargo.lock` names, which is the only one that fits, and there is
//! no tool to install.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use aper_npm::Package;
//!
//! fn main() -> ExitCode {
//!     Package::of("my-app-web").run("page/machine")
//! }
//! ```
//!
//! `aper-server new` makes a whole such workspace.
//!
//! # What it needs
//!
//! - The crate is a `cdylib` and nothing else, with a feature `typescript` that
//!   turns on the features of that name of the machine and of
//!   `aper-client-wasm`; the workspace has a profile `wasm`.
//! - Rust for the browser: `rustup target add wasm32-unknown-unknown`. When
//!   another cargo than the one that runs the program has it, the environment
//!   variable `APER_WASM_CARGO` names that one.
//! - From npm, installed beside the package or above it: `typescript`, and
//!   `binaryen`, without which the module is bigger than it need be.
//!
//! What it makes has no dependencies and no install scripts, and is made anew
//! each time: it belongs into `.gitignore`.
//!
//! # Its parts
//!
//! [`glue`], [`manifest`] and [`typescript`] are the steps by themselves, for
//! builds that make many packages.
//!
//! [`export_client!`]: https://docs.rs/aper-client-wasm/latest/aper_client_wasm/macro.export_client.html

mod cargo;
mod error;
pub mod glue;
pub mod manifest;
mod package;
mod run;
pub mod typescript;

pub use error::Error;
pub use package::Package;
