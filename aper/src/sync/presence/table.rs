//! Who shows what, as a session knows it.

use std::collections::{BTreeMap, VecDeque};

use crate::id::ClientId;
use crate::limits;
use crate::mutant::{Mutant, active};
use crate::protocol::{Payload, PresenceChange, PresenceExtent, PresenceUpdate};
use crate::sync::ConnectionId;

/// Bytes of values that share a message, about.
const MESSAGE_BYTES: usize = 64 * 1024;

/// How much has been said to a session about who shows what. Grows with each
/// change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PresenceRevision(pub u64);

/// The latest value of each client of a session.
///
/// ```
/// use aper::ClientId;
/// use aper::protocol::Payload;
/// use aper::sync::ConnectionId;
/// use aper::sync::presence::{PresenceNews, PresenceRevision, PresenceTable};
///
/// let mut table = PresenceTable::default();
/// let (old, new) = (ConnectionId(1), ConnectionId(2));
/// table.enter(old, ClientId(7));
/// table.set(old, Some(Payload(vec![1])));
/// table.set(old, Some(Payload(vec![2])));
/// let news: PresenceNews = table.read(PresenceRevision::default());
/// assert_eq!(news.updates[0].changes.len(), 1, "a reader skips what was overtaken");
///
/// // Client 7 comes back before its old connection is known to have ended.
/// table.enter(new, ClientId(7));
/// table.set(new, Some(Payload(vec![3])));
/// table.leave(old);
/// let news = table.read(news.revision);
/// assert_eq!(news.updates[0].changes[0].value, Some(Payload(vec![3])));
///
/// table.leave(new);
/// let news = table.read(news.revision);
/// assert_eq!(news.updates[0].changes[0].value, None);
/// assert_eq!(table.read(news.revision).updates, []);
/// ```
///
/// Costs O(log clients) for each change, and a look at each client for each who
/// comes or goes and for each reading of news; and memory for who shows something,
/// besides 16 bytes for who is here.
#[derive(Debug, Default)]
pub struct PresenceTable {
    revision: PresenceRevision,
    /// In order, one for each client that is here.
    connections: Vec<(ConnectionId, ClientId)>,
    slots: BTreeMap<ClientId, Slot>,
    /// Clients that have gone and had shown something, the oldest first.
    gone: VecDeque<(PresenceRevision, ClientId)>,
    /// Up to which revision it is not known any more who has gone.
    forgotten: PresenceRevision,
    /// How many show something.
    showing: usize,
}

/// What a client that is here shows, or has shown.
#[derive(Debug)]
struct Slot {
    /// When the value came; none if there never was one.
    changed: PresenceRevision,
    value: Option<Payload>,
}

/// What has happened since a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresenceNews {
    /// Up to which.
    pub revision: PresenceRevision,
    /// What to tell, in this order; nothing if nothing is new.
    pub updates: Vec<PresenceUpdate>,
}

impl PresenceTable {
    /// A client is here now by this connection, and by no other. It shows
    /// nothing until it says what.
    pub fn enter(&mut self, connection: ConnectionId, client: ClientId) {
        let is_late = active(Mutant::LateCloseTakesPresence);
        self.connections.retain(|(_, other)| *other != client || is_late);
        match self.place_of(connection) {
            Ok(place) => self.connections[place].1 = client,
            Err(place) => self.connections.insert(place, (connection, client)),
        }
        self.show(client, None);
    }

    /// This connection has ended. What its client shows by a newer one stays.
    pub fn leave(&mut self, connection: ConnectionId) {
        let Ok(place) = self.place_of(connection) else { return };
        let (_, client) = self.connections[place];
        if !active(Mutant::LateCloseTakesPresence) {
            self.connections.remove(place);
        }
        self.show(client, None);
        let Some(slot) = self.slots.remove(&client) else { return };
        if slot.changed > PresenceRevision::default() {
            // In the order of the revisions: a client may have been silent
            // about itself for long before it went.
            let place = self.gone.partition_point(|(when, _)| *when < slot.changed);
            self.gone.insert(place, (slot.changed, client));
        }
        while self.gone.len() > limits::DEPARTED_CLIENTS
            && let Some((when, _)) = self.gone.pop_front()
        {
            self.forgotten = when;
        }
    }

