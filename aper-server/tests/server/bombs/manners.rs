//! What can be done to a socket.

use std::net::SocketAddr;

use aper::protocol::CloseCode;
use futures::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::messages::{self, Place};
use super::target::{Answer, answer, last_ping, upgraded};

// First bytes of frames.
const CONTINUED: u8 = 0x00;
const CONTINUED_LAST: u8 = 0x80;
const TEXT: u8 = 0x81;
const BINARY_TO_BE_CONTINUED: u8 = 0x02;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PING_TO_BE_CONTINUED: u8 = 0x09;
const PONG: u8 = 0x8a;

/// How to behave towards a server.
pub struct Manner(Box<dyn FnOnce(SocketAddr, Answer) -> BoxFuture<'static, Answer>>);

pub fn all() -> Vec<(&'static str, Manner, Answer)> {
    let refused = Answer::Closed(CloseCode::Protocol);
    let too_big = Answer::Closed(CloseCode::TooBig);
    let silent = Answer::Closed(CloseCode::Silent);
    let mut all = vec![
        ("silence", Manner::raw(vec![]), silent),
        (
            "half-a-hello",
            Manner::raw(frame(BINARY, &messages::hello(|_| {}))[..9].to_vec()),
            silent,
        ),
        ("pings-before-hello", Manner::raw(frame(PING, b"?").repeat(50_000)), silent),
        ("many-strangers", Manner::strangers(), Answer::Served),
        (
            "half-a-request",
            Manner::http(b"GET /thicket/one HTTP/1.1\r\nHo".to_vec()),
            Answer::Dropped,
        ),
        ("no-request", Manner::http(vec![]), Answer::Dropped),
        ("a-request-that-is-none", Manner::http(vec![0xff; 100_000]), Answer::Http(400)),
        ("a-header-without-end", Manner::http(long_header()), Answer::Http(431)),
        ("headers-without-end", Manner::http(many_headers()), Answer::Http(431)),
        ("a-long-address", Manner::http(long_address()), Answer::Http(431)),
        ("a-body-of-2^60-bytes", Manner::http(long_body()), Answer::Http(405)),
    ];
    let on_the_wire = [
        ("text", frame(TEXT, b"hello"), refused),
        ("text-that-is-none", frame(TEXT, &[0xff, 0xfe]), refused),
        ("a-reserved-bit", frame(0xc2, &[2, 1]), refused),
        ("a-reserved-opcode", frame(0x85, &[2, 1]), refused),
        ("no-mask", vec![BINARY, 2, 2, 1], refused),
        ("a-frame-of-2^62-bytes", header(BINARY, 1 << 62), too_big),
        ("a-frame-of-2^64-bytes", header(BINARY, u64::MAX), too_big),
        ("a-frame-with-a-byte-too-many", frame(BINARY, &vec![0; 256 * 1024 + 1]), too_big),
        ("fragments-without-end", fragments(1_024, 300), too_big),
        ("empty-fragments", empty_fragments(), Answer::Served),
        ("a-continuation-of-nothing", frame(CONTINUED_LAST, &[1]), refused),
        ("a-message-within-a-message", within(), refused),
        ("pings", frame(PING, b"?").repeat(1_100), Answer::Served),
        ("pongs", frame(PONG, b"!").repeat(1_100), Answer::Served),
        ("a-long-ping", frame(PING, &[0; 126]), refused),
        ("a-ping-in-fragments", frame(PING_TO_BE_CONTINUED, b"?"), refused),
        ("a-close-that-is-no-text", frame(CLOSE, &[0x03, 0xe8, 0xff, 0xfe]), refused),
        ("a-close-of-one-byte", frame(CLOSE, &[0x03]), refused),
        ("tiny-submissions", tiny_submissions(), Answer::Served),
        ("no-submissions-at-all", frame(BINARY, &[1, 0]).repeat(1_100), Answer::Served),
        (
            "answers-to-no-question",
            frame(BINARY, &messages::checked()).repeat(1_100),
            Answer::Served,
        ),
        ("messages-of-a-ping", frame(BINARY, &messages::ping(1)).repeat(1_100), Answer::Served),
    ];
    let hello = frame(BINARY, &messages::hello(|_| {}));
    for (name, bytes, answer) in on_the_wire {
        all.push((name, Manner::raw([hello.clone(), bytes].concat()), answer));
    }
    all
}

impl Manner {
    fn new<F>(be: impl FnOnce(SocketAddr, Answer) -> F + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        Self(Box::new(move |address, expected| Box::pin(be(address, expected))))
    }

    /// Comes to the session, and behaves so.
    pub async fn be(self, address: SocketAddr, expected: Answer) -> Answer {
        (self.0)(address, expected).await
    }

    /// Sends a message.
    pub fn message(place: Place, message: Vec<u8>) -> Self {
        let hello = match place {
            Place::First => Vec::new(),
            Place::AfterHello => frame(BINARY, &messages::hello(|_| {})),
        };
        Self::raw([hello, frame(BINARY, &message)].concat())
    }

    /// Sends these bytes on a WebSocket.
    fn raw(bytes: Vec<u8>) -> Self {
        Self::new(async move |address, expected| {
            let mut stream = upgraded(address).await.into_inner();
            let ping = if bytes.is_empty() { Vec::new() } else { frame(BINARY, &last_ping()) };
            throw(&mut stream, [bytes, ping].concat(), expected).await
        })
    }

    /// Says that it was here before, over and over; the last stays.
    fn strangers() -> Self {
        Self::new(async |address, expected| {
            for _ in 0..200 {
                let mut stream = upgraded(address).await.into_inner();
                let hello = frame(BINARY, &messages::stranger());
                stream.write_all(&hello).await.unwrap();
            }
            let mut stream = upgraded(address).await.into_inner();
            let stranger = frame(BINARY, &messages::stranger());
            throw(&mut stream, [stranger, frame(BINARY, &last_ping())].concat(), expected).await
        })
    }

    /// Sends these bytes where a request is expected.
    fn http(bytes: Vec<u8>) -> Self {
        Self::new(async move |address, _| {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let (mut read, mut write) = stream.split();
            let mut answer = Vec::new();
            // The server may end it before it has taken all.
            let (_, _) = tokio::join!(write.write_all(&bytes), read.read_to_end(&mut answer));
            let status = answer.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
            match status {
                Some(status) => Answer::Http(str::from_utf8(status).unwrap().parse().unwrap()),
                None => Answer::Dropped,
            }
        })
    }
}

/// Sends and listens at once: whoever only sends is not told anything.
async fn throw(stream: &mut TcpStream, bytes: Vec<u8>, expected: Answer) -> Answer {
    let (read, mut write) = stream.split();
    let mut socket = WebSocketStream::from_raw_socket(
        tokio::io::join(read, tokio::io::sink()),
        Role::Client,
        None,
    )
    .await;
    // The server may have had enough before it has taken all.
    let send = async {
        let _ = write.write_all(&bytes).await;
        std::future::pending().await
    };
    tokio::select! {
        answer = answer(&mut socket, expected) => answer,
        () = send => unreachable!("it is pending"),
    }
}

/// A frame with a mask that changes nothing.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [header(first, payload.len() as u64), payload.to_vec()].concat()
}

