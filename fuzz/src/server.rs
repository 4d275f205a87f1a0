//! A server that follows its own rules: messages with the shape of real ones,
//! and numbers that are right, nearly right, or anything.

use aper::protocol::{
    CatchUp, Entry, Payload, PresenceChange, PresenceExtent, PresenceUpdate, RefusalMessage,
    Rejection, ServerMessage, SnapshotHeader, Submission, Welcome, encode,
};
use aper::{
    ClientId, ClientSeq, Epoch, HistoryId, Identity, LocalTime, ResumeKey, UserId, Version,
};
use arbitrary::{Arbitrary, Result, Unstructured};
use uuid::Uuid;

use crate::machine::{Change, Refused, Scene, moment};

/// What the server makes its messages of.
pub struct HostileServer {
    /// The version that a good server would be at.
    version: u64,
    /// The highest number that the client has used.
    seq: u64,
    identity: Identity,
    /// What is left of a snapshot that was begun.
    state: Vec<u8>,
}

impl Default for HostileServer {
    fn default() -> Self {
        let identity = Identity { client: ClientId(3), key: ResumeKey(Uuid::from_u128(7)) };
        Self { version: 5, seq: 0, identity, state: Vec::new() }
    }
}

impl HostileServer {
    /// It was sent these.
    pub fn hear(&mut self, submissions: &[Submission]) {
        let highest = submissions.iter().map(|submission| submission.seq.0).max();
        self.seq = self.seq.max(highest.unwrap_or(0));
    }

    /// The next message, as `u` would have it.
    pub fn message(&mut self, u: &mut Unstructured<'_>) -> Result<ServerMessage> {
        Ok(match u.int_in_range(0..=11)? {
            0 | 1 => ServerMessage::Welcome(self.welcome(u)?),
            2 => self.snapshot(u)?,
            3 | 4 => self.chunk(u)?,
            5..=8 => ServerMessage::Commits(self.entries(u)?),
            9 | 10 => ServerMessage::Rejects(self.rejections(u)?),
            _ if u.arbitrary()? => ServerMessage::Presence(presence(u)?),
            _ => ServerMessage::Pong {
                sent: LocalTime::from_millis(moment(u)?.as_millis()),
                now: moment(u)?,
            },
        })
    }

    fn welcome(&mut self, u: &mut Unstructured<'_>) -> Result<Welcome> {
        if u.ratio(1, 4)? {
            self.identity = Identity {
                client: ClientId(near(u, self.identity.client.0)?),
                key: ResumeKey(Uuid::from_u128(u.arbitrary()?)),
            };
        }
        let Identity { client, key } = self.identity;
        let catch_up = if u.arbitrary()? { CatchUp::Snapshot } else { CatchUp::Entries };
        Ok(Welcome {
            client,
            key,
            user: user(u)?,
            history: HistoryId(Uuid::from_u128(u.int_in_range(0..=1)?)),
            version: Version(near(u, self.version)?),
            now: moment(u)?,
            last_seq: ClientSeq(near(u, self.seq)?),
            refused: if u.arbitrary()? { self.rejections(u)? } else { Vec::new() },
            window: *u.choose(&[256, 256, 2, 0, u32::MAX])?,
            catch_up,
        })
    }

    fn snapshot(&mut self, u: &mut Unstructured<'_>) -> Result<ServerMessage> {
        self.state = encode(&Scene::default()).expect("a scene can be encoded");
        let version = near(u, self.version)?;
        self.version = version;
        Ok(ServerMessage::Snapshot(SnapshotHeader {
            version: Version(version),
            at: moment(u)?,
            last_seq: ClientSeq(near(u, self.seq)?),
            bytes: near(u, self.state.len() as u64)?,
        }))
    }

    fn chunk(&mut self, u: &mut Unstructured<'_>) -> Result<ServerMessage> {
        let bytes = if u.ratio(7, 8)? {
            let length = if u.arbitrary()? { self.state.len() } else { u.choose_index(64)? };
            self.state.drain(..length.min(self.state.len())).collect()
        } else {
            bytes(u)?
        };
        Ok(ServerMessage::Chunk(Payload(bytes)))
    }

    fn entries(&mut self, u: &mut Unstructured<'_>) -> Result<Vec<Entry>> {
        let mut version = near(u, self.version)?;
        let mut entries = Vec::new();
        for _ in 0..u.int_in_range(0..=4)? {
            version = version.saturating_add(1);
            let own = u.arbitrary()?;
            entries.push(Entry {
                version: Version(version),
                epoch: Epoch(u.int_in_range(0..=1)?),
                client: if own { self.identity.client } else { ClientId(near(u, 4)?) },
                seq: ClientSeq(near(u, self.seq)?),
                at: moment(u)?,
                user: user(u)?,
                chance: if u.arbitrary()? { Some(u.arbitrary()?) } else { None },
                transition: payload(u)?,
            });
        }
        self.version = version;
        Ok(entries)
    }

    fn rejections(&mut self, u: &mut Unstructured<'_>) -> Result<Vec<Rejection>> {
        let mut rejections = Vec::new();
        for _ in 0..u.int_in_range(0..=3)? {
            let refusal = match u.int_in_range(0..=2)? {
                0 => RefusalMessage::Panicked,
                1 => RefusalMessage::Conflict(Payload(
                    encode(&Refused::Never).expect("a conflict can be encoded"),
                )),
                _ => RefusalMessage::Conflict(Payload(bytes(u)?)),
            };
            rejections.push(Rejection { seq: ClientSeq(near(u, self.seq)?), refusal });
        }
        Ok(rejections)
    }
}

/// What a few clients show, the one that is told among them.
fn presence(u: &mut Unstructured<'_>) -> Result<PresenceUpdate> {
    let extent = if u.arbitrary()? { PresenceExtent::Everything } else { PresenceExtent::Changes };
    let mut changes = Vec::new();
    for _ in 0..u.int_in_range(0..=4)? {
        let client = ClientId(near(u, 3)?);
        let value = if u.arbitrary()? { Some(Payload(bytes(u)?)) } else { None };
        changes.push(PresenceChange { client, value });
    }
    Ok(PresenceUpdate { extent, changes })
}

/// A number that is right, a little wrong, at an end, or anything.
pub fn near(u: &mut Unstructured<'_>, right: u64) -> Result<u64> {
    Ok(match u.int_in_range(0..=15)? {
        0..=9 => right,
        10 => right.saturating_add(1),
        11 => right.saturating_sub(1),
        12 => right.saturating_sub(u.int_in_range(0..=8)?),
        13 => *u.choose(&[0, 1, u64::MAX / 2, u64::MAX / 2 + 1, u64::MAX - 1, u64::MAX])?,
        14 => right.saturating_add(u.int_in_range(0..=300)?),
        _ => u.arbitrary()?,
    })
}

/// A transition, or bytes that need not be one.
pub fn payload(u: &mut Unstructured<'_>) -> Result<Payload> {
    Ok(Payload(if u.ratio(15, 16)? {
        encode(&Change::arbitrary(u)?).expect("a transition can be encoded")
    } else {
        bytes(u)?
    }))
}

/// A few bytes.
pub fn bytes(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let length = u.int_in_range(0..=32)?;
    Ok(u.bytes(length)?.to_vec())
}

/// Somebody, or nobody.
pub fn user(u: &mut Unstructured<'_>) -> Result<Option<UserId>> {
    Ok(if u.ratio(1, 4)? { Some(UserId::new("ada")) } else { None })
}
