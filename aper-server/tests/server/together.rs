//! What people do together.

use aper::sync::{Outcome, Refusal, SubmitError};

use crate::support::{Change, Client, Refused, Tally, World};

#[tokio::test(start_paused = true)]
async fn two_clients_converge() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    for n in 1..=50 {
        ada.submit(Change::Add(n)).await;
        ben.submit(Change::Add(1000 * n)).await;
    }
    let by_ada =
        ada.wait(|view| view.pending == 0 && view.state.as_ref().unwrap().count == 102).await;
    let by_ben =
        ben.wait(|view| view.pending == 0 && view.state.as_ref().unwrap().count == 102).await;
    assert_eq!(by_ada.state, by_ben.state);
    assert_eq!(by_ada.state.unwrap().sum, 1001 * 50 * 51 / 2);
    assert!(by_ada.settled.values().all(|outcome| matches!(outcome, Outcome::Confirmed(_))));
}