    /// Whoever is here by this connection shows this from now on. Nobody is,
    /// if it is not known, or not any more: then nothing happens.
    pub fn set(&mut self, connection: ConnectionId, value: Option<Payload>) {
        let Ok(place) = self.place_of(connection) else { return };
        let (_, client) = self.connections[place];
        if value.is_some() && !self.slots.contains_key(&client) {
            // It was here before, and who has not heard that it went hears it still.
            let before = self.gone.iter().position(|(_, gone)| *gone == client);
            let changed = before.and_then(|before| self.gone.remove(before));
            let changed = changed.map_or(PresenceRevision::default(), |(when, _)| when);
            self.slots.insert(client, Slot { changed, value: None });
        }
        self.show(client, value);
    }

    /// Grows when there is something to tell.
    #[must_use]
    pub fn revision(&self) -> PresenceRevision {
        self.revision
    }

    /// What is new to somebody who was told everything up to a revision, and
    /// nothing if that is 0.
    #[must_use]
    pub fn read(&self, told: PresenceRevision) -> PresenceNews {
        let revision = self.revision;
        if told >= revision {
            return PresenceNews { revision, updates: Vec::new() };
        }
        let knows_nothing = told == PresenceRevision::default() || told < self.forgotten;
        let is_new = |slot: &Slot| {
            if knows_nothing { slot.value.is_some() } else { slot.changed > told }
        };
        let here = self.slots.iter().filter(|(_, slot)| is_new(slot));
        let here = here.map(|(&client, slot)| (client, slot.value.clone()));
        let gone = self.gone.iter().filter(|(when, _)| *when > told && !knows_nothing);
        let gone = gone.map(|&(_, client)| (client, None));
        let changes = gone.chain(here).map(|(client, value)| PresenceChange { client, value });
        let extent =
            if knows_nothing { PresenceExtent::Everything } else { PresenceExtent::Changes };
        PresenceNews { revision, updates: split(extent, changes) }
    }

    /// Of a connection, or where it would be.
    fn place_of(&self, connection: ConnectionId) -> Result<usize, usize> {
        self.connections.binary_search_by_key(&connection, |&(other, _)| other)
    }

    fn show(&mut self, client: ClientId, value: Option<Payload>) {
        let Some(slot) = self.slots.get_mut(&client) else { return };
        let is_first = slot.value.is_none() && value.is_some();
        if slot.value == value || is_first && self.showing >= limits::PRESENT_CLIENTS {
            return;
        }
        self.showing += usize::from(value.is_some());
        self.showing -= usize::from(slot.value.is_some());
        if value.is_some() || !active(Mutant::ClearedPresenceNotTold) {
            self.revision.0 += 1;
            slot.changed = self.revision;
        }
        slot.value = value;
    }
}

