//! A disk without room refuses what is new, for now, and loses nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aper::protocol::CloseCode;
use aper::sync::{Outcome, Refusal};
use tokio::time::sleep;

use crate::support::{Change, Client, Faulty, Tally, World, tallies};

fn world() -> (Arc<Faulty>, World) {
    let journal = Arc::new(Faulty::default());
    let world = World::with(tallies().journal(Arc::clone(&journal) as _));
    (journal, world)
}

fn is_unavailable(outcome: &Outcome<crate::support::Refused>) -> bool {
    matches!(outcome, Outcome::Refused { refusal: Refusal::Unavailable, .. })
}

#[tokio::test(start_paused = true)]
async fn what_is_new_is_refused_until_there_is_room() {
    let (journal, world) = world();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    journal.full.store(true, Ordering::Relaxed);
    // The first finds out, and waits; the next are refused at once.
    let first = ada.submit(Change::Add(1)).await;
    sleep(Duration::from_secs(1)).await;
    let second = ada.submit(Change::Add(2)).await;
    assert!(is_unavailable(&ada.outcome(second).await));
    assert_eq!(ada.now().pending, 1);

    journal.full.store(false, Ordering::Relaxed);
    assert!(matches!(ada.outcome(first).await, Outcome::Confirmed(_)));
    ada.settle(Change::Add(4)).await;
    assert_eq!(ada.now().state.unwrap().sum, 5);
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_meanwhile_is_asked_to_come_back() {
    let (journal, world) = world();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    journal.full.store(true, Ordering::Relaxed);
    let waiting = ada.submit(Change::Add(1)).await;
    sleep(Duration::from_secs(1)).await;
    let bob: Client<Tally> = Client::offline(None);
    bob.attach(world.network.socket("/tally/one").await.unwrap());
    assert_eq!(bob.closed().await, CloseCode::Unavailable);
    journal.full.store(false, Ordering::Relaxed);
    ada.outcome(waiting).await;
    bob.reconnect(&world.network, "/tally/one").await;
    assert_eq!(bob.now().state.unwrap().sum, 1);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_without_room_is_made_later() {
    let (journal, world) = world();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.settle(Change::Add(1)).await;
    journal.full.store(true, Ordering::Relaxed);
    sleep(Duration::from_secs(300)).await;
    assert_eq!(world.server.sessions_awake(), 1, "it may not sleep without a snapshot");
    journal.full.store(false, Ordering::Relaxed);
    world.asleep().await;
    ada.settle(Change::Add(1)).await;
    assert_eq!(ada.now().state.unwrap().sum, 2);
}