fn header(first: u8, length: u64) -> Vec<u8> {
    const MASKED: u8 = 0x80;
    const NO_MASK: [u8; 4] = [0; 4];
    let length = match length {
        0..=125 => vec![MASKED | length as u8],
        126..=0xffff => [vec![MASKED | 126], (length as u16).to_be_bytes().to_vec()].concat(),
        _ => [vec![MASKED | 127], length.to_be_bytes().to_vec()].concat(),
    };
    [vec![first], length, NO_MASK.to_vec()].concat()
}

fn fragments(bytes: usize, count: usize) -> Vec<u8> {
    let more = frame(CONTINUED, &vec![0; bytes]).repeat(count);
    [frame(BINARY_TO_BE_CONTINUED, &[]), more].concat()
}

/// A ping, after a great many fragments of nothing.
fn empty_fragments() -> Vec<u8> {
    [fragments(0, 100_000), frame(CONTINUED_LAST, &messages::ping(1))].concat()
}

fn within() -> Vec<u8> {
    [frame(BINARY_TO_BE_CONTINUED, &[2]), frame(BINARY, &[2, 1])].concat()
}

fn tiny_submissions() -> Vec<u8> {
    (1..=1_100).flat_map(|seq| frame(BINARY, &messages::submission(seq, vec![0]))).collect()
}

fn long_header() -> Vec<u8> {
    let long = "x".repeat(1024 * 1024);
    format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n").into_bytes()
}

fn many_headers() -> Vec<u8> {
    let many = "A: b\r\n".repeat(100_000);
    format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{many}\r\n").into_bytes()
}

fn long_address() -> Vec<u8> {
    format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(1024 * 1024)).into_bytes()
}

fn long_body() -> Vec<u8> {
    let head =
        format!("POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", 1u64 << 60);
    [head.into_bytes(), vec![0; 1024 * 1024]].concat()
}