/// As many messages as it takes. The first of them has the extent.
fn split(
    extent: PresenceExtent,
    changes: impl Iterator<Item = PresenceChange>,
) -> Vec<PresenceUpdate> {
    let mut updates = vec![PresenceUpdate { extent, changes: Vec::new() }];
    let mut bytes = 0;
    for change in changes {
        let length = change.value.as_ref().map_or(0, |Payload(value)| value.len());
        let last = updates.last_mut().expect("there is always one");
        let is_full = last.changes.len() >= limits::PRESENCE_CHANGES;
        if is_full || bytes + length > MESSAGE_BYTES && !last.changes.is_empty() {
            bytes = length;
            let extent = PresenceExtent::Changes;
            updates.push(PresenceUpdate { extent, changes: vec![change] });
        } else {
            bytes += length;
            last.changes.push(change);
        }
    }
    let is_something = |update: &PresenceUpdate| {
        update.extent == PresenceExtent::Everything || !update.changes.is_empty()
    };
    updates.retain(is_something);
    updates
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(byte: u8) -> Option<Payload> {
        Some(Payload(vec![byte]))
    }

    /// What a reader is told, as pairs of a client and a byte.
    fn told(table: &PresenceTable, cursor: &mut PresenceRevision) -> Vec<(u64, Option<u8>)> {
        let news = table.read(*cursor);
        *cursor = news.revision;
        let changes = news.updates.into_iter().flat_map(|update| update.changes);
        let byte = |value: Payload| value.0[0];
        changes.map(|change| (change.client.0, change.value.map(byte))).collect()
    }

    fn table(clients: std::ops::Range<u64>) -> PresenceTable {
        let mut table = PresenceTable::default();
        for client in clients {
            table.enter(ConnectionId(client), ClientId(client));
        }
        table
    }

    #[test]
    fn a_slow_reader_is_told_the_last_value_of_each() {
        let mut table = table(1..3);
        let (mut fast, mut slow) = Default::default();
        for byte in 0..50 {
            table.set(ConnectionId(1), value(byte));
            assert_eq!(told(&table, &mut fast), [(1, Some(byte))]);
        }
        table.set(ConnectionId(2), value(7));
        assert_eq!(told(&table, &mut slow), [(1, Some(49)), (2, Some(7))]);
        assert_eq!(told(&table, &mut fast), [(2, Some(7))]);
        assert_eq!(told(&table, &mut slow), []);
    }

    #[test]
    fn what_is_cleared_or_gone_is_told_to_those_who_knew() {
        let mut table = table(1..4);
        let (mut reader, mut late) = Default::default();
        for connection in 1..4 {
            table.set(ConnectionId(connection), value(1));
        }
        assert_eq!(told(&table, &mut reader).len(), 3);
        table.set(ConnectionId(1), None);
        table.leave(ConnectionId(2));
        assert_eq!(told(&table, &mut reader), [(2, None), (1, None)]);
        assert_eq!(told(&table, &mut late), [(3, Some(1))]);
        // The same once more is no news.
        table.set(ConnectionId(1), None);
        table.set(ConnectionId(3), value(1));
        table.leave(ConnectionId(2));
        assert_eq!(told(&table, &mut reader), []);
    }

    #[test]
    fn a_late_end_of_an_old_connection_takes_nothing_from_the_new_one() {
        let mut table = table(1..2);
        let mut reader = PresenceRevision::default();
        let (old, new) = (ConnectionId(1), ConnectionId(9));
        table.set(old, value(1));
        table.enter(new, ClientId(1));
        assert_eq!(told(&table, &mut reader), [], "it shows nothing until it says what");
        table.set(new, value(2));
        table.set(old, value(3));
        table.leave(old);
        table.set(old, value(4));
        assert_eq!(told(&table, &mut reader), [(1, Some(2))]);
    }

    #[test]
    fn who_comes_back_is_told_of_once() {
        let mut table = table(1..3);
        let mut reader = PresenceRevision::default();
        table.set(ConnectionId(1), value(1));
        table.set(ConnectionId(2), value(1));
        told(&table, &mut reader);
        table.leave(ConnectionId(1));
        table.enter(ConnectionId(9), ClientId(1));
        let mut other = reader;
        assert_eq!(told(&table, &mut other), [(1, None)]);
        table.set(ConnectionId(9), value(5));
        assert_eq!(told(&table, &mut reader), [(1, Some(5))]);
    }

    #[test]
    fn who_has_missed_a_forgotten_departure_is_told_everything() {
        let count = limits::DEPARTED_CLIENTS as u64 + 2;
        let mut table = table(1..count + 1);
        for connection in 1..=count {
            table.set(ConnectionId(connection), value(1));
        }
        let reader = table.read(PresenceRevision::default()).revision;
        for connection in 1..count {
            table.leave(ConnectionId(connection));
        }
        let news = table.read(reader);
        assert_eq!(news.updates[0].extent, PresenceExtent::Everything);
        let change = PresenceChange { client: ClientId(count), value: value(1) };
        assert_eq!(news.updates[0].changes, [change]);
    }

    #[test]
    fn much_news_is_several_messages() {
        let count = 40;
        let mut table = table(1..count + 1);
        for connection in 1..=count {
            let long = Payload(vec![0; limits::PRESENCE_BYTES]);
            table.set(ConnectionId(connection), Some(long));
        }
        let updates = table.read(PresenceRevision::default()).updates;
        let counts: Vec<_> = updates.iter().map(|update| update.changes.len()).collect();
        assert_eq!(counts, [16, 16, 8]);
        let everything = |update: &&PresenceUpdate| update.extent == PresenceExtent::Everything;
        assert_eq!(updates.iter().filter(everything).count(), 1);
    }

    #[test]
    fn beyond_the_bound_nothing_more_is_shown() {
        let most = limits::PRESENT_CLIENTS as u64;
        let mut table = table(1..most + 2);
        for connection in 1..most + 2 {
            table.set(ConnectionId(connection), value(1));
        }
        assert_eq!(table.read(PresenceRevision(most - 1)).updates[0].changes.len(), 1);
        table.leave(ConnectionId(1));
        table.set(ConnectionId(most + 1), value(1));
        assert_eq!(table.revision(), PresenceRevision(most + 2));
    }
}
