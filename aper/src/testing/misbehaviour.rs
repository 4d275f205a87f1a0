//! A client that is none of this library's. It may cost itself its connection,
//! and nobody else anything (I8).

use std::fmt::Debug;

use uuid::Uuid;

use super::fault::Fault;
use super::oracle::Violation;
use super::outlet::Round;
use super::script::Misdeed;
use super::world::World;
use crate::id::{ClientSeq, ResumeKey, Version};
use crate::limits;
use crate::protocol::{
    ClientMessage, Hello, PROTOCOL, Payload, Resume, StateHash, Submission, decode, encode,
};
use crate::state_machine::StateMachine;
use crate::sync::ConnectionId;

#[derive(Default)]
pub(super) struct Villain {
    pub(super) link: Option<ConnectionId>,
}

impl<S: StateMachine + PartialEq + Debug> World<S> {
    pub(super) fn misbehave(&mut self, misdeed: &Misdeed<S::Transition>) -> Result<(), Violation> {
        match misdeed {
            Misdeed::Join => self.intrude(None),
            Misdeed::Impersonate { client } => {
                let victim = &self.pages[client % self.pages.len()];
                let Some(identity) = victim.identity else { return Ok(()) };
                let (client, key) = (identity.client, ResumeKey(Uuid::from_bytes([7; 16])));
                let unanswered = ClientSeq(1);
                self.oracle.report.happened(Fault::ForeignKey);
                self.villain_leaves()?;
                self.intrude(Some(Resume { client, key, holds: None, unanswered }))
            }
            Misdeed::Garbage { bytes } => self.send_garbage(bytes),
            Misdeed::Number { seqs, transition } => {
                let is_in_order = seqs.is_sorted_by(|one, next| one < next);
                if self.villain.link.is_some() && !is_in_order {
                    self.oracle.report.happened(Fault::Disorder);
                }
                self.send_numbered(seqs.iter().copied(), transition)
            }
            Misdeed::Flood { transition } => {
                if self.villain.link.is_some() {
                    self.oracle.report.happened(Fault::TooMany);
                }
                let too_many = u64::from(limits::UNANSWERED_SUBMISSIONS) + 1;
                self.send_numbered(1..=too_many, transition)
            }
            Misdeed::WrongHash { hash } => self.claim(StateHash(*hash)),
            Misdeed::Leave => self.villain_leaves(),
        }
    }

    fn intrude(&mut self, resume: Option<Resume>) -> Result<(), Violation> {
        if self.villain.link.is_some() {
            return Ok(());
        }
        let connection = self.network.open(self.pages.len());
        self.server.connected(connection, self.pages.len());
        self.villain.link = Some(connection);
        let (machine, schema) = (S::NAME.to_owned(), S::SCHEMA);
        let hello = Hello { protocol: PROTOCOL, machine, schema, token: None, resume };
        self.villain_sends(ClientMessage::Hello(hello))
    }

    pub(super) fn villain_leaves(&mut self) -> Result<(), Violation> {
        let Some(connection) = self.villain.link.take() else { return Ok(()) };
        self.network.remove(connection);
        self.server_loses(connection)
    }

    fn villain_sends(&mut self, message: ClientMessage) -> Result<(), Violation> {
        let Some(connection) = self.villain.link else { return Ok(()) };
        self.serve(|server, oracle| server.take(connection, message, oracle))?;
        // It takes in what it is sent, and learns nothing.
        while self.server.has_to_write(connection) {
            self.server.write(connection, Round::Whole, &mut self.oracle)?;
        }
        self.end_closed()
    }

    fn send_garbage(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        if self.villain.link.is_none() {
            return Ok(());
        }
        self.oracle.report.happened(Fault::Garbage);
        if let Ok(message) = decode::<ClientMessage>(bytes) {
            self.villain_sends(message)?;
        }
        let transition = Payload(bytes.to_vec());
        let submission = Submission { seq: ClientSeq(1_000), transition };
        self.villain_sends(ClientMessage::Submit(vec![submission]))
    }

    fn send_numbered(
        &mut self,
        seqs: impl Iterator<Item = u64>,
        transition: &S::Transition,
    ) -> Result<(), Violation> {
        let payload = Payload(encode(transition).expect("a transition can be encoded"));
        let submission = |seq| Submission { seq: ClientSeq(seq), transition: payload.clone() };
        self.villain_sends(ClientMessage::Submit(seqs.map(submission).collect()))
    }

    fn claim(&mut self, hash: StateHash) -> Result<(), Violation> {
        let Some(connection) = self.villain.link else { return Ok(()) };
        let version = self.server.last_check().unwrap_or(Version(u64::MAX));
        if self.server.differs(version, hash) == Some(true) {
            self.oracle.report.happened(Fault::WrongHash);
            self.serve(|server, oracle| server.send_snapshot(connection, oracle))?;
        }
        self.villain_sends(ClientMessage::Checked { version, hash })
    }
}
