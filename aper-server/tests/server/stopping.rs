//! A server that stops does so in good order.

use std::sync::Arc;
use std::time::Duration;

use aper::journal::Journal;
use aper::protocol::CloseCode;
use aper::sync::Outcome;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

use crate::support::{Change, Client, Faulty, Tally, World, tallies};

#[tokio::test(start_paused = true)]
async fn clients_are_told_to_come_back_and_find_everything() {
    let journal = Arc::new(Faulty::default());
    let mut world = World::with(tallies().journal(Arc::clone(&journal) as _));
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/two").await;
    journal.delay(Duration::from_secs(2));
    let last = ada.submit(Change::Add(1)).await;
    tokio::task::yield_now().await;
    world.stop().await;
    assert_eq!(ada.closed().await, CloseCode::Restart);
    assert_eq!(ben.closed().await, CloseCode::Restart);
    assert_eq!((world.server.sessions_awake(), world.server.clients_connected()), (0, 0));

    // The next server, with the same journal.
    journal.delay(Duration::ZERO);
    let world = World::with(tallies().journal(Arc::clone(&journal) as _));
    let id = ada.identity();
    ada.reconnect(&world.network, "/tally/one").await;
    assert_eq!(ada.identity(), id);
    assert!(matches!(ada.outcome(last).await, Outcome::Confirmed(_)));
    let state = ada.now().state.unwrap();
    assert_eq!((state.sum, state.here.len()), (1, 1), "who was here had left, and came");
}

#[tokio::test(start_paused = true)]
async fn everything_is_in_the_snapshot() {
    let journal = Arc::new(Faulty::default());
    let mut world = World::with(tallies().journal(Arc::clone(&journal) as _));
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.settle(Change::Add(1)).await;
    world.stop().await;
    let key =
        aper::journal::SessionKey { machine: "tally".into(), session: "one".parse().unwrap() };
    let kept = journal.open(&key).await.unwrap();
    assert!(kept.records.is_empty());
    let snapshot = kept.snapshot.unwrap();
    assert_eq!(snapshot.clients.len(), 1);
    let state: Tally = aper::protocol::decode(&snapshot.state.0).unwrap();
    assert_eq!((state.sum, state.here.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn nothing_holds_the_end_up_for_ever() {
    let journal = Arc::new(Faulty::default());
    let mut world = World::with(tallies().journal(Arc::clone(&journal) as _));
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let mut idle = world.network.pipe();
    journal.delay(Duration::from_secs(1_000_000));
    ada.submit(Change::Add(1)).await;
    tokio::task::yield_now().await;
    let start = Instant::now();
    world.stop().await;
    assert!((10..=13).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    let mut nothing = Vec::new();
    assert_eq!(idle.read_to_end(&mut nothing).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_comes_too_late_is_turned_away() {
    let world = World::new();
    let ada: Client<Tally> = Client::offline(None);
    let socket = world.network.socket("/tally/one").await.unwrap();
    world.server.shut_down().await;
    ada.attach(socket);
    assert_eq!(ada.closed().await, CloseCode::Restart);
}
