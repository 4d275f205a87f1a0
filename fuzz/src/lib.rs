//! What the fuzz targets share: a machine that can do everything, input with a
//! shape, and what has to be true of every run.

#![warn(missing_docs)]

pub mod client;
pub mod codec;
pub mod machine;
pub mod memory;
pub mod panics;
pub mod server;
