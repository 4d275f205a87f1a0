//! The document against a model that is as simple as can be, its limits, its
//! encodings, and the sessions of a simulation.

mod encodings;
mod limits;
mod model;
mod operations;
mod simulation;
mod support;
