//! What a journal has of a session, as JSON, one value a record, for people.
//! Clients' keys are left out.

use std::sync::Arc;

#[cfg(feature = "program")]
use aper::journal::Snapshot;
use aper::journal::{Position, Record, SessionKey};
use aper::protocol::{Payload, RefusalMessage, Rejection};
use serde_json::{Value, json};

use crate::machine::{AnyMachine, Bytes};

pub(crate) struct Lines<'a> {
    pub(crate) key: &'a SessionKey,
    /// When the program hosts it, in the schema that the session is in.
    pub(crate) machine: Option<&'a Arc<dyn AnyMachine>>,
}

impl Lines<'_> {
    #[cfg(feature = "program")]
    pub(crate) fn snapshot(&self, snapshot: &Snapshot) -> Value {
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

    pub(crate) fn record(&self, position: Position, record: &Record) -> Value {
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
                "refusal": self.refusal(rejection),
            }),
            Record::Opened { history } => {
                json!({ "record": "opened", "history": history.0.to_string() })
            }
        };
        line["session"] = json!(self.key.to_string());
        line["position"] = json!(position.0);
        line
    }

    pub(crate) fn refusal(&self, rejection: &Rejection) -> Value {
        match &rejection.refusal {
            RefusalMessage::Conflict(conflict) => self.bytes(Bytes::Conflict, conflict),
            other => json!(format!("{other:?}")),
        }
    }

    pub(crate) fn bytes(&self, what: Bytes, payload: &Payload) -> Value {
        let decoded = self.machine.and_then(|machine| machine.as_json(what, &payload.0));
        decoded.unwrap_or_else(|| json!({ "hex": hex(&payload.0) }))
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
