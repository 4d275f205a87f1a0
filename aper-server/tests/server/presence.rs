//! What clients show each other while they are here.

use std::sync::Arc;
use std::time::Duration;

use aper::limits::{PRESENCE_BYTES, PRESENCE_INTERVAL};
use aper::protocol::{ClientMessage, CloseCode, Payload, ServerMessage, decode, encode};
use futures::{SinkExt, StreamExt};
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Change, Client, Faulty, Network, Socket, Tally, World, tallies};

const PATH: &str = "/tally/one";

/// A socket that has said hello and been welcomed, of no client of this library.
async fn raw(network: &Network) -> Socket {
    let mut socket = network.socket(PATH).await.unwrap();
    let hello = ClientMessage::Hello(aper::sync::Replica::<Tally>::new(None).hello());
    socket.send(binary(&hello)).await.unwrap();
    while !matches!(next(&mut socket).await, Some(ServerMessage::Welcome(_))) {}
    socket
}

fn binary(message: &ClientMessage) -> Message {
    Message::Binary(encode(message).unwrap().into())
}

fn shown(byte: u8) -> Message {
    binary(&ClientMessage::Presence(Some(Payload(vec![byte]))))
}

/// The next message; none when the server has closed the connection.
async fn next(socket: &mut Socket) -> Option<ServerMessage> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Binary(bytes))) => return Some(decode(&bytes).unwrap()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            _ => return None,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_client_shows_is_seen_by_the_others_until_it_goes() {
    let journal = Arc::new(Faulty::default());
    let world = World::with(tallies().journal(Arc::clone(&journal) as _));
    let ada: Client<Tally> = Client::connect(&world.network, PATH).await;
    let bob: Client<Tally> = Client::connect(&world.network, PATH).await;
    let appends = || journal.appends.lock().unwrap().len();
    let before = appends();
    ada.show(b"here");
    bob.sees_of(ada.id(), Some(b"here")).await;
    ada.show(b"there");
    bob.sees_of(ada.id(), Some(b"there")).await;
    assert_eq!(ada.now().presences.len(), 0, "nobody is told of itself");
    assert_eq!(appends(), before, "nothing of this is kept");

    // Who comes later is told what everybody shows.
    let eve: Client<Tally> = Client::connect(&world.network, PATH).await;
    eve.sees_of(ada.id(), Some(b"there")).await;
    ada.hide();
    eve.sees_of(ada.id(), None).await;
    ada.show(b"back");
    bob.sees_of(ada.id(), Some(b"back")).await;
    ada.cut().await;
    bob.sees_of(ada.id(), None).await;
    eve.sees_of(ada.id(), None).await;
}

#[tokio::test(start_paused = true)]
async fn the_late_end_of_an_old_connection_takes_nothing_from_the_new_one() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, PATH).await;
    let bob: Client<Tally> = Client::connect(&world.network, PATH).await;
    ada.show(b"old");
    bob.sees_of(ada.id(), Some(b"old")).await;
    // Ada's network is gone, and the server does not know it; she comes back.
    let again: Client<Tally> = Client::offline(Some(ada.identity()));
    ada.freeze();
    again.show(b"new");
    again.reconnect(&world.network, PATH).await;
    bob.sees_of(again.id(), Some(b"new")).await;
    // Now the old connection comes to its end.
    ada.thaw();
    assert_eq!(ada.closed().await, CloseCode::Replaced);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(bob.now().presences[&again.id()], b"new");
}

