//! Sequences of a message that have a longest length. A frame's length alone
//! bounds them too late: what takes two bytes in a frame takes thirty in
//! memory, and time with it, before anybody could count it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::message::Payload;
use crate::limits;

/// For the submissions of one message, and their refusals: no more than may be
/// without an answer.
pub(super) fn window<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    at_most(limits::UNANSWERED_SUBMISSIONS as usize, deserializer)
}

/// For the entries of one message.
pub(super) fn entries<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    at_most(limits::COMMITTED_ENTRIES, deserializer)
}

/// For the changes of one message about who shows what.
pub(super) fn presences<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    at_most(limits::PRESENCE_CHANGES, deserializer)
}

/// For what one client shows.
pub(super) fn presence<'de, D>(deserializer: D) -> Result<Option<Payload>, D::Error>
where
    D: Deserializer<'de>,
{
    let value = Option::<Payload>::deserialize(deserializer)?;
    match &value {
        Some(Payload(bytes)) if bytes.len() > limits::PRESENCE_BYTES => {
            Err(D::Error::custom("what a client shows is too long"))
        }
        _ => Ok(value),
    }
}

fn at_most<'de, D, T>(most: usize, deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_seq(AtMost { most, element: PhantomData })
}

struct AtMost<T> {
    most: usize,
    element: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for AtMost<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence that is not too long")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let claimed = seq.size_hint().unwrap_or(0);
        let mut elements = Vec::with_capacity(claimed.min(self.most));
        while let Some(element) = seq.next_element()? {
            if elements.len() == self.most {
                return Err(A::Error::custom("a sequence is too long"));
            }
            elements.push(element);
        }
        Ok(elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ClientId, ClientSeq, Epoch, Version};
    use crate::protocol::{
        ClientMessage, DecodeError, Entry, Payload, PresenceChange, PresenceExtent, PresenceUpdate,
        ServerMessage, Submission, decode, encode,
    };
    use crate::time::Timestamp;

    fn submit(count: u32) -> Vec<u8> {
        let submission = Submission { seq: ClientSeq(1), transition: Payload(vec![7]) };
        encode(&ClientMessage::Submit(vec![submission; count as usize])).unwrap()
    }

    #[test]
    fn a_window_has_room_for_so_many_and_no_more() {
        let most = limits::UNANSWERED_SUBMISSIONS;
        assert!(decode::<ClientMessage>(&submit(most)).is_ok());
        let reason = "a sequence is too long".to_owned();
        let refused = decode::<ClientMessage>(&submit(most + 1));
        assert_eq!(refused, Err(DecodeError::Malformed { reason }));
    }

    fn commits(count: usize) -> Vec<u8> {
        let entry = Entry {
            version: Version(1),
            epoch: Epoch(0),
            client: ClientId(1),
            seq: ClientSeq(1),
            at: Timestamp::ZERO,
            user: None,
            chance: None,
            transition: Payload::default(),
        };
        encode(&ServerMessage::Commits(vec![entry; count])).unwrap()
    }

    #[test]
    fn a_message_has_so_many_entries_and_no_more() {
        let most = limits::COMMITTED_ENTRIES;
        assert!(decode::<ServerMessage>(&commits(most)).is_ok());
        assert!(decode::<ServerMessage>(&commits(most + 1)).is_err());
    }

    #[test]
    fn what_a_client_shows_is_so_long_and_no_longer() {
        let shown = |length| encode(&ClientMessage::Presence(Some(Payload(vec![7; length]))));
        let most = limits::PRESENCE_BYTES;
        assert!(decode::<ClientMessage>(&shown(most).unwrap()).is_ok());
        let reason = "what a client shows is too long".to_owned();
        let refused = decode::<ClientMessage>(&shown(most + 1).unwrap());
        assert_eq!(refused, Err(DecodeError::Malformed { reason }));
    }

    #[test]
    fn an_update_has_so_many_changes_and_no_more() {
        let update = |count| {
            let change = PresenceChange { client: ClientId(1), value: None };
            let (extent, changes) = (PresenceExtent::Changes, vec![change; count]);
            encode(&ServerMessage::Presence(PresenceUpdate { extent, changes })).unwrap()
        };
        let most = limits::PRESENCE_CHANGES;
        assert!(decode::<ServerMessage>(&update(most)).is_ok());
        assert!(decode::<ServerMessage>(&update(most + 1)).is_err());
    }
}
