//! A client whose state is not its session's is found out, put right, and
//! leaves a recording of how that came about.

use aper::limits::ENTRIES_PER_CHECK;
use aper::protocol::decode;
use aper::sync::Recording;
use aper::{Context, NeverConflict, StateMachine};
use serde::{Deserialize, Serialize};

use crate::support::{Client, World};

/// What this thread adds beside what it is told to: a machine that is not
/// deterministic.
mod astray {
    use std::sync::atomic::{AtomicU64, Ordering};

    static APPLIED: AtomicU64 = AtomicU64::new(0);

    pub fn count() -> u64 {
        APPLIED.fetch_add(1, Ordering::Relaxed)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Drifting {
    sum: u64,
    /// How often anybody applied anything: something else for everybody.
    drift: u64,
}

impl StateMachine for Drifting {
    const NAME: &'static str = "drifting";
    type Transition = u64;
    type Conflict = NeverConflict;

    fn apply(&mut self, n: &u64, _: &Context) -> Result<(), NeverConflict> {
        self.sum += n;
        if self.sum == 500 {
            self.drift = astray::count();
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_went_astray_is_put_right_and_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let builder = aper_server::Server::builder().machine(|_| Drifting::default());
    let world = World::with(builder.recordings(directory.path()));
    let ada: Client<Drifting> = Client::connect(&world.network, "/drifting/one").await;
    let bob: Client<Drifting> = Client::connect(&world.network, "/drifting/one").await;
    // Up to the first check all is well, between it and the second something
    // goes wrong.
    for n in 0..2 * ENTRIES_PER_CHECK {
        ada.settle(u64::from(n >= ENTRIES_PER_CHECK)).await;
    }
    bob.sees(|state| state.sum == ENTRIES_PER_CHECK).await;
    let (_, truth) = world.server.state::<Drifting>(&"one".parse().unwrap()).await.unwrap();
    for client in [&ada, &bob] {
        client.sees(|state| *state == truth).await;
    }
    assert_eq!(world.server.divergences(), 2);

    let recordings = || std::fs::read_dir(directory.path()).unwrap().map(|file| file.unwrap());
    crate::support::eventually(|| recordings().count() == 2).await;
    let bytes = std::fs::read(recordings().next().unwrap().path()).unwrap();
    let recording: Recording = decode(&bytes).unwrap();
    assert_eq!(recording.entries.len() as u64, ENTRIES_PER_CHECK);
    let (again, _) = recording.replay::<Drifting>().unwrap();
    assert_eq!(again.sum, truth.sum);
    assert_ne!(again.drift, truth.drift, "it goes astray again");
}

#[tokio::test(start_paused = true)]
async fn clients_that_are_right_are_left_alone() {
    let world = World::new();
    let ada: Client<crate::support::Tally> = Client::connect(&world.network, "/tally/one").await;
    for _ in 0..2 * ENTRIES_PER_CHECK + 1 {
        ada.settle(crate::support::Change::Add(1)).await;
    }
    assert_eq!(world.server.divergences(), 0);
    assert_eq!(ada.now().snapshots, 1);
}
