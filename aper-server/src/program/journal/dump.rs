//! What happened to sessions, as lines of JSON. Clients' keys are left out.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use aper::journal::{Position, Record, SessionKey, Snapshot};
use aper::protocol::{Payload, RefusalMessage};
use serde_json::{Value, json};

use super::Written;
use crate::ServerBuilder;
use crate::journal::JournalFiles;
use crate::machine::{AnyMachine, Bytes};

/// Writes one session, or all.
pub(super) fn dump(
    builder: &ServerBuilder,
    files: &JournalFiles,
    session: Option<SessionKey>,
    out: &mut impl Write,
) -> Result<Written, String> {
    let one = session.is_some();
    let keys = match session {
        Some(key) if files.session(&key).is_none() => {
            return Err(format!("there is no session {key}"));
        }
        Some(key) => vec![key],
        None => files.sessions().into_iter().map(|session| session.key).collect(),
    };
    let mut code = ExitCode::SUCCESS;
    for key in keys {
        let recovered = match files.read(&key) {
            Ok(recovered) => recovered,
            Err(error) if one => return Err(error.to_string()),
            // The others are of use all the same.
            Err(error) => {
                code = ExitCode::FAILURE;
                let line = json!({ "session": key.to_string(), "error": error.to_string() });
                if let Err(error) = writeln!(out, "{line}") {
                    return Ok(Err(error));
                }
                continue;
            }
        };
        let schema = recovered.snapshot.as_ref().map_or(1, |snapshot| snapshot.schema);
        let machine = builder.machines.iter().find(|machine| {
            *machine.version().name == *key.machine && machine.version().schema == schema
        });
        let lines = Lines { key: &key, machine };
        let mut position = Position(0);
        if let Some(snapshot) = &recovered.snapshot {
            position = snapshot.position;
            if let Err(error) = writeln!(out, "{}", lines.snapshot(snapshot)) {
                return Ok(Err(error));
            }
        }
        for record in &recovered.records {
            position = position.after(1);
            if let Err(error) = writeln!(out, "{}", lines.record(position, record)) {
                return Ok(Err(error));
            }
        }
    }
    Ok(Ok(code))
}

struct Lines<'a> {
    key: &'a SessionKey,
    /// When the program hosts it, in the schema that the session is in.
    machine: Option<&'a Arc<dyn AnyMachine>>,
}

impl Lines<'_> {
    fn snapshot(&self, snapshot: &Snapshot) -> Value {
        json!({
            "session": self.key.to_string(),
            "position": snapshot.position.0,
            "record": "snapshot",
            "schema": snapshot.schema,
            "version": snapshot.version.0,
            "at": snapshot.at.as_millis(),
            "timer": snapshot.timer.map(aper::Timestamp::as_millis),
            "clients": snapshot.clients.len(),
            "state": self.bytes(Bytes::State, &snapshot.state),
        })
    }

    fn record(&self, position: Position, record: &Record) -> Value {
        let mut line = match record {
            Record::Entry(entry) => json!({
                "record": "entry",
                "version": entry.version.0,
                "epoch": entry.epoch.0,
                "client": entry.client.0,
                "seq": entry.seq.0,
                "at": entry.at.as_millis(),
                "user": entry.user.as_ref().map(aper::UserId::as_str),
                "transition": self.bytes(Bytes::Transition, &entry.transition),
            }),
            Record::Joined { client, user, at, .. } => json!({
                "record": "joined",
                "client": client.0,
                "user": user.as_ref().map(aper::UserId::as_str),
                "at": at.as_millis(),
            }),
            Record::Left { client, at } => {
                json!({ "record": "left", "client": client.0, "at": at.as_millis() })
            }
            Record::Refused { client, rejection } => json!({
                "record": "refused",
                "client": client.0,
                "seq": rejection.seq.0,
                "refusal": match &rejection.refusal {
                    RefusalMessage::Conflict(conflict) => self.bytes(Bytes::Conflict, conflict),
                    other => json!(format!("{other:?}")),
                },
            }),
            Record::Opened { history } => {
                json!({ "record": "opened", "history": history.0.to_string() })
            }
        };
        line["session"] = json!(self.key.to_string());
        line["position"] = json!(position.0);
        line
    }

    fn bytes(&self, what: Bytes, payload: &Payload) -> Value {
        let decoded = self.machine.and_then(|machine| machine.as_json(what, &payload.0));
        decoded.unwrap_or_else(|| json!({ "hex": hex(&payload.0) }))
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
