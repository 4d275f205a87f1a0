//! What Aper costs, and what to compare it with.
//!
//! - `benches/micro.rs`: the core alone, function by function (criterion).
//! - `bench-load`: a load generator. It starts one of the servers below on a
//!   core of its own, plays many clients from another core, checks every
//!   delivery, and prints one line of JSON for each scenario.
//! - `bench-aper`: an Aper server with one small machine.
//! - `bench-floor-epoll`, `bench-floor-tungstenite`: the floors. They pass on
//!   what they are sent to everybody and do nothing else: one written by hand
//!   for the operating system's own event queue, one of the WebSocket library
//!   that Aper uses, in the ordinary way.
//!
//! `cargo xtask bench` runs all of them and writes `docs/PERFORMANCE.md`.

pub mod load;
pub mod machine;
pub mod process;
pub mod websocket;
