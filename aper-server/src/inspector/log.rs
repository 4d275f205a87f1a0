//! What has happened to a session: its entries, refusals and clients.

use std::collections::BTreeMap;
use std::sync::Arc;

use aper::journal::{Position, Presence, Record, Recovered};
use aper::protocol::Rejection;
use aper::{ClientId, Timestamp, UserId, Version};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answered, json_text, shortened};
use super::{CLIENTS, ENTRIES, ENTRIES_BYTES, Inspector, REFUSALS, Subject, history};
use crate::lines::Lines;

#[derive(Deserialize)]
pub(super) struct Stretch {
    /// Its last version; none for the last that there is.
    to: Option<u64>,
    /// How many entries.
    count: Option<usize>,
}

/// A stretch of a session's log, and what else its journal has.
pub(super) async fn log(
    State(inspector): State<Arc<Inspector>>,
    Path((machine, session)): Path<(String, String)>,
    Query(stretch): Query<Stretch>,
) -> Answered<Response> {
    let subject = inspector.subject(&machine, &session)?;
    let history = inspector.history(&subject.key).await?;
    let to = stretch.to.map_or_else(|| history::last(&history), Version);
    let count = stretch.count.unwrap_or(ENTRIES).min(ENTRIES);
    // The machine's own code reads the transitions, and may take its time.
    let text = inspector.work(move || told(&subject, &history, to, count).to_string()).await?;
    Ok(json_text(text))
}

fn told(subject: &Subject, history: &Recovered, to: Version, count: usize) -> Value {
    let schema = history.snapshot.as_ref().map_or(1, |snapshot| snapshot.schema);
    // Of an earlier schema only the bytes are known.
    let machine = (subject.machine.version().schema == schema).then_some(&subject.machine);
    let lines = Lines { key: &subject.key, machine };
    let base = history.snapshot.as_ref().map_or(Position(0), |snapshot| snapshot.position);
    let transitions = history.records.iter().filter_map(Record::entry);
    let clients = clients(history);
    json!({
        "from": history::first(history).0,
        "to": history::last(history).0,
        "schema": schema,
        "records": history.position().0,
        "state_bytes": history.snapshot.as_ref().map(|snapshot| snapshot.state.0.len()),
        "log_bytes": transitions.map(|entry| entry.transition.0.len()).sum::<usize>(),
        "entries": entries(&lines, history, base, to, count),
        "refused": refused(&lines, history, &clients),
        "known": clients.len(),
        "clients": known(&clients),
    })
}

/// The last `count` entries up to a version, or fewer if they are long.
fn entries(
    lines: &Lines<'_>,
    history: &Recovered,
    base: Position,
    to: Version,
    count: usize,
) -> Vec<Value> {
    let mut bytes = 0;
    let mut entries = Vec::new();
    for (index, record) in history.records.iter().enumerate().rev() {
        if record.entry().is_none_or(|entry| entry.version > to) {
            continue;
        }
        if entries.len() >= count || bytes > ENTRIES_BYTES {
            break;
        }
        let mut line = lines.record(base.after(index + 1), record);
        line["transition"] = shortened(line["transition"].take());
        bytes += line.to_string().len();
        entries.push(line);
    }
    entries.reverse();
    entries
}

/// The latest refusals: those that the snapshot remembers, and those since.
fn refused(
    lines: &Lines<'_>,
    history: &Recovered,
    clients: &BTreeMap<ClientId, Known>,
) -> Vec<Value> {
    let told = |client: ClientId, rejection: &Rejection, after: Option<Version>| {
        let user = clients.get(&client).and_then(|known| known.user.as_ref());
        json!({
            "client": client.0,
            "user": user.map(UserId::as_str),
            "seq": rejection.seq.0,
            "after": after.map(|after| after.0),
            "refusal": shortened(lines.refusal(rejection)),
        })
    };
    let remembered = history.snapshot.iter().flat_map(|snapshot| &snapshot.clients);
    let remembered = remembered
        .flat_map(|known| known.refused.iter().map(|rejection| (known.client, rejection, None)));
    let mut version = history::first(history);
    let since = history.records.iter().filter_map(|record| match record {
        Record::Entry(entry) => {
            version = entry.version;
            None
        }
        Record::Refused { client, rejection } => Some((*client, rejection, Some(version))),
        _ => None,
    });
    let all: Vec<_> = remembered.chain(since).collect();
    let latest = &all[all.len().saturating_sub(REFUSALS)..];
    latest.iter().map(|(client, rejection, after)| told(*client, rejection, *after)).collect()
}

/// A client that may come back, or that is here.
struct Known {
    user: Option<UserId>,
    last_seen: Timestamp,
    presence: Presence,
}

fn clients(history: &Recovered) -> BTreeMap<ClientId, Known> {
    let remembered = history.snapshot.iter().flat_map(|snapshot| &snapshot.clients);
    let mut clients: BTreeMap<_, _> = remembered
        .map(|client| {
            let user = client.user.clone();
            let known = Known { user, last_seen: client.last_seen, presence: client.presence };
            (client.client, known)
        })
        .collect();
    for record in &history.records {
        match record {
            Record::Joined { client, user, at, .. } => {
                let (user, last_seen) = (user.clone(), *at);
                clients.insert(*client, Known { user, last_seen, presence: Presence::Here });
            }
            Record::Left { client, at } => {
                if let Some(known) = clients.get_mut(client) {
                    (known.last_seen, known.presence) = (*at, Presence::Away);
                }
            }
            _ => {}
        }
    }
    clients
}

/// Those that were seen last.
fn known(clients: &BTreeMap<ClientId, Known>) -> Vec<Value> {
    let mut latest: Vec<_> = clients.iter().collect();
    latest.sort_by_key(|(_, known)| std::cmp::Reverse(known.last_seen));
    let told = latest.iter().take(CLIENTS).map(|(client, known)| {
        json!({
            "client": client.0,
            "user": known.user.as_ref().map(UserId::as_str),
            "seen": known.last_seen.as_millis(),
            "here": known.presence == Presence::Here,
        })
    });
    told.collect()
}
