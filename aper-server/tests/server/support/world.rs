//! A server and the network to it, in memory: so that a test that pauses the
//! clock decides how time goes by.

use std::io;

use aper_server::{Limits, Server, ServerBuilder};
use axum::http::HeaderValue;
use axum::http::header::{HeaderName, SEC_WEBSOCKET_PROTOCOL};
use axum::serve::Listener;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::machine::Tally;

/// Bytes that a connection holds on their way, in each direction.
const PIPE_BYTES: usize = 64 * 1024;

pub type Socket = WebSocketStream<DuplexStream>;

pub struct World {
    pub server: Server,
    pub network: Network,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

/// Where clients connect.
#[derive(Clone)]
pub struct Network {
    connect: mpsc::UnboundedSender<DuplexStream>,
}

struct Pipes {
    incoming: mpsc::UnboundedReceiver<DuplexStream>,
}

impl Listener for Pipes {
    type Io = DuplexStream;
    type Addr = &'static str;

    async fn accept(&mut self) -> (DuplexStream, &'static str) {
        match self.incoming.recv().await {
            Some(pipe) => (pipe, "pipe"),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<&'static str> {
        Ok("pipe")
    }
}

impl World {
    /// A server of tallies with the default limits.
    pub fn new() -> Self {
        Self::with(tallies())
    }

    pub fn with_limits(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::default();
        change(&mut limits);
        Self::with(tallies().limits(limits))
    }

    pub fn with(builder: ServerBuilder) -> Self {
        let server = builder.build().unwrap();
        let (connect, incoming) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            // A world that is dropped stops its server as well.
            let _ = stopped.await;
        };
        let running = tokio::spawn(server.clone().serve_on(Pipes { incoming }, shutdown));
        Self { server, network: Network { connect }, stop: Some(stop), running }
    }

    /// Tells the server to stop, and waits until it has.
    pub async fn stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
        (&mut self.running).await.unwrap();
    }

    /// Waits until no session is awake.
    pub async fn asleep(&self) {
        super::eventually(|| self.server.sessions_awake() == 0).await;
    }
}

pub fn tallies() -> ServerBuilder {
    Server::builder().machine(|_| Tally::default())
}

impl Network {
    /// A connection without anything on it yet.
    pub fn pipe(&self) -> DuplexStream {
        self.pipe_of(PIPE_BYTES)
    }

    /// One that holds so many bytes on their way.
    pub fn pipe_of(&self, bytes: usize) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(bytes);
        // A server that has stopped has dropped the other end.
        let _ = self.connect.send(theirs);
        ours
    }

    /// A WebSocket at a path, as `aper.1`.
    pub async fn socket(&self, path: &str) -> Result<Socket, Error> {
        self.socket_with(path, &[(SEC_WEBSOCKET_PROTOCOL, "aper.1")]).await
    }

    /// A WebSocket at a path, with other headers.
    pub async fn socket_with(
        &self,
        path: &str,
        headers: &[(HeaderName, &str)],
    ) -> Result<Socket, Error> {
        self.socket_on(self.pipe(), path, headers).await
    }

    pub async fn socket_on(
        &self,
        pipe: DuplexStream,
        path: &str,
        headers: &[(HeaderName, &str)],
    ) -> Result<Socket, Error> {
        let mut request = format!("ws://server.test{path}").into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        Ok(client_async(request, pipe).await?.0)
    }

    /// Status line, headers and body of what is answered to a request.
    pub async fn request(&self, head: &str) -> String {
        let mut pipe = self.pipe();
        let request = format!("{head}\r\nHost: server.test\r\nConnection: close\r\n\r\n");
        pipe.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        pipe.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }
}
