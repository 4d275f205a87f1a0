//! A server on a thread and a port of its own, whose memory is counted, and
//! somebody who is there to be undisturbed.

use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::Duration;

use aper::protocol::{ClientMessage, CloseCode, ServerMessage, decode};
use aper::{ClientId, ClientSeq, LocalTime};
use aper_server::{Limits, Server};
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::machine::Thicket;
use super::messages;

/// What somebody is given who says nothing: so short that nobody waits long.
const PATIENCE: Duration = Duration::from_millis(300);

/// By this a client knows its own ping again.
pub const PING: LocalTime = LocalTime::from_millis(77);

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A ping at the end is answered like everybody's.
    Served,
    /// With a close frame.
    Closed(CloseCode),
    /// Without a word.
    Dropped,
    /// It has never become a WebSocket.
    Http(u16),
}

pub struct Target {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<u64>,
}

impl Target {
    pub fn start() -> Self {
        let (stop, stopped) = oneshot::channel();
        let (address, listening) = std::sync::mpsc::channel();
        let server = std::thread::spawn(move || {
            // All that the server does, it does on this thread.
            allocation_counter::measure(|| run(address, stopped)).bytes_max
        });
        Self { address: listening.recv().unwrap(), stop, server }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client that behaves, in the session that the bad ones come to.
    pub async fn neighbour(&self) -> Neighbour {
        let mut socket = upgraded(self.address).await;
        let hello = messages::hello(|_| {});
        socket.send(Message::Binary(hello.into())).await.unwrap();
        let ServerMessage::Welcome(welcome) = next(&mut socket).await else {
            panic!("a server welcomes first");
        };
        Neighbour { socket, client: welcome.client, last: ClientSeq(0) }
    }

    /// Ends the server, which has to be there still, and gives the most memory
    /// that it had in use at a time, in bytes.
    pub fn stop(self) -> u64 {
        self.stop.send(()).expect("the server runs until it is told to stop");
        self.server.join().expect("the server has not panicked")
    }
}

fn run(address: std::sync::mpsc::Sender<SocketAddr>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let limits =
            Limits { headers_within: PATIENCE, hello_within: PATIENCE, ..Limits::default() };
        let server = Server::builder().limits(limits).machine(|_| Thicket::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        address.send(listener.local_addr().unwrap()).unwrap();
        let shutdown = async { stopped.await.unwrap_or_default() };
        server.build().unwrap().serve(listener, shutdown).await;
    });
}

/// A WebSocket on which nothing was said yet.
pub async fn upgraded(address: SocketAddr) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(address).await.unwrap();
    let mut request = format!("ws://{address}/thicket/one").into_client_request().unwrap();
    let protocol = HeaderValue::from_static("aper.1");
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    client_async(request, stream).await.unwrap().0
}

pub struct Neighbour {
    socket: WebSocketStream<TcpStream>,
    client: ClientId,
    last: ClientSeq,
}

impl Neighbour {
    /// Does what it came for, several times, and sees it done.
    pub async fn adds(&mut self) {
        for _ in 0..10 {
            self.last = self.last.next();
            let submit = messages::submission(self.last.0, vec![0]);
            self.socket.send(Message::Binary(submit.into())).await.unwrap();
            self.sees_its_own().await;
        }
    }

    async fn sees_its_own(&mut self) {
        loop {
            let ServerMessage::Commits(entries) = next(&mut self.socket).await else { continue };
            let own = (self.client, self.last);
            if entries.iter().any(|entry| (entry.client, entry.seq) == own) {
                return;
            }
        }
    }
}

async fn next(socket: &mut WebSocketStream<TcpStream>) -> ServerMessage {
    loop {
        match socket.next().await.expect("nobody ends this connection").unwrap() {
            Message::Binary(bytes) => return decode(&bytes).unwrap(),
            Message::Close(frame) => panic!("this connection is not the bad one: {frame:?}"),
            _ => {}
        }
    }
}

/// What becomes of a connection whose last message was a [`PING`]. The
/// connection answers that by itself, maybe before the session has had enough:
/// only who is to be served goes by it.
pub async fn answer<S>(socket: &mut WebSocketStream<S>, expected: Answer) -> Answer
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Binary(bytes) => {
                let message = decode(&bytes).unwrap();
                let is_pong = matches!(message, ServerMessage::Pong { sent, .. } if sent == PING);
                if is_pong && expected == Answer::Served {
                    return Answer::Served;
                }
            }
            Message::Close(frame) => {
                let code = frame.map_or(1005, |frame| frame.code.into());
                return Answer::Closed(CloseCode::from_number(code).expect("a code of ours"));
            }
            _ => {}
        }
    }
    Answer::Dropped
}

/// The ping of [`answer`].
pub fn last_ping() -> Vec<u8> {
    aper::protocol::encode(&ClientMessage::Ping { sent: PING }).unwrap()
}
