//! What the clients of a session show of themselves, for its connections.
//!
//! A connection's reader puts in what its client shows, past the session's
//! mailbox: nobody is woken for it, and it is in no log. Time is cut into
//! frames, the same for all connections of a session; each is told at most once
//! in a frame, when it can be written to, and then the latest. So a client costs
//! each of the others one value a frame, whatever it sends, and a slow reader
//! skips frames. Those who keep up are sent the same bytes, encoded once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aper::ClientId;
use aper::protocol::{EncodeError, Payload, ServerMessage, encode};
use aper::sync::ConnectionId;
use aper::sync::presence::{PresenceNews, PresenceRevision, PresenceTable};
use bytes::Bytes;
use tokio::time::{Instant, sleep_until};

use crate::latest::Latest;
use crate::limits::Limits;

/// The presences of one session.
#[derive(Clone)]
pub(crate) struct Presences(Arc<Shared>);

struct Shared {
    room: Mutex<Room>,
    revision: Latest<PresenceRevision>,
    started: Instant,
    frame: Duration,
}

#[derive(Default)]
struct Room {
    table: PresenceTable,
    /// What is told in the frame that was begun last.
    current: Frame,
}

/// What those are told who were told everything up to the frame before.
#[derive(Clone, Default)]
struct Frame {
    number: FrameNumber,
    from: PresenceRevision,
    to: PresenceRevision,
    messages: Arc<[Bytes]>,
    /// The only client that it is about, if there is only one.
    sole: Option<ClientId>,
}

/// Frames since the session's presences began, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct FrameNumber(u64);

