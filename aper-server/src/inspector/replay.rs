//! A session as it was at a version, by running its machine again; and the same
//! to take home.

use std::sync::Arc;

use aper::Version;
use aper::journal::{Record, Recovered};
use aper::protocol::handshake::MachineVersion;
use aper::protocol::{Entry, Payload, StateHash, encode};
use aper::sync::Recording;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answered, Unanswered, json_text};
use super::{Inspector, STATE_BYTES, Subject, history};
use crate::lines::hex;
use crate::machine::{CannotReplay, Replay};

/// What the state at a recording's end comes to.
const STATE_HASH: HeaderName = HeaderName::from_static("aper-state-hash");

/// Bytes of an encoded state that are shown when it has no JSON.
const HEX_BYTES: usize = 64 << 10;

#[derive(Deserialize)]
pub(super) struct At {
    version: u64,
}

/// The state at a version.
pub(super) async fn state(
    State(inspector): State<Arc<Inspector>>,
    Path((machine, session)): Path<(String, String)>,
    Query(At { version }): Query<At>,
) -> Answered<Response> {
    let subject = inspector.subject(&machine, &session)?;
    let version = Version(version);
    let history = inspector.history_to(&subject, version).await?;
    let replay = inspector.work(move || replayed(&subject, &history, version)).await??;
    let json = replay.json.unwrap_or_else(|| {
        let beginning = &replay.state[..replay.state.len().min(HEX_BYTES)];
        json!({ "hex": hex(beginning) }).to_string()
    });
    let (StateHash(hash), bytes) = (replay.hash, replay.state.len());
    Ok(json_text(format!(
        r#"{{"version":{version},"hash":"{hash:016x}","bytes":{bytes},"state":{json}}}"#
    )))
}

#[derive(Deserialize)]
pub(super) struct Part {
    /// The version to begin with; none for the first that is known.
    from: Option<u64>,
    /// The version to end with; none for the last.
    to: Option<u64>,
}

/// A stretch of the log as the recording that makes it happen again.
pub(super) async fn recording(
    State(inspector): State<Arc<Inspector>>,
    Path((machine, session)): Path<(String, String)>,
    Query(Part { from, to }): Query<Part>,
) -> Answered<Response> {
    let subject = inspector.subject(&machine, &session)?;
    let history = match to {
        Some(to) => inspector.history_to(&subject, Version(to)).await?,
        None => inspector.history(&subject.key).await?,
    };
    let from = from.map_or_else(|| history::first(&history), Version);
    let to = to.map_or_else(|| history::last(&history), Version);
    if from > to {
        return Err(Unanswered::bad(format!("version {from} is not before version {to}")));
    }
    let name = format!("{machine}-{session}-{from}-{to}.recording");
    let (bytes, StateHash(hash)) =
        inspector.work(move || recorded(&subject, &history, from, to)).await??;
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    let attachment = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let attachment = attachment.map_err(|error| Unanswered::failed(error.to_string()))?;
    headers.insert(header::CONTENT_DISPOSITION, attachment);
    let kind = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let hash = HeaderValue::from_str(&format!("{hash:016x}"));
    headers.insert(STATE_HASH, hash.map_err(|error| Unanswered::failed(error.to_string()))?);
    Ok(response)
}

impl Inspector {
    /// A history that contains this version, if there is one. What has happened
    /// stays as it is, so the journal is not read for what is known.
    async fn history_to(
        &self,
        subject: &Subject,
        version: Version,
    ) -> Result<Arc<Recovered>, Unanswered> {
        let known = self.histories.known(&subject.key);
        let known =
            known.filter(|known| (history::first(known)..=history::last(known)).contains(&version));
        match known {
            Some(known) => Ok(known),
            None => self.history(&subject.key).await,
        }
    }
}

fn replayed(
    subject: &Subject,
    history: &Recovered,
    version: Version,
) -> Result<Replay, Unanswered> {
    let cut = history::up_to(history, version)?;
    let replay = subject.machine.replay(&subject.key.session, cut, STATE_BYTES);
    replay.map_err(|error| match error {
        CannotReplay::TooLong { .. } => Unanswered::too_much(error.to_string()),
        CannotReplay::Open(_) | CannotReplay::Encode(_) => {
            Unanswered::failed(format!("the state cannot be made again: {error}"))
        }
    })
}

/// The recording, encoded, and what its last state comes to.
fn recorded(
    subject: &Subject,
    history: &Recovered,
    from: Version,
    to: Version,
) -> Result<(Vec<u8>, StateHash), Unanswered> {
    let MachineVersion { name, schema } = subject.machine.version();
    let snapshot = history.snapshot.as_ref();
    if let Some(earlier) = snapshot.map(|kept| kept.schema).filter(|earlier| *earlier != schema) {
        return Err(Unanswered::bad(format!(
            "the session is still of schema {earlier}, and has no recording before somebody \
             has opened it under schema {schema}"
        )));
    }
    let replay = |version| {
        subject
            .machine
            .replay(&subject.key.session, history::up_to(history, version)?, usize::MAX)
            .map_err(|error| Unanswered::failed(format!("the state cannot be made again: {error}")))
    };
    let state = replay(from)?.state;
    let hash = replay(to)?.hash;
    let wanted = |entry: &&Entry| from < entry.version && entry.version <= to;
    let entries = history.records.iter().filter_map(Record::entry).filter(wanted);
    let recording = Recording {
        machine: name.to_owned(),
        schema,
        version: from,
        state: Payload(state),
        entries: entries.cloned().collect(),
    };
    let encoded = encode(&recording).map_err(|error| Unanswered::failed(error.to_string()))?;
    Ok((encoded, hash))
}
