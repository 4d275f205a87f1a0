//! The document against a model that is as simple as can be, its limits, its
//! encodings, and the sessions of a simulation.
#![allow(clippy::unwrap_used)]

mod encodings;
mod limits;
mod model;
mod operations;
#[cfg(feature = "schema")]
mod schema;
mod simulation;
mod support;