impl Presences {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self(Arc::new(Shared {
            room: Mutex::default(),
            revision: Latest::default(),
            started: Instant::now(),
            frame: limits.presence_frame.max(Duration::from_millis(1)),
        }))
    }

    /// [`PresenceTable::enter`].
    pub(crate) fn enter(&self, connection: ConnectionId, client: ClientId) {
        self.change(|table| table.enter(connection, client));
    }

    /// [`PresenceTable::leave`].
    pub(crate) fn leave(&self, connection: ConnectionId) {
        self.change(|table| table.leave(connection));
    }

    /// [`PresenceTable::set`].
    pub(crate) fn set(&self, connection: ConnectionId, value: Option<Payload>) {
        self.change(|table| table.set(connection, value));
    }

    /// What everybody shows who shows something.
    pub(crate) fn all(&self) -> Vec<(ClientId, Payload)> {
        let news = self.room().table.read(PresenceRevision::default());
        let changes = news.updates.into_iter().flat_map(|update| update.changes);
        changes.filter_map(|change| Some((change.client, change.value?))).collect()
    }

    /// Grows when somebody shows something else.
    pub(crate) fn revision(&self) -> PresenceRevision {
        self.0.revision.get()
    }

    pub(crate) fn reader(&self) -> PresenceReader {
        PresenceReader {
            presences: self.clone(),
            told: PresenceRevision::default(),
            frame: FrameNumber::default(),
        }
    }

    fn change(&self, change: impl FnOnce(&mut PresenceTable)) {
        let mut room = self.room();
        change(&mut room.table);
        let revision = room.table.revision();
        drop(room);
        // Two that change at once may come here in either order.
        self.0.revision.raise(revision);
    }

    fn frame_now(&self) -> FrameNumber {
        let frames = self.0.started.elapsed().as_nanos() / self.0.frame.as_nanos();
        FrameNumber(u64::try_from(frames).unwrap_or(u64::MAX - 1) + 1)
    }

    /// When the frame after this one begins.
    fn end_of(&self, frame: FrameNumber) -> Option<Instant> {
        let nanos = self.0.frame.as_nanos().saturating_mul(frame.0.into());
        let since = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.0.started.checked_add(since)
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.0.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place in what is told.
pub(crate) struct PresenceReader {
    presences: Presences,
    told: PresenceRevision,
    /// The last in which it was told something.
    frame: FrameNumber,
}

impl PresenceReader {
    /// Waits until there may be something to tell. May be dropped and called
    /// again.
    pub(crate) async fn due(&self) {
        self.presences.0.revision.beyond(self.told).await;
        if self.presences.frame_now() <= self.frame
            && let Some(end) = self.presences.end_of(self.frame)
        {
            // A timer is big, and most connections have nothing to wait for.
            Box::pin(sleep_until(end)).await;
        }
    }

    /// The messages to send to this client now: none if nothing is new, or if
    /// it was told in this frame already.
    pub(crate) fn read(&mut self, client: ClientId) -> Result<Arc<[Bytes]>, EncodeError> {
        let nothing = || Ok(Arc::default());
        if self.presences.0.revision.get() <= self.told {
            return nothing();
        }
        let now = self.presences.frame_now();
        if now <= self.frame {
            return nothing();
        }
        self.frame = now;
        let mut room = self.presences.room();
        if room.current.number < now {
            room.begin(now)?;
        }
        let frame = &room.current;
        if self.told < frame.from || frame.to < self.told {
            let news = room.table.read(self.told);
            drop(room);
            self.told = news.revision;
            return messages(news);
        }
        let is_new = self.told < frame.to && frame.sole != Some(client);
        self.told = frame.to;
        if is_new { Ok(Arc::clone(&frame.messages)) } else { nothing() }
    }
}

impl Room {
    fn begin(&mut self, number: FrameNumber) -> Result<(), EncodeError> {
        let from = self.current.to;
        let news = self.table.read(from);
        let mut clients =
            news.updates.iter().flat_map(|update| &update.changes).map(|change| change.client);
        let sole = clients.next().filter(|_| clients.next().is_none());
        let to = news.revision;
        self.current = Frame { number, from, to, messages: messages(news)?, sole };
        Ok(())
    }
}

fn messages(news: PresenceNews) -> Result<Arc<[Bytes]>, EncodeError> {
    let updates = news.updates.into_iter().map(ServerMessage::Presence);
    updates.map(|update| encode(&update).map(Bytes::from)).collect()
}

#[cfg(test)]
mod tests {
    use aper::protocol::{PresenceChange, decode};
    use futures::FutureExt;

    use super::*;

    const FRAME: Duration = Duration::from_millis(20);

    fn presences(clients: u64) -> Presences {
        let presences = Presences::new(&Limits { presence_frame: FRAME, ..Limits::default() });
        for client in 1..=clients {
            presences.enter(ConnectionId(client), ClientId(client));
        }
        presences
    }

    fn set(presences: &Presences, client: u64, byte: u8) {
        presences.set(ConnectionId(client), Some(Payload(vec![byte])));
    }

    /// What a client is told, as pairs of a client and a byte.
    fn told(reader: &mut PresenceReader, client: u64) -> Vec<(u64, Option<u8>)> {
        let messages = reader.read(ClientId(client)).unwrap();
        let changes = messages.iter().flat_map(|bytes| match decode(bytes).unwrap() {
            ServerMessage::Presence(update) => update.changes,
            other => panic!("{other:?}"),
        });
        let change =
            |PresenceChange { client, value }| (client.0, value.map(|Payload(bytes)| bytes[0]));
        changes.map(change).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn in_each_frame_everybody_is_told_the_latest_once() {
        let presences = presences(2);
        let mut reader = presences.reader();
        set(&presences, 1, 1);
        reader.due().await;
        assert_eq!(told(&mut reader, 2), [(1, Some(1))]);
        for byte in 2..200 {
            set(&presences, 1, byte);
            assert_eq!(told(&mut reader, 2), [], "it was told in this frame already");
        }
        let before = Instant::now();
        reader.due().await;
        assert_eq!(before.elapsed(), FRAME);
        assert_eq!(told(&mut reader, 2), [(1, Some(199))]);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_keep_up_are_sent_the_same_bytes() {
        let presences = presences(3);
        let (mut one, mut other) = (presences.reader(), presences.reader());
        for byte in 1..5 {
            set(&presences, 1, byte);
            set(&presences, 2, byte);
            tokio::time::advance(FRAME).await;
            let first = one.read(ClientId(1)).unwrap();
            set(&presences, 3, byte);
            assert!(Arc::ptr_eq(&first, &other.read(ClientId(2)).unwrap()));
        }
        assert_eq!(one.told, other.told);
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_slow_skips_frames_and_keeps_up_again() {
        let presences = presences(2);
        let (mut fast, mut slow) = (presences.reader(), presences.reader());
        for byte in 1..50 {
            set(&presences, 1, byte);
            tokio::time::advance(FRAME).await;
            assert_eq!(told(&mut fast, 2), [(1, Some(byte))]);
        }
        set(&presences, 2, 7);
        assert_eq!(told(&mut slow, 9), [(1, Some(49)), (2, Some(7))]);
        set(&presences, 1, 50);
        tokio::time::advance(FRAME).await;
        let caught_up = slow.read(ClientId(9)).unwrap();
        assert!(Arc::ptr_eq(&caught_up, &fast.read(ClientId(8)).unwrap()));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_told_of_itself_alone() {
        let presences = presences(2);
        let mut reader = presences.reader();
        for byte in 1..5 {
            set(&presences, 1, byte);
            tokio::time::advance(FRAME).await;
            assert_eq!(told(&mut reader, 1), [], "only about itself");
        }
        set(&presences, 2, 9);
        tokio::time::advance(FRAME).await;
        assert_eq!(told(&mut reader, 1), [(2, Some(9))]);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_what_is_told_already() {
        let presences = presences(2);
        let mut reader = presences.reader();
        assert!(reader.due().now_or_never().is_none(), "nobody shows anything");
        set(&presences, 1, 1);
        reader.due().await;
        told(&mut reader, 2);
        assert!(reader.due().now_or_never().is_none());
        set(&presences, 1, 1);
        assert!(reader.due().now_or_never().is_none(), "the same once more is no news");
        presences.leave(ConnectionId(1));
        reader.due().await;
        assert_eq!(told(&mut reader, 2), [(1, None)]);
    }
}
