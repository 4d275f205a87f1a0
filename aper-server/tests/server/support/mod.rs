//! What the tests share.

mod client;
mod journal;
mod machine;
mod world;

use std::time::Duration;

pub use client::Client;
pub use journal::Faulty;
pub use machine::{Blow, Brittle, Change, NextTally, Other, Refused, Tally, Weighed};
pub use world::{Network, Socket, World, tallies};

/// Waits until something is so that nobody announces. In paused time, which
/// is what the tests run in, this takes no time.
pub async fn eventually(condition: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it never came to be");
}
