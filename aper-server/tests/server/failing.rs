//! Sessions that meet an error of their own end alone.

use std::sync::Arc;
use std::time::Duration;

use aper::protocol::CloseCode;
use aper::sync::Outcome;
use aper_server::Server;

use crate::support::{Blow, Brittle, Change, Client, Faulty, Tally, World, tallies};

/// Long enough for the journal to know the clients.
async fn stored() {
    tokio::time::sleep(Duration::from_secs(6)).await;
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_breaks_its_session_breaks_no_other() {
    let world = World::with(Server::builder().machine(|_| Brittle(0)));
    let ada: Client<Brittle> = Client::connect(&world.network, "/brittle/one").await;
    let ben: Client<Brittle> = Client::connect(&world.network, "/brittle/one").await;
    let other: Client<Brittle> = Client::connect(&world.network, "/brittle/two").await;
    ada.settle(Blow::Add(7)).await;
    stored().await;
    ada.settle(Blow::Add(1)).await;
    ada.submit(Blow::Break).await;
    assert_eq!(ada.closed().await, CloseCode::SessionFailed);
    assert_eq!(ben.closed().await, CloseCode::SessionFailed);
    other.settle(Blow::Add(1)).await;
    assert!(other.now().connected);

    // It starts anew from its journal, with all that anybody was told.
    let last = ben.submit(Blow::Add(1)).await;
    ben.reconnect(&world.network, "/brittle/one").await;
    assert!(matches!(ben.outcome(last).await, Outcome::Confirmed(_)));
    assert_eq!(ben.now().state.unwrap(), Brittle(9));
    assert_eq!(ben.now().snapshots, 1, "the log that it held is the session's still");
}

#[tokio::test(start_paused = true)]
async fn a_failing_journal_ends_the_session_and_no_other() {
    let journal = Arc::new(Faulty::default());
    let world = World::with(tallies().journal(Arc::clone(&journal) as _));
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let other: Client<Tally> = Client::connect(&world.network, "/tally/two").await;
    stored().await;
    ada.settle(Change::Add(1)).await;
    journal.fail(Some("one"));
    let lost = ada.submit(Change::Add(1)).await;
    assert_eq!(ada.closed().await, CloseCode::SessionFailed);
    other.settle(Change::Add(1)).await;

    journal.fail(None);
    ada.reconnect(&world.network, "/tally/one").await;
    assert!(matches!(ada.outcome(lost).await, Outcome::Confirmed(_)));
    assert_eq!(ada.now().state.unwrap().sum, 2);
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_never_answers_ends_the_session() {
    let journal = Arc::new(Faulty::default());
    let world = World::with(tallies().journal(Arc::clone(&journal) as _));
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    journal.delay(Duration::from_secs(1_000_000));
    ada.submit(Change::Add(1)).await;
    assert_eq!(ada.closed().await, CloseCode::SessionFailed);
}

#[tokio::test(start_paused = true)]
async fn the_log_is_folded_into_snapshots() {
    let journal = Arc::new(Faulty::default());
    let mut builder = tallies().journal(Arc::clone(&journal) as _);
    builder.limits_mut().records_per_snapshot = 10;
    let world = World::with(builder);
    journal.delay(Duration::from_millis(1));
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    for _ in 0..100 {
        // Without a pause: there is always something that is not written yet.
        ada.submit(Change::Add(1)).await;
        tokio::time::sleep(Duration::from_micros(300)).await;
    }
    ada.wait(|view| view.pending == 0).await;
    let snapshots = journal.snapshots.load(std::sync::atomic::Ordering::Relaxed);
    assert!((4..=12).contains(&snapshots), "{snapshots}");
}

#[tokio::test(start_paused = true)]
async fn a_full_session_lets_nobody_in_but_who_was_there() {
    let world = World::with_limits(|limits| limits.clients_per_session = 2);
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let eve: Client<Tally> = Client::offline(None);
    eve.attach(world.network.socket("/tally/one").await.unwrap());
    assert_eq!(eve.closed().await, CloseCode::Full);

    // One who claims to come back, and does not, is not let in either, and the
    // machine never hears of it.
    let before = ada.sees(|state| state.here.len() == 2).await.count;
    let mut forged = ben.identity();
    forged.key = aper::ResumeKey(uuid::Uuid::nil());
    let eve: Client<Tally> = Client::offline(Some(forged));
    eve.attach(world.network.socket("/tally/one").await.unwrap());
    assert_eq!(eve.closed().await, CloseCode::Full);
    ada.settle(Change::Add(1)).await;
    assert_eq!(ada.now().state.unwrap().count, before + 1);

    // Who has lost the connection, unnoticed, takes the own place.
    let again: Client<Tally> = Client::offline(Some(ben.identity()));
    again.reconnect(&world.network, "/tally/one").await;
    assert_eq!(ben.closed().await, CloseCode::Replaced);
    again.settle(Change::Add(1)).await;
    assert_eq!(ada.sees(|state| state.sum == 2).await.here.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn there_are_only_so_many_sessions_and_connections() {
    let world = World::with_limits(|limits| {
        limits.sessions = 1;
        limits.connections = 2;
    });
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let eve: Client<Tally> = Client::offline(None);
    eve.attach(world.network.socket("/tally/two").await.unwrap());
    assert_eq!(eve.closed().await, CloseCode::Full);
    eve.wait(|view| !view.connected).await;

    let _ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let refused = world.network.socket("/tally/one").await.unwrap_err();
    assert!(refused.to_string().contains("503"), "{refused}");
    ada.settle(Change::Add(1)).await;
}
