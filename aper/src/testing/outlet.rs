//! What the simulated server is about to send to one client: its answers, and
//! the log from its cursor on. As in the real server, an answer is sent before
//! any entry that was published after it was given, and may go ahead of others.

use std::collections::VecDeque;

use super::fault::Fault;
use super::report::Report;
use crate::id::{ClientId, ClientSeq, ResumeKey, Version};
use crate::protocol::message::SnapshotHeader;
use crate::protocol::{Entry, Payload, Rejection, ServerMessage, Welcome};
use crate::sync::authority::Image;
use crate::sync::presence::{PresenceRevision, PresenceTable};

/// Pieces in which a snapshot travels.
const CHUNKS: usize = 3;

/// The end of the log, in memory.
#[derive(Default)]
pub(super) struct Tail {
    /// The version after which all entries are here.
    pub(super) floor: Version,
    entries: VecDeque<Entry>,
    /// After which of them everybody is asked what their state comes to.
    asked: VecDeque<Version>,
}

/// The server's end of a connection.
pub(super) struct Outlet {
    /// Whose connection it really is.
    pub(super) owner: usize,
    pub(super) stage: Stage,
    /// Whom its `Hello` claimed to be.
    pub(super) resume: Option<(ClientId, ResumeKey)>,
    /// Who it is, once it has been told.
    pub(super) client: Option<ClientId>,
    pub(super) answers: VecDeque<Answer>,
    log: Log,
    cursor: Version,
    /// Up to where it was told what clients show.
    presence: PresenceRevision,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has not said hello.
    Silent,
    /// The session knows it.
    Joined,
}

/// What is for one client alone.
pub(super) enum Answer {
    Welcome { welcome: Box<Welcome>, image: Option<Image>, from: Version },
    Snapshot { image: Image, last_seq: ClientSeq },
    Reject(Rejection),
    Pong(ServerMessage),
}

/// Where the client is with the log.
enum Log {
    Unwelcomed,
    Following,
    SnapshotAsked,
    Snapshot(VecDeque<ServerMessage>),
}

/// Whether more than answers is to be sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Round {
    Answers,
    Whole,
}

/// What a round of writing comes to.
#[derive(Default)]
pub(super) struct Written {
    pub(super) messages: Vec<ServerMessage>,
    /// The client is so far behind that only a snapshot can help.
    pub(super) fell_off: bool,
}

impl Tail {
    pub(super) fn at(floor: Version) -> Self {
        Self { floor, ..Self::default() }
    }

    pub(super) fn head(&self) -> Version {
        self.entries.back().map_or(self.floor, |last| last.version)
    }

    pub(super) fn publish<'e>(
        &mut self,
        entries: impl IntoIterator<Item = &'e Entry>,
        room: usize,
    ) {
        self.entries.extend(entries.into_iter().cloned());
        while self.entries.len() > room
            && let Some(oldest) = self.entries.pop_front()
        {
            self.floor = oldest.version;
        }
        self.asked.retain(|&version| version > self.floor);
    }

    pub(super) fn ask(&mut self, version: Version) {
        self.asked.push_back(version);
    }

    /// The entries after a version, up to the next question; that last.
    fn read(&self, cursor: Version) -> (Vec<ServerMessage>, Version) {
        let ask = self.asked.iter().copied().find(|&version| version > cursor);
        let until = ask.unwrap_or(self.head());
        let is_wanted = |entry: &&Entry| cursor < entry.version && entry.version <= until;
        let entries: Vec<Entry> = self.entries.iter().filter(is_wanted).cloned().collect();
        if entries.is_empty() {
            return (Vec::new(), cursor);
        }
        let mut messages = vec![ServerMessage::Commits(entries)];
        messages.extend(ask.map(|version| ServerMessage::Check { version }));
        (messages, until)
    }
}

impl Outlet {
    pub(super) fn of(owner: usize) -> Self {
        Self {
            owner,
            stage: Stage::Silent,
            resume: None,
            client: None,
            answers: VecDeque::new(),
            log: Log::Unwelcomed,
            cursor: Version(0),
            presence: PresenceRevision::default(),
        }
    }

