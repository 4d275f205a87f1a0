//! The floor of the library: tokio-tungstenite in the ordinary way, with its
//! own defaults. Whatever a client sends goes to everybody, as it is. No
//! logic, no sessions, no bounds but the channel's.

use std::io::Write;
use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};
use aper_benches::process::READY;
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::Message;

/// More messages than all clients together have on their way.
const MESSAGES: usize = 1 << 16;

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve())
}

async fn serve() -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    writeln!(std::io::stdout(), "{READY}{address}").context("nobody listens")?;
    let (everybody, _) = broadcast::channel(MESSAGES);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A client that goes is gone; one that lags is found by the generator.
        tokio::spawn(connection(stream, everybody.clone(), everybody.subscribe()));
    }
}

async fn connection(
    stream: TcpStream,
    everybody: broadcast::Sender<Bytes>,
    mut messages: broadcast::Receiver<Bytes>,
) -> Result<()> {
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    loop {
        tokio::select! {
            received = socket.next() => match received {
                Some(Ok(Message::Binary(bytes))) => {
                    let _ = everybody.send(bytes);
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(()),
            },
            message = messages.recv() => {
                socket.feed(Message::Binary(message?)).await?;
                while let Ok(message) = messages.try_recv() {
                    socket.feed(Message::Binary(message)).await?;
                }
                socket.flush().await?;
            }
        }
    }
}
