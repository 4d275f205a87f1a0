//! One client: its connection, and what it has sent and been told.

use std::collections::VecDeque;
use std::io::{ErrorKind, Write};

use anyhow::{Context as _, Result, ensure};
use mio::net::TcpStream;

pub(super) struct Client {
    pub(super) stream: TcpStream,
    pub(super) session: usize,
    pub(super) author: u64,
    pub(super) stage: Stage,
    pub(super) inbox: Vec<u8>,
    pub(super) outbox: Vec<u8>,
    /// What it was told last.
    pub(super) position: u64,
    pub(super) last_seq: u64,
    pub(super) last_decided: u64,
    pub(super) unanswered: u32,
    /// When each mutation that nobody was told yet was sent.
    pub(super) sent: VecDeque<u64>,
    pub(super) connected: u64,
    /// How many of its messages are kept for later.
    pub(super) early: usize,
    /// As many mutations are kept on their way.
    pub(super) window: u32,
    /// How those are sent that are sent together.
    pub(super) packing: Packing,
}

/// How mutations are sent that are sent together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// Each in a message of its own.
    Apart,
    /// In one message.
    Together,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Upgrading,
    Greeting,
    /// Waits for this many bytes of a state, once it has been announced.
    Receiving(Option<u64>),
    Joined,
    Left,
}

impl Client {
    /// When the mutation was sent that is now known to be decided.
    pub(super) fn decided(&mut self, seq: u64) -> Result<u64> {
        ensure!(seq == self.last_decided + 1, "a mutation is missing, or comes twice");
        self.last_decided = seq;
        self.sent.pop_front().context("a mutation that was not sent")
    }

    pub(super) fn write(&mut self) -> Result<()> {
        let mut written = 0;
        while written < self.outbox.len() {
            match self.stream.write(&self.outbox[written..]) {
                Ok(more) => written += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error).context("the connection broke"),
            }
        }
        self.outbox.drain(..written);
        Ok(())
    }
}
