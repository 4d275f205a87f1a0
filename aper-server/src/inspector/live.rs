//! What is going on now: which sessions there are, and who is in one.

use std::collections::BTreeMap;
use std::sync::Arc;

use aper::Version;
use aper::journal::SessionKey;
use aper::protocol::Payload;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::answer::{Answered, Unanswered, json_text, shortened};
use super::{CLIENTS, Inspector, LOOK_EVERY, NEWS_WITHIN, SESSIONS, Subject};
use crate::hub::{Waking, stopped};
use crate::lines::hex;
use crate::session::{Reading, Sight};

#[derive(Deserialize)]
pub(super) struct Which {
    /// A part of the names.
    #[serde(default)]
    containing: String,
    /// The last name of the list before.
    after: Option<String>,
}

/// The sessions, by name: those that are awake, and those that the journal
/// knows.
pub(super) async fn sessions(
    State(inspector): State<Arc<Inspector>>,
    Query(Which { containing, after }): Query<Which>,
) -> Answered<Response> {
    let after = after.as_deref().map(key_of).transpose()?;
    let hub = &inspector.hub;
    let kept = hub.journal().sessions(&containing, after.as_ref(), SESSIONS + 1).await;
    let kept = kept.map_err(|error| Unanswered::failed(error.to_string()))?;
    let mut all: BTreeMap<SessionKey, Option<(Arc<Sight>, Waking)>> =
        kept.into_iter().map(|key| (key, None)).collect();
    for (key, sight, waking) in hub.sights() {
        if after.as_ref().is_none_or(|after| *after < *key) && key.contains(&containing) {
            all.insert((*key).clone(), Some((sight, waking)));
        }
    }
    // Where the next list begins; some of this one may not be hosted any more.
    let next = all.keys().nth(SESSIONS).and_then(|_| all.keys().nth(SESSIONS - 1));
    let next = next.map(ToString::to_string);
    let all = all.iter().take(SESSIONS).filter(|(key, _)| hub.machine(&key.machine).is_some());
    let listed: Vec<_> = all.map(|(key, seen)| listed(key, seen.as_ref())).collect();
    Ok(json_text(json!({ "sessions": listed, "next": next }).to_string()))
}

fn key_of(name: &str) -> Result<SessionKey, Unanswered> {
    let parts = name.split_once('/');
    let key = parts.and_then(|(machine, session)| {
        Some(SessionKey { machine: machine.into(), session: session.parse().ok()? })
    });
    key.ok_or_else(|| Unanswered::bad("a session is named MACHINE/SESSION, as in counter/lobby"))
}

fn listed(key: &SessionKey, seen: Option<&(Arc<Sight>, Waking)>) -> Value {
    let sight = seen.map(|(sight, _)| sight);
    json!({
        "machine": &*key.machine,
        "session": key.session.as_str(),
        "awake": is_awake(seen),
        "clients": sight.map_or(0, |sight| sight.connected()),
        "version": sight.and_then(|sight| sight.head()).map(|head| head.0),
    })
}

fn is_awake(seen: Option<&(Arc<Sight>, Waking)>) -> bool {
    seen.is_some_and(|(_, waking)| *waking == Waking::Awake)
}

#[derive(Deserialize)]
pub(super) struct News {
    /// The stamp of what is known already: answered when there is another, or
    /// after a while.
    unless: Option<String>,
}

/// How a session stands.
pub(super) async fn session(
    State(inspector): State<Arc<Inspector>>,
    Path((machine, session)): Path<(String, String)>,
    Query(News { unless }): Query<News>,
) -> Answered<Response> {
    let subject = inspector.subject(&machine, &session)?;
    if let Some(known) = unless {
        let _place = inspector.waiting.try_acquire().map_err(|_| Unanswered::busy())?;
        news(&inspector, &subject.key, &known).await;
    }
    let seen = inspector.hub.sight(&subject.key);
    Ok(json_text(overview(&inspector, &subject, seen.as_ref()).to_string()))
}

/// Comes back when a session's stamp is another, when it has been long enough,
/// and when the server stops. What happens meanwhile is seen together: nothing
/// waits for a page that is slow.
async fn news(inspector: &Inspector, key: &SessionKey, known: &str) {
    let end = Instant::now() + NEWS_WITHIN;
    let look = async {
        while stamp(inspector.hub.sight(key).as_ref()) == known && Instant::now() < end {
            sleep(LOOK_EVERY).await;
        }
    };
    let mut stopping = inspector.hub.stopping();
    tokio::select! {
        () = look => {}
        () = stopped(&mut stopping) => {}
    }
}

/// Changes when something does that a page shows, but for what is counted.
fn stamp(seen: Option<&(Arc<Sight>, Waking)>) -> String {
    let shown = seen.map_or(0, |(sight, _)| sight.presences().revision().0);
    format!("{}-{shown}", log_stamp(seen))
}

/// Changes when there may be something new in the journal: less often than what
/// clients show.
fn log_stamp(seen: Option<&(Arc<Sight>, Waking)>) -> String {
    let Some((sight, waking)) = seen else { return "asleep".to_owned() };
    let head = sight.head().map_or(0, |head| head.0);
    format!("{waking:?}-{head}-{}", sight.changes())
}

fn overview(
    inspector: &Inspector,
    subject: &Subject,
    seen: Option<&(Arc<Sight>, Waking)>,
) -> Value {
    let Subject { key, machine } = subject;
    let sight = seen.map(|(sight, _)| sight);
    let head = sight.and_then(|sight| sight.head());
    let readings = sight.map(|sight| sight.readings()).unwrap_or_default();
    let shown = sight.map(|sight| sight.presences().all()).unwrap_or_default();
    let clients = readings.iter().take(CLIENTS).map(|reading| client(reading, head));
    let presence = shown.iter().take(CLIENTS).map(|(client, value)| {
        let value = shortened(inspector.presence(machine.version().name, value));
        json!({ "client": client.0, "value": value })
    });
    json!({
        "stamp": stamp(seen),
        "log_stamp": log_stamp(seen),
        "machine": &*key.machine,
        "schema": machine.version().schema,
        "type": machine.type_name(),
        "session": key.session.as_str(),
        "awake": is_awake(seen),
        "version": head.map(|head| head.0),
        "now": inspector.hub.now().as_millis(),
        "connected": readings.len(),
        "showing": shown.len(),
        "clients": clients.collect::<Vec<_>>(),
        "presence": presence.collect::<Vec<_>>(),
    })
}

fn client(reading: &Reading, head: Option<Version>) -> Value {
    let Reading { client, user, since, cursor, .. } = reading;
    json!({
        "client": client.0,
        "user": user.as_ref().map(aper::UserId::as_str),
        "since": since.as_millis(),
        "sent": cursor.0,
        "lag": head.map_or(0, |head| head.0.saturating_sub(cursor.0)),
        "undecided": reading.undecided,
        "submitted": reading.submitted,
        "refused": reading.refused,
        "received": reading.received_bytes,
        "delivered": reading.sent_bytes,
    })
}

impl Inspector {
    fn presence(&self, machine: &str, Payload(bytes): &Payload) -> Value {
        let read = self.presences.get(machine).and_then(|as_json| as_json(bytes));
        read.unwrap_or_else(|| json!({ "hex": hex(bytes) }))
    }
}
