//! What is said on a connection: Aper's protocol; to the floors a mutation of
//! the same size without anything around it; or what a Yjs client says.

use anyhow::{Context as _, Result, bail};
use aper::limits::UNANSWERED_SUBMISSIONS;
use aper::protocol::{
    CatchUp, ClientMessage, Hello, PROTOCOL, Payload, SUBPROTOCOL, ServerMessage, Submission,
    decode, encode,
};
use aper::{ClientSeq, StateMachine};

use super::yjs;
use crate::machine::{Table, change};
use crate::websocket::{self, Sender};

/// Keys that mutations set.
const KEYS: u64 = 1_000;

/// The language of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Dialect {
    /// Aper's protocol.
    Aper,
    /// What a client sends goes to everybody as it is: who, its number, a key
    /// and a value.
    Raw,
    /// That of y-websocket: each mutation is an update of a Yjs document.
    Yjs,
}

/// What a message says.
#[derive(Debug)]
pub(super) enum Told {
    /// Who the client is; the log follows after `position`, or after a state.
    Welcome { author: u64, position: u64, snapshot: Snapshot },
    /// A state of so many bytes, and where it stands.
    State { position: u64, bytes: u64 },
    /// So many bytes of it.
    Chunk { bytes: u64 },
    /// What has happened, one after the other.
    Entries(Vec<Entry>),
    /// Nothing that is measured.
    Nothing,
}

/// Whether a state comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Snapshot {
    Comes,
    No,
}

/// One mutation, as everybody is told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its place in the one order, from 1; none where the server does not say.
    pub(super) position: Option<u64>,
    pub(super) author: u64,
    pub(super) seq: u64,
}

impl Dialect {
    /// The path of a session.
    pub(super) fn path(self, session: &str) -> String {
        match self {
            Self::Aper => format!("/{}/{session}", Table::NAME),
            Self::Raw | Self::Yjs => format!("/{session}"),
        }
    }

    pub(super) fn subprotocol(self) -> Option<&'static str> {
        match self {
            Self::Aper => Some(SUBPROTOCOL),
            Self::Raw | Self::Yjs => None,
        }
    }

    /// Whether sessions are kept apart.
    pub(super) fn knows_sessions(self) -> bool {
        self != Self::Raw
    }

    /// Whether a client takes part as soon as the connection is open: it is
    /// told from there on.
    pub(super) fn joins_by_connecting(self) -> bool {
        self != Self::Aper
    }

    /// The first message of a client, if it has to say anything first.
    pub(super) fn hello(self, out: &mut Vec<u8>) -> Result<()> {
        if self.joins_by_connecting() {
            return Ok(());
        }
        let hello = Hello {
            protocol: PROTOCOL,
            machine: Table::NAME.to_owned(),
            schema: Table::SCHEMA,
            token: None,
            resume: None,
        };
        websocket::write(out, Sender::Client, &encode(&ClientMessage::Hello(hello))?);
        Ok(())
    }

    /// A client's mutations of these numbers, from 1, in one message where
    /// several can be.
    pub(super) fn mutations(
        self,
        out: &mut Vec<u8>,
        author: u64,
        numbers: impl Iterator<Item = u64>,
    ) -> Result<()> {
        if self != Self::Aper {
            return numbers.into_iter().try_for_each(|seq| self.mutation(out, author, seq));
        }
        let submissions: Result<Vec<_>> = numbers.map(|seq| submission(author, seq)).collect();
        let submit = ClientMessage::Submit(submissions?);
        websocket::write(out, Sender::Client, &encode(&submit)?);
        Ok(())
    }

    /// A client's `seq`-th mutation, from 1.
    pub(super) fn mutation(self, out: &mut Vec<u8>, author: u64, seq: u64) -> Result<()> {
        match self {
            Self::Aper => self.mutations(out, author, std::iter::once(seq))?,
            Self::Raw => {
                let mut payload = [0; 24];
                payload[..4].copy_from_slice(&u32::try_from(author)?.to_le_bytes());
                payload[4..8].copy_from_slice(&u32::try_from(seq)?.to_le_bytes());
                payload[8..16].copy_from_slice(&(seq % KEYS).to_le_bytes());
                payload[16..].copy_from_slice(&seq.to_le_bytes());
                websocket::write(out, Sender::Client, &payload);
            }
            Self::Yjs => {
                let update = yjs::update(author, seq);
                websocket::write(out, Sender::Client, &update);
            }
        }
        Ok(())
    }

    /// The greatest number of mutations that one client may have on their way.
    pub(super) fn window(self) -> u32 {
        UNANSWERED_SUBMISSIONS
    }

    pub(super) fn read(self, payload: &[u8]) -> Result<Told> {
        match self {
            Self::Raw => {
                let (author, rest) = payload.split_first_chunk::<4>().context("no author")?;
                let seq = rest.first_chunk::<4>().context("no number")?;
                let author = u32::from_le_bytes(*author).into();
                let seq = u32::from_le_bytes(*seq).into();
                Ok(Told::Entries(vec![Entry { position: None, author, seq }]))
            }
            Self::Aper => read_aper(payload),
            Self::Yjs => Ok(match yjs::read(payload)? {
                Some((author, seq)) => Told::Entries(vec![Entry { position: None, author, seq }]),
                None => Told::Nothing,
            }),
        }
    }
}

fn submission(author: u64, seq: u64) -> Result<Submission> {
    let transition = Payload(encode(&change(author.wrapping_mul(31) + seq, KEYS))?);
    Ok(Submission { seq: ClientSeq(seq), transition })
}

fn read_aper(payload: &[u8]) -> Result<Told> {
    Ok(match decode(payload)? {
        ServerMessage::Welcome(welcome) => Told::Welcome {
            author: welcome.client.0,
            position: welcome.version.0,
            snapshot: match welcome.catch_up {
                CatchUp::Snapshot => Snapshot::Comes,
                CatchUp::Entries => Snapshot::No,
            },
        },
        ServerMessage::Snapshot(header) => {
            Told::State { position: header.version.0, bytes: header.bytes }
        }
        ServerMessage::Chunk(bytes) => Told::Chunk { bytes: bytes.0.len() as u64 },
        ServerMessage::Commits(entries) => {
            let entry = |entry: aper::protocol::Entry| Entry {
                position: Some(entry.version.0),
                author: entry.client.0,
                seq: entry.seq.0,
            };
            Told::Entries(entries.into_iter().map(entry).collect())
        }
        ServerMessage::Rejects(_) => bail!("a mutation was refused"),
        // A client may leave a check without an answer.
        ServerMessage::Pong { .. } | ServerMessage::Check { .. } | ServerMessage::Presence(_) => {
            Told::Nothing
        }
    })
}
