//! What strangers send costs them their connection, and nobody else anything.

use aper::protocol::{
    ClientMessage, CloseCode, Payload, ServerMessage, Submission, decode, encode,
};
use aper::{ClientSeq, LocalTime};
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Change, Client, Socket, Tally, World};

/// Sends messages on a connection of its own, and gives the code that it is
/// closed with; meanwhile somebody else goes on.
async fn check(messages: impl IntoIterator<Item = Message>, expected: CloseCode) {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let mut eve = world.network.socket("/tally/one").await.unwrap();
    for message in messages {
        // The server may have had enough already.
        let _ = eve.send(message).await;
    }
    assert_eq!(closed(&mut eve).await, Some(expected));
    ada.settle(Change::Add(1)).await;
    assert!(ada.now().connected);
    let state = ada.sees(|state| state.here.len() == 1).await;
    assert_eq!(state.sum, 1);
}

/// The code of the close frame, after whatever comes before it.
async fn closed(socket: &mut Socket) -> Option<CloseCode> {
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Close(frame) = message {
            return CloseCode::from_number(frame.unwrap().code.into());
        }
    }
    None
}

fn binary(message: &ClientMessage) -> Message {
    Message::Binary(encode(message).unwrap().into())
}

fn hello() -> Message {
    binary(&ClientMessage::Hello(aper::sync::Replica::<Tally>::new(None).hello()))
}

fn submit(transition: Vec<u8>) -> Message {
    let submission = Submission { seq: ClientSeq(1), transition: Payload(transition) };
    binary(&ClientMessage::Submit(vec![submission]))
}

#[tokio::test(start_paused = true)]
async fn text_is_no_message() {
    check([Message::text("hello")], CloseCode::Protocol).await;
    check([hello(), Message::text("hello")], CloseCode::Protocol).await;
}

#[tokio::test(start_paused = true)]
async fn garbage_is_no_message() {
    let garbage = || Message::Binary(vec![0xff; 100].into());
    check([garbage()], CloseCode::Protocol).await;
    check([hello(), garbage()], CloseCode::Protocol).await;
    check([hello(), Message::Binary(vec![].into())], CloseCode::Protocol).await;
    let mut long = encode(&ClientMessage::Ping { sent: LocalTime::from_millis(1) }).unwrap();
    long.push(0);
    check([hello(), Message::Binary(long.into())], CloseCode::Protocol).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_message_is_hello_and_only_the_first() {
    check([binary(&ClientMessage::Submit(vec![]))], CloseCode::Protocol).await;
    check([hello(), hello()], CloseCode::Protocol).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_has_a_longest_length() {
    let long = || Message::Binary(vec![0; aper::limits::CLIENT_FRAME_BYTES + 1].into());
    check([long()], CloseCode::TooBig).await;
    check([hello(), long()], CloseCode::TooBig).await;
}

#[tokio::test(start_paused = true)]
async fn no_transition_is_nested_without_end() {
    // A length of 2^62 for `Say`, an unknown variant, and a long row of ones,
    // which recursive types take for nesting.
    for transition in [vec![10, 253, 0, 0, 0, 0, 0, 0, 0, 0x40], vec![200], vec![1; 60_000]] {
        check([hello(), submit(transition)], CloseCode::Protocol).await;
    }
}

#[tokio::test(start_paused = true)]
async fn claims_of_many_submissions_cost_nothing() {
    // `Submit` of 2^40 submissions.
    let claim = vec![1, 253, 0, 0, 0, 0, 0, 1, 0, 0];
    check([hello(), Message::Binary(claim.into())], CloseCode::Protocol).await;
}

#[tokio::test(start_paused = true)]
async fn only_so_many_submissions_may_be_without_an_answer() {
    let transition = Payload(encode(&Change::Add(1)).unwrap());
    let submission = |seq| Submission { seq: ClientSeq(seq), transition: transition.clone() };
    let many = ClientMessage::Submit((1..=257).map(submission).collect());
    let world = World::new();
    let mut eve = world.network.socket("/tally/one").await.unwrap();
    eve.send(hello()).await.unwrap();
    eve.send(binary(&many)).await.unwrap();
    assert_eq!(closed(&mut eve).await, Some(CloseCode::Protocol));
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_closed() {
    let world = World::new();
    let mut eve = world.network.socket("/tally/one").await.unwrap();
    let start = tokio::time::Instant::now();
    assert_eq!(closed(&mut eve).await, Some(CloseCode::Silent));
    assert_eq!(start.elapsed().as_secs(), 10);
    assert_eq!(world.server.sessions_awake(), 0, "no session was started for it");
}

#[tokio::test(start_paused = true)]
async fn who_sends_no_request_is_dropped() {
    let world = World::new();
    for beginning in ["", "GET /tally/one HTTP/1.1\r\nHo"] {
        let mut pipe = world.network.pipe();
        pipe.write_all(beginning.as_bytes()).await.unwrap();
        let start = tokio::time::Instant::now();
        let mut answer = Vec::new();
        pipe.read_to_end(&mut answer).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn frames_that_break_websockets_rules_end_the_connection() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let mut eve = world.network.socket("/tally/one").await.unwrap();
    eve.send(hello()).await.unwrap();
    // An unmasked frame with a reserved bit and opcode.
    eve.get_mut().write_all(&[0xff, 0x05, 1, 2, 3, 4, 5]).await.unwrap();
    assert_eq!(closed(&mut eve).await, Some(CloseCode::Protocol));
    ada.settle(Change::Add(1)).await;
}

/// Fragments that carry nothing, of a message that has no end.
#[tokio::test(start_paused = true)]
async fn bytes_that_make_no_message_are_counted_all_the_same() {
    let world = World::with_limits(|limits| limits.bytes_per_second = 100_000);
    let mut eve = world.network.socket("/tally/one").await.unwrap();
    let start = tokio::time::Instant::now();
    let begin = [0x02, 0x80, 0, 0, 0, 0];
    let empty = [0x00, 0x80, 0, 0, 0, 0].repeat(200_000);
    eve.get_mut().write_all(&begin).await.unwrap();
    eve.get_mut().write_all(&empty).await.unwrap();
    // A burst is free, of five seconds' worth, and what is on its way.
    assert_eq!(start.elapsed().as_secs(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_ping_is_answered_with_the_time() {
    let world = World::new();
    let mut ada = world.network.socket("/tally/one").await.unwrap();
    ada.send(hello()).await.unwrap();
    let sent = LocalTime::from_millis(77);
    ada.send(binary(&ClientMessage::Ping { sent })).await.unwrap();
    loop {
        let Message::Binary(bytes) = ada.next().await.unwrap().unwrap() else { continue };
        if let ServerMessage::Pong { sent: echoed, now } = decode(&bytes).unwrap() {
            assert_eq!(echoed, sent);
            assert!(now.as_millis() > 1_600_000_000_000);
            return;
        }
    }
}