    /// Whether there is anything to send.
    pub(super) fn has_work(&self, tail: &Tail, table: &PresenceTable) -> bool {
        let is_welcomed = !matches!(self.log, Log::Unwelcomed);
        !self.answers.is_empty()
            || is_welcomed && self.presence < table.revision()
            || match self.log {
                Log::Unwelcomed | Log::SnapshotAsked => false,
                Log::Following => self.cursor < tail.head(),
                Log::Snapshot(_) => true,
            }
    }

    pub(super) fn write(
        &mut self,
        round: Round,
        tail: &Tail,
        table: &PresenceTable,
        report: &mut Report,
    ) -> Written {
        let mut written = Written::default();
        let behind = matches!(self.log, Log::Following) && self.cursor < tail.head();
        while let Some(answer) = self.answers.pop_front() {
            if behind && matches!(answer, Answer::Reject(_)) {
                report.happened(Fault::Overtaken);
            }
            self.answer(answer, &mut written.messages, report);
        }
        if round == Round::Whole {
            self.write_presence(table, &mut written);
            self.write_log(tail, &mut written);
        }
        written
    }

    /// What a client is still told when its connection is ended.
    pub(super) fn last_words(self) -> Vec<ServerMessage> {
        if matches!(self.log, Log::Unwelcomed) {
            return Vec::new();
        }
        let words = self.answers.into_iter().filter_map(|answer| match answer {
            Answer::Reject(rejection) => Some(ServerMessage::Rejects(vec![rejection])),
            Answer::Pong(pong) => Some(pong),
            Answer::Welcome { .. } | Answer::Snapshot { .. } => None,
        });
        words.collect()
    }

    fn answer(&mut self, answer: Answer, messages: &mut Vec<ServerMessage>, report: &mut Report) {
        match answer {
            Answer::Welcome { welcome, image, from } => {
                let last_seq = welcome.last_seq;
                messages.push(ServerMessage::Welcome(*welcome));
                self.cursor = from;
                self.log = Log::Following;
                if let Some(image) = image {
                    self.begin_snapshot(&image, last_seq, messages, report);
                }
            }
            Answer::Snapshot { image, last_seq } => {
                self.cursor = image.version();
                self.begin_snapshot(&image, last_seq, messages, report);
            }
            Answer::Reject(rejection) => messages.push(ServerMessage::Rejects(vec![rejection])),
            Answer::Pong(pong) => messages.push(pong),
        }
    }

    fn begin_snapshot(
        &mut self,
        image: &Image,
        last_seq: ClientSeq,
        messages: &mut Vec<ServerMessage>,
        report: &mut Report,
    ) {
        let bytes = image.encode().expect("a state can be encoded");
        let (version, at, length) = (image.version(), image.at(), bytes.len() as u64);
        let header = SnapshotHeader { version, at, last_seq, bytes: length };
        messages.push(ServerMessage::Snapshot(header));
        let chunks = bytes.chunks(bytes.len().div_ceil(CHUNKS).max(1));
        let chunk = |bytes: &[u8]| ServerMessage::Chunk(Payload(bytes.to_vec()));
        self.log = Log::Snapshot(chunks.map(chunk).collect());
        report.snapshots += 1;
    }

    fn write_presence(&mut self, table: &PresenceTable, written: &mut Written) {
        if matches!(self.log, Log::Unwelcomed) {
            return;
        }
        let news = table.read(self.presence);
        self.presence = news.revision;
        written.messages.extend(news.updates.into_iter().map(ServerMessage::Presence));
    }

    fn write_log(&mut self, tail: &Tail, written: &mut Written) {
        match &mut self.log {
            Log::Unwelcomed | Log::SnapshotAsked => {}
            Log::Snapshot(chunks) => {
                written.messages.extend(chunks.pop_front());
                if chunks.is_empty() {
                    self.log = Log::Following;
                }
            }
            Log::Following if self.cursor < tail.floor => {
                self.log = Log::SnapshotAsked;
                written.fell_off = true;
            }
            Log::Following => {
                let (messages, cursor) = tail.read(self.cursor);
                written.messages.extend(messages);
                self.cursor = cursor;
            }
        }
    }
}
