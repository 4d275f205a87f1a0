//! The client against a real server, over TCP.

// What the tests share needs no other way to fail than they have themselves.
#![allow(clippy::unwrap_used)]

mod bad_network;
mod beginning;
mod ending;
mod presence;
#[cfg(feature = "tls")]
mod secure;
mod support;
mod together;
