//! How the log gets to many connections: to those that only follow it, by one
//! task for many. To wake a task for each of them would cost about as much as
//! the write that it is woken for.
//!
//! A connection that follows lets others write to its socket. When the log has
//! grown, each task of a fan-out goes round its connections and writes to each
//! what is new, which is read once for all that are at the same place. Whoever
//! is not where it should be (it has something else to send, its socket takes no
//! more, it has fallen off the tail) is called, and sees to itself.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use aper::Version;
use bytes::Bytes;
use tokio::task::yield_now;

use crate::tail::{FellOff, Tail};
use crate::turns::{SLICE, Turns};

/// Connections that one task writes to. So many writes take it a fraction of a
/// millisecond; a session with more of them is written to by several processors.
const AT_ONCE: usize = 32;

/// Bytes of the log that are given to one connection before it is the next
/// one's turn.
const BYTES_AT_ONCE: usize = 64 * 1024;

/// A connection that the log is written to.
pub(crate) trait Follower: Send + Sync {
    /// Writes what is new, without waiting, or calls the connection's own task.
    fn follow(&self, log: &mut Reading<'_>);
}

/// The connections of one session.
#[derive(Clone, Default)]
pub(crate) struct Fanout(Arc<Mutex<Vec<Arc<Group>>>>);

/// Those that one task writes to.
#[derive(Default)]
struct Group(Mutex<Vec<Arc<dyn Follower>>>);

/// A connection's place in a fan-out, until this is dropped.
pub(crate) struct Following {
    group: Arc<Group>,
    follower: Arc<dyn Follower>,
}

impl Fanout {
    /// From now on the follower is visited whenever the log of `tail` has
    /// grown.
    pub(crate) fn add(
        &self,
        tail: &Tail,
        follower: Arc<dyn Follower>,
        turns: &Arc<Turns>,
    ) -> Following {
        let mut groups = lock(&self.0);
        let group = groups.iter().find(|group| group.add(&follower)).cloned();
        let group = group.unwrap_or_else(|| {
            let group = Arc::new(Group(Mutex::new(vec![Arc::clone(&follower)])));
            groups.push(Arc::clone(&group));
            // What comes from here on: the first of the group looks for what was
            // before.
            let seen = tail.head();
            let passing = pass_on(tail.clone(), seen, self.clone(), Arc::clone(&group));
            let turns = Arc::clone(turns);
            tokio::spawn(async move { turns.take(pin!(passing)).await });
            group
        });
        Following { group, follower }
    }

    /// Takes a group out if nobody is in it; then nobody comes to it.
    fn dissolve(&self, group: &Arc<Group>) -> bool {
        let mut groups = lock(&self.0);
        let is_empty = lock(&group.0).is_empty();
        if is_empty {
            groups.retain(|other| !Arc::ptr_eq(other, group));
        }
        is_empty
    }
}

impl Group {
    /// Whether there was room.
    fn add(&self, follower: &Arc<dyn Follower>) -> bool {
        let mut followers = lock(&self.0);
        let is_room = followers.len() < AT_ONCE;
        if is_room {
            followers.push(Arc::clone(follower));
        }
        is_room
    }

    /// Writes to all who are in it now.
    async fn write(&self, mut reading: Reading<'_>) {
        let followers = lock(&self.0).clone();
        let mut begun = Instant::now();
        for follower in followers {
            follower.follow(&mut reading);
            if begun.elapsed() >= SLICE {
                yield_now().await;
                begun = Instant::now();
            }
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let own = Arc::as_ptr(&self.follower);
        lock(&self.group.0).retain(|other| !std::ptr::addr_eq(Arc::as_ptr(other), own));
    }
}

/// Writes to a group all that is new after `seen`, until the session ends or all
/// have left.
async fn pass_on(tail: Tail, mut seen: Version, all: Fanout, group: Arc<Group>) {
    while let Some(head) = tail.beyond(seen).await {
        seen = head;
        // Apart: it would keep its room while there is nothing to pass on.
        Box::pin(group.write(Reading::new(&tail, head))).await;
        if all.dissolve(&group) {
            return;
        }
        // Whoever else is ready has waited for as long as all that took.
        yield_now().await;
    }
}

/// The log, as it is read for many.
pub(crate) struct Reading<'a> {
    tail: &'a Tail,
    head: Version,
    last: Option<Read>,
}

struct Read {
    cursor: Version,
    messages: Vec<Bytes>,
    reached: Version,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(tail: &'a Tail, head: Version) -> Self {
        Self { tail, head, last: None }
    }

