//! Clients that take less than they are sent.

use aper::protocol::{ClientMessage, CloseCode, encode};
use futures::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;

use crate::support::{Change, Client, Tally, World};

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_skipped_ahead_and_nobody_else_notices() {
    let world = World::with_limits(|limits| {
        limits.tail_bytes = 64 * 1024;
        limits.bytes_per_second = u32::MAX;
    });
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let slow: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    slow.freeze();
    // More than the network, the server's buffer and the tail hold together.
    for _ in 0..100 {
        ada.settle(Change::Say("x".repeat(20_000))).await;
    }
    let done = ada.settle(Change::Add(1)).await;
    slow.thaw();
    slow.sees(|state| state.sum == 1).await;
    let caught_up = slow.wait(|view| view.caught_up).await;
    assert_eq!(caught_up.snapshots, 2, "{done:?}");
    assert_eq!(slow.now().state, ada.now().state);
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_is_closed_and_nobody_else_notices() {
    let world = World::with_limits(|limits| limits.bytes_per_second = u32::MAX);
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let stuck: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.sees(|state| state.here.len() == 2).await;
    stuck.freeze();
    let start = tokio::time::Instant::now();
    for _ in 0..20 {
        ada.settle(Change::Say("x".repeat(20_000))).await;
    }
    assert_eq!(start.elapsed().as_secs(), 0, "nobody waits for it");
    ada.sees(|state| state.here.len() == 1).await;
    let after = start.elapsed();
    assert!((10..=25).contains(&after.as_secs()), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn who_asks_and_does_not_listen_is_not_read_from() {
    let world = World::with_limits(|limits| limits.messages_per_second = 1_000_000);
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let pipe = world.network.pipe_of(1024);
    let headers = [(SEC_WEBSOCKET_PROTOCOL, "aper.1")];
    let mut deaf = world.network.socket_on(pipe, "/tally/one", &headers).await.unwrap();
    let hello = aper::sync::Replica::<Tally>::new(None).hello();
    let hello = encode(&ClientMessage::Hello(hello)).unwrap();
    deaf.send(Message::Binary(hello.into())).await.unwrap();
    ada.sees(|state| state.here.len() == 2).await;
    // It asks for the time until the server takes no more of that.
    let ping = encode(&ClientMessage::Ping { sent: aper::LocalTime::from_millis(1) }).unwrap();
    let asking = async {
        let mut asked = 0u32;
        while deaf.send(Message::Binary(ping.clone().into())).await.is_ok() {
            asked += 1;
        }
        asked
    };
    let asked = asking.await;
    assert!(asked < 10_000, "{asked}");
    ada.sees(|state| state.here.len() == 1).await;
    ada.settle(Change::Add(1)).await;
}

#[tokio::test(start_paused = true)]
async fn who_sends_too_fast_is_slowed_down_and_not_closed() {
    let world = World::with_limits(|limits| {
        limits.messages_per_second = 10;
        limits.burst_seconds = 1;
    });
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let start = tokio::time::Instant::now();
    for _ in 0..100 {
        ada.submit(Change::Add(1)).await;
    }
    ben.settle(Change::Add(1000)).await;
    assert!(start.elapsed().as_secs() < 1, "others are served meanwhile");
    ben.sees(|state| state.sum == 1100).await;
    assert!((8..=11).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert!(ada.now().connected);
}

#[tokio::test(start_paused = true)]
async fn many_submissions_in_a_message_are_not_faster() {
    let world = World::with_limits(|limits| {
        limits.submissions_per_second = 100;
        limits.burst_seconds = 1;
    });
    let ada: Client<Tally> = Client::offline(None);
    ada.reconnect(&world.network, "/tally/one").await;
    ada.cut().await;
    for _ in 0..1_000 {
        ada.submit(Change::Add(1)).await;
    }
    let start = tokio::time::Instant::now();
    ada.reconnect(&world.network, "/tally/one").await;
    ada.wait(|view| view.pending == 0).await;
    assert!((8..=10).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert_eq!(ada.now().state.unwrap().sum, 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_was_offline_for_long_is_not_slowed_down() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.cut().await;
    for _ in 0..aper::limits::PENDING_TRANSITIONS {
        ada.submit(Change::Add(1)).await;
    }
    let start = tokio::time::Instant::now();
    ada.reconnect(&world.network, "/tally/one").await;
    ada.wait(|view| view.pending == 0).await;
    assert_eq!(start.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_never_catches_up_is_closed_at_last() {
    let world = World::with_limits(|limits| {
        limits.tail_entries = 4;
        limits.bytes_per_second = u32::MAX;
        limits.messages_per_second = 1_000_000;
        limits.write_within = std::time::Duration::from_secs(1000);
    });
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.settle(Change::Ballast(200_000)).await;
    let headers = [(SEC_WEBSOCKET_PROTOCOL, "aper.1")];
    let pipe = world.network.pipe_of(4 * 1024);
    let mut slow = world.network.socket_on(pipe, "/tally/one", &headers).await.unwrap();
    let hello = aper::sync::Replica::<Tally>::new(None).hello();
    let hello = encode(&ClientMessage::Hello(hello)).unwrap();
    slow.send(Message::Binary(hello.into())).await.unwrap();
    let code = loop {
        for _ in 0..8 {
            ada.settle(Change::Add(1)).await;
        }
        match slow.next().await.unwrap().unwrap() {
            Message::Close(frame) => break u16::from(frame.unwrap().code),
            _ => continue,
        }
    };
    assert_eq!(CloseCode::from_number(code), Some(CloseCode::Slow));
}
