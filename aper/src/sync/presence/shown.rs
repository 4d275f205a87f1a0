//! What others show, as a replica knows it.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use crate::id::ClientId;
use crate::limits;
use crate::protocol::{Payload, PresenceExtent, PresenceUpdate, decode};

/// What the other clients of a session show, as far as this one was told: of
/// each the latest value, and nothing while there is no connection.
///
/// ```
/// use aper::sync::presence::{Presences, Seen};
///
/// # let presences = &Presences::default();
/// let mut seen = Seen::default();
/// // On each event, only what is new is decoded:
/// for (client, value) in presences.differences(&mut seen) {
///     println!("{client} shows {value:?}");
/// }
/// assert_eq!(presences.decoded::<u8>().len(), presences.iter().count());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Presences {
    /// In the order of the clients' numbers. A tree would be quicker with many
    /// hundreds, and weigh a tenth of all that a browser loads.
    shown: Vec<(ClientId, Shown)>,
    /// Of the last change.
    serial: u64,
}

#[derive(Clone, Debug)]
struct Shown {
    value: Payload,
    serial: u64,
}

/// What somebody has taken out of [`Presences`] so far.
#[derive(Clone, Debug, Default)]
pub struct Seen(Vec<(ClientId, u64)>);

/// More clients than a session has.
#[derive(Clone, Copy, Debug)]
pub(in crate::sync) struct TooMany;

impl Presences {
    /// Each client that shows something, and its encoded value.
    pub fn iter(&self) -> impl Iterator<Item = (ClientId, &Payload)> {
        self.shown.iter().map(|(client, shown)| (*client, &shown.value))
    }

    /// All values, decoded. What is no `P` is left out: nobody has looked at
    /// what its client sent. Cost: a pass over all.
    #[must_use]
    pub fn decoded<P: DeserializeOwned>(&self) -> BTreeMap<ClientId, P> {
        let decoded = |(client, value): (_, &Payload)| Some((client, decode(&value.0).ok()?));
        self.iter().filter_map(decoded).collect()
    }

    /// What is another than when this was asked last, `None` for who shows
    /// nothing any more. Cost: a look at each client.
    pub fn differences(&self, seen: &mut Seen) -> Vec<(ClientId, Option<&Payload>)> {
        let mut differences = Vec::new();
        // Both are in the same order: one pass finds what only one of them has.
        let mut before = seen.0.iter().copied().peekable();
        for (client, shown) in &self.shown {
            while let Some((gone, _)) = before.next_if(|(other, _)| other < client) {
                differences.push((gone, None));
            }
            let last = before.next_if(|(other, _)| other == client);
            if last.is_none_or(|(_, serial)| serial != shown.serial) {
                differences.push((*client, Some(&shown.value)));
            }
        }
        differences.extend(before.map(|(gone, _)| (gone, None)));
        seen.0 = self.shown.iter().map(|(client, shown)| (*client, shown.serial)).collect();
        differences
    }

    pub(in crate::sync) fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Nobody is known to be here.
    pub(in crate::sync) fn clear(&mut self) {
        self.shown.clear();
    }

    /// Takes in what a server told `me`, who knows itself.
    pub(in crate::sync) fn update(
        &mut self,
        me: ClientId,
        update: PresenceUpdate,
    ) -> Result<(), TooMany> {
        if update.extent == PresenceExtent::Everything {
            self.clear();
        }
        for change in update.changes.into_iter().filter(|change| change.client != me) {
            self.serial += 1;
            let shown = change.value.map(|value| Shown { value, serial: self.serial });
            let place = self.shown.binary_search_by_key(&change.client, |(client, _)| *client);
            match (place, shown) {
                (Ok(place), Some(shown)) => self.shown[place].1 = shown,
                (Ok(place), None) => drop(self.shown.remove(place)),
                (Err(place), Some(shown)) => self.shown.insert(place, (change.client, shown)),
                (Err(_), None) => {}
            }
        }
        if self.shown.len() > limits::PRESENT_CLIENTS { Err(TooMany) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::PresenceChange;

    fn update(extent: PresenceExtent, changes: &[(u64, Option<u8>)]) -> PresenceUpdate {
        let change = |&(client, byte): &(u64, Option<u8>)| PresenceChange {
            client: ClientId(client),
            value: byte.map(|byte| Payload(vec![byte])),
        };
        PresenceUpdate { extent, changes: changes.iter().map(change).collect() }
    }

    const ME: ClientId = ClientId(9);

    #[test]
    fn what_is_new_is_told_once() {
        use PresenceExtent::{Changes, Everything};
        let (mut presences, mut seen) = (Presences::default(), Seen::default());
        let all = [(1, Some(1)), (2, Some(2)), (9, Some(3))];
        presences.update(ME, update(Everything, &all)).unwrap();
        let clients = |differences: Vec<(ClientId, Option<&Payload>)>| -> Vec<_> {
            differences.iter().map(|(client, value)| (client.0, value.is_some())).collect()
        };
        assert_eq!(clients(presences.differences(&mut seen)), [(1, true), (2, true)]);
        presences.update(ME, update(Changes, &[(2, Some(7)), (1, None)])).unwrap();
        assert_eq!(clients(presences.differences(&mut seen)), [(1, false), (2, true)]);
        assert_eq!(clients(presences.differences(&mut seen)), []);
        presences.update(ME, update(Everything, &[(4, Some(0))])).unwrap();
        assert_eq!(clients(presences.differences(&mut seen)), [(2, false), (4, true)]);
    }

    #[test]
    fn what_cannot_be_read_is_as_if_it_were_not_there() {
        let mut presences = Presences::default();
        let changes = [(1, Some(1)), (2, Some(2))];
        presences.update(ME, update(PresenceExtent::Changes, &changes)).unwrap();
        let decoded = presences.decoded::<bool>();
        assert_eq!(decoded, BTreeMap::from([(ClientId(1), true)]));
    }
}
