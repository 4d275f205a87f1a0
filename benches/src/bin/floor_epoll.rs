//! The floor of the machine: one thread around the operating system's event
//! queue. Whatever clients send is gathered, framed once, and written to
//! everybody in as few calls as there are connections. No logic, no sessions.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result};
use aper_benches::process::READY;
use aper_benches::websocket::{self, Kind, Sender};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

const LISTENER: Token = Token(usize::MAX);
const READ_BYTES: usize = 256 * 1024;

struct Connection {
    stream: TcpStream,
    stage: Stage,
    /// What was read and is no whole frame yet.
    inbox: Vec<u8>,
    /// What the socket did not take yet.
    outbox: Vec<u8>,
}

#[derive(PartialEq, Eq)]
enum Stage {
    Greeting,
    Open,
    Gone,
}

fn main() -> Result<()> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    writeln!(std::io::stdout(), "{READY}{}", listener.local_addr()?).context("nobody listens")?;

    let mut events = Events::with_capacity(1024);
    let mut connections: Vec<Connection> = Vec::new();
    let mut scratch = vec![0; READ_BYTES];
    let mut batch = Vec::new();
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            match event.token() {
                LISTENER => accept(&listener, &poll, &mut connections)?,
                Token(place) => {
                    let connection = &mut connections[place];
                    if event.is_writable() {
                        connection.write();
                    }
                    if event.is_readable() {
                        connection.read(&mut scratch, &mut batch);
                    }
                }
            }
        }
        if !batch.is_empty() {
            for connection in &mut connections {
                connection.send(&batch);
            }
            batch.clear();
        }
    }
}

fn accept(listener: &TcpListener, poll: &Poll, connections: &mut Vec<Connection>) -> Result<()> {
    loop {
        let mut stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        stream.set_nodelay(true)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(connections.len()), interest)?;
        let (inbox, outbox) = (Vec::new(), Vec::new());
        connections.push(Connection { stream, stage: Stage::Greeting, inbox, outbox });
    }
}

impl Connection {
    /// Reads what is there; whole messages go into the batch, framed anew.
    fn read(&mut self, scratch: &mut [u8], batch: &mut Vec<u8>) {
        loop {
            match self.stream.read(scratch) {
                Ok(0) => return self.go(),
                Ok(len) => {
                    self.take(&scratch[..len], batch);
                    if len < scratch.len() {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => return self.go(),
            }
        }
    }

    fn take(&mut self, bytes: &[u8], batch: &mut Vec<u8>) {
        if self.inbox.is_empty() && self.stage == Stage::Open {
            let taken = self.frames(bytes, batch);
            return self.inbox.extend_from_slice(&bytes[taken..]);
        }
        self.inbox.extend_from_slice(bytes);
        let mut inbox = std::mem::take(&mut self.inbox);
        if self.stage == Stage::Greeting {
            match websocket::head(&inbox) {
                Ok(Some(end)) => {
                    self.greet(&inbox[..end]);
                    inbox.drain(..end);
                }
                Ok(None) => {}
                Err(_) => self.go(),
            }
        }
        if self.stage == Stage::Open {
            let taken = self.frames(&inbox, batch);
            inbox.drain(..taken);
        }
        if !inbox.is_empty() {
            self.inbox = inbox;
        }
    }

    fn greet(&mut self, head: &[u8]) {
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        let key = lines.find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"));
        let Some((_, key)) = key else { return self.go() };
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            derive_accept_key(key.as_bytes())
        );
        self.stage = Stage::Open;
        self.send(response.as_bytes());
    }

    /// How many bytes were whole frames.
    fn frames(&mut self, bytes: &[u8], batch: &mut Vec<u8>) -> usize {
        let mut taken = 0;
        loop {
            let rest = &bytes[taken..];
            let frame = match websocket::frame(rest) {
                Ok(Some(frame)) => frame,
                Ok(None) => return taken,
                Err(_) => {
                    self.go();
                    return bytes.len();
                }
            };
            if frame.kind == Kind::Binary {
                websocket::write(batch, Sender::Server, &rest[frame.start..frame.end]);
                let payload = batch.len() - (frame.end - frame.start);
                websocket::unmask(&mut batch[payload..], frame.mask);
            }
            taken += frame.end;
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        if self.stage != Stage::Open {
            return;
        }
        if !self.outbox.is_empty() {
            return self.outbox.extend_from_slice(bytes);
        }
        match self.stream.write(bytes) {
            Ok(written) => self.outbox.extend_from_slice(&bytes[written..]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.outbox.extend_from_slice(bytes);
            }
            Err(_) => self.go(),
        }
        if !self.outbox.is_empty() {
            self.write();
        }
    }

    fn write(&mut self) {
        let mut written = 0;
        while written < self.outbox.len() {
            match self.stream.write(&self.outbox[written..]) {
                Ok(more) => written += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return self.go(),
            }
        }
        self.outbox.drain(..written);
    }

    fn go(&mut self) {
        self.stage = Stage::Gone;
        self.inbox = Vec::new();
        self.outbox = Vec::new();
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}