#[tokio::test(start_paused = true)]
async fn it_is_told_once_a_frame_however_often_it_changes() {
    let world = World::with_limits(|limits| limits.messages_per_second = 100_000);
    let mut loud = raw(&world.network).await;
    let bob: Client<Tally> = Client::connect(&world.network, PATH).await;
    let (start, before) = (Instant::now(), bob.now().presence_messages);
    for round in 0..100 {
        for byte in 0..=99 {
            loud.send(shown(byte + round)).await.unwrap();
        }
        sleep(Duration::from_millis(10)).await;
    }
    bob.wait(|view| view.presences.values().any(|value| value[..] == [198])).await;
    let frames = start.elapsed().as_millis() / PRESENCE_INTERVAL.as_millis() + 2;
    let told = (bob.now().presence_messages - before) as u128;
    assert!((20..=frames).contains(&told), "{told} messages in {frames} frames");
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_skips_what_was_overtaken() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, PATH).await;
    let slow: Client<Tally> = Client::connect(&world.network, PATH).await;
    let eve: Client<Tally> = Client::connect(&world.network, PATH).await;
    slow.freeze();
    let long = |byte| vec![byte; PRESENCE_BYTES];
    let moves = 100;
    for byte in 0..moves {
        ada.show(&long(byte));
        eve.sees_of(ada.id(), Some(&long(byte))).await;
    }
    slow.thaw();
    let view = slow.sees_of(ada.id(), Some(&long(moves - 1))).await;
    assert!(view.presence_messages < usize::from(moves) / 2, "{}", view.presence_messages);
    assert!(view.connected);
}

#[tokio::test(start_paused = true)]
async fn a_sleeping_session_shows_it_without_being_woken() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, PATH).await;
    let bob: Client<Tally> = Client::connect(&world.network, PATH).await;
    ada.show(b"before");
    bob.sees_of(ada.id(), Some(b"before")).await;
    world.asleep().await;
    ada.show(b"meanwhile");
    bob.sees_of(ada.id(), Some(b"meanwhile")).await;
    assert_eq!(world.server.sessions_awake(), 0);
    // Woken, it knows it still.
    ada.settle(Change::Add(1)).await;
    let eve: Client<Tally> = Client::connect(&world.network, PATH).await;
    eve.sees_of(ada.id(), Some(b"meanwhile")).await;
    world.asleep().await;
    ada.cut().await;
    bob.sees_of(ada.id(), None).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_starts_anew_is_told_again() {
    let journal = Arc::new(Faulty::default());
    let mut world = World::with(tallies().journal(Arc::clone(&journal) as _));
    let ada: Client<Tally> = Client::connect(&world.network, PATH).await;
    let bob: Client<Tally> = Client::connect(&world.network, PATH).await;
    ada.show(b"here");
    bob.sees_of(ada.id(), Some(b"here")).await;
    world.stop().await;
    assert_eq!(bob.wait(|view| !view.connected).await.presences.len(), 0);
    let world = World::with(tallies().journal(journal));
    bob.reconnect(&world.network, PATH).await;
    ada.reconnect(&world.network, PATH).await;
    bob.sees_of(ada.id(), Some(b"here")).await;
}

#[tokio::test(start_paused = true)]
async fn who_shows_too_much_is_closed_and_nobody_else_notices() {
    let world = World::new();
    let bob: Client<Tally> = Client::connect(&world.network, PATH).await;
    let mut loud = raw(&world.network).await;
    let long = Payload(vec![0; PRESENCE_BYTES + 1]);
    loud.send(binary(&ClientMessage::Presence(Some(long)))).await.unwrap();
    let closed = async { while next(&mut loud).await.is_some() {} };
    timeout(Duration::from_secs(60), closed).await.expect("the server closes it");
    let now = bob.settle(Change::Add(1)).await;
    assert!(bob.now().connected && bob.now().presences.is_empty(), "{now:?}");
}

/// What is said before the welcome, or after another connection took over, is
/// nobody's.
#[tokio::test(start_paused = true)]
async fn nobody_shows_anything_before_it_is_known() {
    let world = World::new();
    let bob: Client<Tally> = Client::connect(&world.network, PATH).await;
    let mut hasty = world.network.socket(PATH).await.unwrap();
    hasty.send(shown(1)).await.unwrap();
    while next(&mut hasty).await.is_some() {}
    bob.settle(Change::Add(1)).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(bob.now().presence_messages, 0);
}
