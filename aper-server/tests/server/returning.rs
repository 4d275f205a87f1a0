//! Clients that go and come back.

use std::sync::Arc;
use std::time::Duration;

use aper::protocol::{ClientMessage, CloseCode, encode};
use aper::sync::Outcome;
use futures::{SinkExt, StreamExt};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Change, Client, Faulty, Tally, World, eventually, tallies};

#[tokio::test(start_paused = true)]
async fn what_was_sent_before_the_cut_happens_once() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let id = ada.identity();
    for _ in 0..20 {
        ada.freeze();
        let ticket = ada.submit(Change::Add(1)).await;
        // The server has it, and has answered into the void.
        ada.cut().await;
        ada.thaw();
        ada.reconnect(&world.network, "/tally/one").await;
        assert!(matches!(ada.outcome(ticket).await, Outcome::Confirmed(_)));
        assert_eq!(ada.identity(), id);
    }
    let seen = ben.sees(|state| state.sum == 20).await;
    assert_eq!(seen.sum, 20);
    assert_eq!(ada.now().snapshots, 1, "it came back by the entries that it lacked");
}

#[tokio::test(start_paused = true)]
async fn what_was_done_offline_is_sent_on_return() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.cut().await;
    for _ in 0..600 {
        ada.submit(Change::Add(1)).await;
    }
    ben.settle(Change::Add(1000)).await;
    ada.reconnect(&world.network, "/tally/one").await;
    ada.wait(|view| view.pending == 0).await;
    ben.sees(|state| state.sum == 1600).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_connection_takes_the_place_of_the_old() {
    let world = World::new();
    let old: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let new: Client<Tally> = Client::offline(Some(old.identity()));
    new.reconnect(&world.network, "/tally/one").await;
    assert_eq!(old.closed().await, CloseCode::Replaced);
    assert_eq!(new.identity(), old.identity());
    new.settle(Change::Add(1)).await;
    let seen = ben.sees(|state| state.sum == 1).await;
    assert_eq!(seen.here.len(), 2, "nobody came or went");
}

#[tokio::test(start_paused = true)]
async fn who_is_replaced_before_its_welcome_is_told_so() {
    let journal = Arc::new(Faulty::default());
    let world = World::with(tallies().journal(Arc::clone(&journal) as _));
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ben.cut().await;
    ada.sees(|state| state.here.len() == 1).await;
    // Welcomes wait for the journal.
    journal.delay(Duration::from_secs(5));
    let mut old = says_hello(&world, &ben).await;
    for _ in 0..20 {
        let new = says_hello(&world, &ben).await;
        assert_eq!(old.await.unwrap(), Some(CloseCode::Replaced));
        old = new;
    }
}

/// A connection that takes everything; how it is closed, unless it is welcomed.
async fn says_hello(world: &World, client: &Client<Tally>) -> JoinHandle<Option<CloseCode>> {
    let mut socket = world.network.socket("/tally/one").await.unwrap();
    socket.send(hello_of(client)).await.unwrap();
    tokio::spawn(async move {
        loop {
            match socket.next().await.unwrap().unwrap() {
                Message::Binary(_) => return None,
                Message::Close(frame) => {
                    return CloseCode::from_number(frame.unwrap().code.into());
                }
                _ => {}
            }
        }
    })
}

fn hello_of(client: &Client<Tally>) -> Message {
    let hello = aper::sync::Replica::<Tally>::new(Some(client.identity())).hello();
    Message::Binary(encode(&ClientMessage::Hello(hello)).unwrap().into())
}

#[tokio::test(start_paused = true)]
async fn a_hello_that_comes_late_takes_nobodys_place() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    // Its client has given it up: nobody reads what the server sends to it.
    let mut late = world.network.socket("/tally/one").await.unwrap();
    late.send(hello_of(&ada)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    ada.settle(Change::Add(1)).await;
    ben.sees(|state| state.sum == 1).await;
    assert!(matches!(late.next().await, Some(Ok(Message::Ping(_)))), "it was asked");
    while let Some(Ok(message)) = late.next().await {
        assert!(!message.is_binary(), "it was let in");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_becomes_another_without_the_key() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let mut forged = ada.identity();
    forged.key = aper::ResumeKey(uuid::Uuid::nil());
    let eve: Client<Tally> = Client::offline(Some(forged));
    eve.reconnect(&world.network, "/tally/one").await;
    assert_ne!(eve.identity().client, ada.identity().client);
    ada.settle(Change::Add(1)).await;
    assert!(ada.now().connected);
}

#[tokio::test(start_paused = true)]
async fn a_vanished_client_is_noticed() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.sees(|state| state.here.len() == 2).await;
    let start = tokio::time::Instant::now();
    ben.freeze();
    ada.sees(|state| state.here.len() == 1).await;
    let after = start.elapsed();
    assert!((20..=40).contains(&after.as_secs()), "{after:?}");
    assert!(ada.now().connected, "who answers pings stays");
    eventually(|| world.server.clients_connected() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn who_is_quiet_but_there_stays() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(ada.now().connected);
    ada.settle(Change::Add(1)).await;
}

#[tokio::test(start_paused = true)]
async fn who_was_away_too_long_gets_a_snapshot() {
    let world = World::with_limits(|limits| limits.tail_entries = 10);
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.cut().await;
    let waiting = ada.submit(Change::Add(1)).await;
    for _ in 0..50 {
        ben.settle(Change::Add(1)).await;
    }
    ada.reconnect(&world.network, "/tally/one").await;
    assert!(matches!(ada.outcome(waiting).await, Outcome::Confirmed(_)));
    assert_eq!(ada.now().snapshots, 2);
    assert_eq!(ada.now().state.unwrap().sum, 51);
}
