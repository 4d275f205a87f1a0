//! Nothing: everything is in `benches/peers.rs`.
