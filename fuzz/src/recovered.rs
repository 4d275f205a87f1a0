//! What a damaged journal may come to, and a session that is taken up from it.

use aper::journal::{History, Position, Presence, Record, Recovered, RememberedClient, Snapshot};
use aper::protocol::{Entry, Payload, RefusalMessage, Rejection, Resume, Submission, encode};
use aper::sync::authority::{Input, Output};
use aper::sync::{Authority, ConnectionId, OpenError};
use aper::{ClientId, ClientSeq, Epoch, HistoryId, ResumeKey, StateMachine, Timestamp, Version};
use arbitrary::{Arbitrary, Result, Unstructured};
use uuid::Uuid;

use crate::machine::{Change, Scene, moment};
use crate::server::{bytes, near, payload, user};

/// A journal of the machine's, with numbers that are right, nearly right, or
/// anything.
///
/// # Errors
///
/// When the input has come to its end.
pub fn recovered(u: &mut Unstructured<'_>) -> Result<Recovered> {
    let snapshot = if u.arbitrary()? { Some(snapshot(u)?) } else { None };
    let mut version = snapshot.as_ref().map_or(0, |snapshot| snapshot.version.0);
    let mut records = Vec::new();
    for _ in 0..u.int_in_range(0..=12)? {
        records.push(record(u, &mut version)?);
    }
    Ok(Recovered { snapshot, records })
}

fn snapshot(u: &mut Unstructured<'_>) -> Result<Snapshot> {
    let mut clients = Vec::new();
    for _ in 0..u.int_in_range(0..=3)? {
        clients.push(client(u)?);
    }
    let mut histories = Vec::new();
    for _ in 0..u.int_in_range(0..=2)? {
        histories.push(History { id: history(u)?, until: Version(near(u, 3)?) });
    }
    let state = if u.ratio(7, 8)? {
        encode(&Scene::default()).expect("a scene can be encoded")
    } else {
        bytes(u)?
    };
    Ok(Snapshot {
        schema: if u.ratio(15, 16)? { Scene::SCHEMA } else { u.arbitrary()? },
        version: Version(near(u, 3)?),
        position: Position(near(u, 5)?),
        at: moment(u)?,
        timer: if u.arbitrary()? { Some(moment(u)?) } else { None },
        histories,
        next_client: ClientId(near(u, 4)?),
        clients,
        state: Payload(state),
    })
}

fn client(u: &mut Unstructured<'_>) -> Result<RememberedClient> {
    let mut refused = Vec::new();
    for _ in 0..u.int_in_range(0..=2)? {
        refused.push(rejection(u)?);
    }
    Ok(RememberedClient {
        client: ClientId(near(u, 3)?),
        key: key(u)?,
        user: user(u)?,
        last_seq: ClientSeq(near(u, 2)?),
        refused,
        last_seen: moment(u)?,
        presence: if u.arbitrary()? { Presence::Here } else { Presence::Away },
    })
}

fn record(u: &mut Unstructured<'_>, version: &mut u64) -> Result<Record> {
    Ok(match u.int_in_range(0..=6)? {
        0..=2 => {
            let next = near(u, version.saturating_add(1))?;
            *version = next;
            Record::Entry(Entry {
                version: Version(next),
                epoch: Epoch(near(u, 0)?),
                client: ClientId(near(u, 3)?),
                seq: ClientSeq(near(u, 2)?),
                at: moment(u)?,
                user: user(u)?,
                chance: if u.arbitrary()? { Some(u.arbitrary()?) } else { None },
                transition: payload(u)?,
            })
        }
        3 => Record::Joined {
            client: ClientId(near(u, 3)?),
            key: key(u)?,
            user: user(u)?,
            at: moment(u)?,
        },
        4 => Record::Left { client: ClientId(near(u, 3)?), at: moment(u)? },
        5 => Record::Refused { client: ClientId(near(u, 3)?), rejection: rejection(u)? },
        _ => Record::Opened { history: history(u)? },
    })
}

fn rejection(u: &mut Unstructured<'_>) -> Result<Rejection> {
    Ok(Rejection { seq: ClientSeq(near(u, 2)?), refusal: RefusalMessage::Panicked })
}

fn key(u: &mut Unstructured<'_>) -> Result<ResumeKey> {
    Ok(ResumeKey(Uuid::from_u128(u.int_in_range(0..=2)?)))
}

fn history(u: &mut Unstructured<'_>) -> Result<HistoryId> {
    Ok(HistoryId(Uuid::from_u128(u.int_in_range(0..=2)?)))
}

/// Takes a session up, if that can be done, and lets clients come to it.
///
/// # Panics
///
/// When the authority does.
///
/// # Errors
///
/// When the input has come to its end.
pub fn take_up(recovered: Recovered, u: &mut Unstructured<'_>) -> Result<()> {
    let position = recovered.position();
    let _when = recovered.alarm();
    let Ok(mut authority) = Authority::open(Scene::default(), recovered, [7; 32]) else {
        return Ok(());
    };
    assert!(authority.snapshot().position() == position, "records are counted twice, or not");
    let mut now = Timestamp::ZERO;
    for connection in 0..4 {
        let connection = ConnectionId(connection);
        let resume = Resume {
            client: ClientId(near(u, 3)?),
            key: key(u)?,
            holds: None,
            unanswered: ClientSeq(near(u, 2)?),
        };
        let submissions = vec![Submission {
            seq: ClientSeq(near(u, 3)?),
            transition: Payload(encode(&Change::arbitrary(u)?).expect("it can be encoded")),
        }];
        let inputs = [
            Input::Absent,
            Input::Join {
                connection,
                user: None,
                resume: Some(resume),
                tail: Version(0),
                cheaper: Version(0),
            },
            Input::Submit { connection, submissions },
            Input::Timeout,
        ];
        for input in inputs {
            now = now.max(moment(u)?);
            handle(&mut authority, now, input);
        }
        if let Ok(snapshot) = authority.snapshot().encode() {
            let again = Recovered { snapshot: Some(snapshot), records: Vec::new() };
            match Authority::open(Scene::default(), again, [8; 32]) {
                Ok(again) => assert!(again.state() == authority.state()),
                // It began at the highest number that is believed.
                Err(OpenError::Number { .. }) => {}
                Err(error) => panic!("its own snapshot cannot be read: {error}"),
            }
        }
    }
    Ok(())
}

/// With a journal that takes everything at once.
fn handle(authority: &mut Authority<Scene>, now: Timestamp, input: Input) {
    let mut input = Some(input);
    while let Some(next) = input.take() {
        authority.handle(now, next);
        while let Some(output) = authority.next_output() {
            if let Output::Append { after, batch } = output {
                input = Some(Input::Durable(Position(after.0 + batch.len() as u64)));
            }
        }
    }
}