    /// Where the log ends.
    pub(crate) fn head(&self) -> Version {
        self.head
    }

    /// The messages that lead from `cursor` to the head, and how far they do:
    /// to where [`BYTES_AT_ONCE`] allow.
    pub(crate) fn after(&mut self, cursor: Version) -> Result<(&[Bytes], Version), FellOff> {
        let read = match self.last.take().filter(|read| read.cursor == cursor) {
            Some(read) => read,
            None => {
                let (messages, reached) = self.tail.read(cursor, self.head, BYTES_AT_ONCE)?;
                Read { cursor, messages, reached }
            }
        };
        let read = self.last.insert(read);
        Ok((&read.messages, read.reached))
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;
    use crate::limits::Limits;
    use crate::tail::TailWriter;
    use crate::tail::testing::publish;

    /// Takes what it is given, and says how far that goes.
    #[derive(Default)]
    struct Taker {
        cursor: watch::Sender<Version>,
        taken: Mutex<Vec<Bytes>>,
    }

    impl Follower for Taker {
        fn follow(&self, log: &mut Reading<'_>) {
            let (messages, reached) = log.after(*self.cursor.borrow()).unwrap();
            lock(&self.taken).extend_from_slice(messages);
            self.cursor.send_replace(reached);
        }
    }

    impl Taker {
        async fn has(&self, version: u64) {
            self.cursor.subscribe().wait_for(|cursor| cursor.0 >= version).await.unwrap();
        }
    }

    fn tail() -> TailWriter {
        TailWriter::new(Version(0), &Limits::default())
    }

    fn groups(tail: &Tail) -> usize {
        lock(&tail.fanout().0).len()
    }

    #[tokio::test]
    async fn everybody_is_given_everything_and_the_same_bytes() {
        let (writer, takers) = (tail(), [(); 2 * AT_ONCE + 1].map(|()| Arc::<Taker>::default()));
        let (tail, turns) = (writer.reader(), Arc::default());
        let followings = takers.each_ref().map(|taker| tail.follow(Arc::clone(taker) as _, &turns));
        assert_eq!(groups(&tail), 3);
        for version in 1..=3 {
            publish(&writer, version..=version, 10);
            for taker in &takers {
                taker.has(version).await;
            }
        }
        let addresses = |taker: &Taker| -> Vec<_> {
            lock(&taker.taken).iter().map(|bytes| bytes.as_ptr()).collect()
        };
        let first = addresses(&takers[0]);
        assert_eq!(first.len(), 3);
        assert!(takers.iter().all(|taker| addresses(taker) == first));
        drop(followings);
    }

    #[tokio::test]
    async fn who_has_left_is_not_visited_and_makes_room() {
        let (writer, takers) = (tail(), [(); AT_ONCE + 1].map(|()| Arc::<Taker>::default()));
        let (tail, turns) = (writer.reader(), Arc::default());
        let mut followings =
            takers.each_ref().map(|taker| Some(tail.follow(Arc::clone(taker) as _, &turns)));
        followings[0] = None;
        let newcomer = Arc::<Taker>::default();
        let newcomer_follows = tail.follow(Arc::clone(&newcomer) as _, &turns);
        assert_eq!(groups(&tail), 2, "there was room");
        publish(&writer, 1..=1, 10);
        newcomer.has(1).await;
        takers[AT_ONCE].has(1).await;
        assert_eq!(takers[0].cursor.borrow().0, 0);
        drop((followings, newcomer_follows));

        // Their tasks find out when there is something to pass on.
        publish(&writer, 2..=2, 10);
        while groups(&tail) > 0 {
            tokio::task::yield_now().await;
        }
        let last = Arc::<Taker>::default();
        let _following = tail.follow(Arc::clone(&last) as _, &turns);
        publish(&writer, 3..=3, 10);
        last.has(3).await;
    }
}
