//! One session: a task that alone drives its authority, and what others see
//! of it, a mailbox.
//!
//! ```text
//!  connections ──Command──▶ mailbox ──▶ task ──▶ Authority
//!       ▲                               │  │
//!       ├──Answer── lane (one client) ──┘  ├──▶ journal
//!       └──bytes─── tail (everybody) ◀─────┘
//! ```
//!
//! The mailbox is bounded, and a client's `Leave`, of which there is one for each
//! that has joined, goes in beyond the bound: leaving never waits and never gets
//! lost.

mod checks;
mod image;
mod members;
mod open;
mod shell;
mod sight;
mod task;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;

use aper::protocol::{CloseCode, Payload, Rejection, Resume, StateHash, Submission, Welcome};
use aper::sync::ConnectionId;
use aper::sync::authority::SnapshotImage;
use aper::{ClientId, ClientSeq, UserId, Version, limits::UNANSWERED_SUBMISSIONS};
use futures::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SetOnce, oneshot};

pub(crate) use self::image::{Chunks, SharedImage};
pub(crate) use self::open::{Ground, open};
pub(crate) use self::shell::{Bell, Shell};
use self::sight::Watched;
pub(crate) use self::sight::{Gauge, Reading, Sight, Traffic, Visitor};
pub(crate) use self::task::{Rest, Session};
use crate::error::Closing;
use crate::limits::Limits;
use crate::presence::{PresenceReader, Presences};
use crate::queue::{NotPut, Queue, Receiver};
use crate::tail::Tail;
use crate::turns::Turns;

/// What others want of a session.
pub(crate) enum Command {
    /// Apart, since it is big and rare: a mailbox has room for many commands.
    Join(Box<Join>),
    Submit {
        connection: ConnectionId,
        submissions: Vec<Submission>,
        /// Given back when they are decided on.
        room: OwnedSemaphorePermit,
    },
    Snapshot {
        connection: ConnectionId,
    },
    /// What the client's state comes to.
    Checked {
        connection: ConnectionId,
        version: Version,
        hash: StateHash,
    },
    Leave {
        connection: ConnectionId,
    },
    /// Somebody on the server wants to know the state.
    Look {
        reply: oneshot::Sender<SnapshotImage>,
    },
}

impl Command {
    /// How much there is to do, in submissions.
    fn work(&self) -> usize {
        match self {
            Self::Submit { submissions, .. } => submissions.len().max(1),
            Self::Join(_)
            | Self::Snapshot { .. }
            | Self::Checked { .. }
            | Self::Leave { .. }
            | Self::Look { .. } => 1,
        }
    }
}

/// Somebody wants to take part.
pub(crate) struct Join {
    pub(crate) connection: ConnectionId,
    pub(crate) user: Option<UserId>,
    pub(crate) resume: Option<Resume>,
    pub(crate) life: Life,
    pub(crate) lane: Arc<Queue<Answer>>,
    pub(crate) close: oneshot::Sender<Closing>,
    pub(crate) reply: oneshot::Sender<Result<Joined, NotJoined>>,
}

/// What is known of a connection that wants to join. The network may hold back
/// a `Hello` until its client has given up and come back by another way: such a
/// connection must not take the place of the newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Unknown,
    /// It has answered: there is somebody behind it.
    Seen,
}

/// What everybody in a session is told, from here on.
pub(crate) struct Joined {
    pub(crate) tail: Tail,
    pub(crate) presences: Presences,
}

/// What a session tells one client alone. All that was put into the lane
/// before an entry was published is sent before that entry.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The first. The log follows after `from`.
    Welcome {
        welcome: Box<Welcome>,
        image: Option<Arc<SharedImage>>,
        from: Version,
    },
    /// The state, in place of entries that are not in the tail any more.
    Snapshot {
        image: Arc<SharedImage>,
        last_seq: ClientSeq,
    },
    Reject(Rejection),
}

/// How a session's task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// There was nothing to do; it can be woken.
    Asleep,
    /// The server stops.
    ShutDown,
    /// It met an error of its own.
    Failed,
}

/// A session, for those who want something of it. It is awake, or wakes when
/// somebody does.
#[derive(Clone)]
pub(crate) struct SessionHandle {
    mailbox: Arc<Queue<Command>>,
    bell: Arc<Bell>,
    ended: Arc<SetOnce<Ended>>,
    sight: Arc<Sight>,
    turns: Arc<Turns>,
    places: Arc<Semaphore>,
    lane_len: usize,
    unsent_answers: usize,
}

/// The session's side of a [`SessionHandle`].
pub(crate) struct SessionPost {
    pub(crate) shell: Shell,
    pub(crate) ending: Ending,
}

/// Why somebody did not get in.
#[derive(Debug)]
pub(crate) enum NotJoined {
    Refused(Closing),
    /// It would take the place of another connection, and has to show first
    /// that it is alive.
    Unseen,
    /// The session's task has ended, or is just ending.
    Ended,
}

impl SessionHandle {
    pub(crate) fn new(limits: &Limits, bell: Bell) -> (Self, SessionPost) {
        // Room for a session full of clients and as many in the act of
        // replacing their own old connections; the task refuses the rest.
        let places = limits.clients_per_session.saturating_mul(2).min(1 << 30);
        let mailbox = Arc::new(Queue::new(limits.mailbox));
        let ended = Arc::<SetOnce<Ended>>::default();
        let ending = Ending(Arc::clone(&ended));
        // What a client has in the mailbox, what waits for the journal, the
        // welcome, and what it has not taken: by then it is not read from.
        let lane_len = limits.unsent_answers + 2 * UNANSWERED_SUBMISSIONS as usize + 8;
        let places = Arc::new(Semaphore::new(places));
        let unsent_answers = limits.unsent_answers;
        let bell = Arc::new(bell);
        let shell = Shell::new(Receiver::of(&mailbox), limits);
        let sight = Arc::clone(shell.sight());
        let turns = Arc::default();
        let handle = Self { mailbox, bell, ended, sight, turns, places, lane_len, unsent_answers };
        (handle, SessionPost { shell, ending })
    }

    pub(crate) fn bell(&self) -> &Bell {
        &self.bell
    }

    /// What can be seen of it without asking it.
    pub(crate) fn sight(&self) -> &Arc<Sight> {
        &self.sight
    }

    /// At the processors.
    pub(crate) fn turns(&self) -> &Arc<Turns> {
        &self.turns
    }

    pub(crate) async fn join(
        &self,
        connection: ConnectionId,
        user: Option<UserId>,
        resume: Option<Resume>,
        life: Life,
        visitor: Option<Visitor>,
    ) -> Result<Membership, NotJoined> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            NotJoined::Refused(Closing::new(CloseCode::Full, "the session is full"))
        })?;
        let lane = Arc::new(Queue::new(self.lane_len));
        let answers = Receiver::of(&lane);
        let (close, closed) = oneshot::channel();
        let (reply, joined) = oneshot::channel();
        let join = Join { connection, user, resume, life, lane: Arc::clone(&lane), close, reply };
        let join = Command::Join(Box::new(join));
        self.mailbox.put(join).await.map_err(|_| NotJoined::Ended)?;
        self.bell.ring();
        let (mailbox, bell) = (Arc::clone(&self.mailbox), Arc::clone(&self.bell));
        let leave = Leave { connection, mailbox, bell, _place: place };
        // A command that is sent while the task ends may stay in the mailbox,
        // which lives as long as this handle: so the end is watched as well.
        let joined = tokio::select! {
            biased;
            joined = joined => joined.map_err(|_| NotJoined::Ended)?,
            _ = self.ended() => return Err(NotJoined::Ended),
        };
        let Joined { tail, presences } = joined?;
        let presence = presences.reader();
        let room = Arc::new(Semaphore::new(UNANSWERED_SUBMISSIONS as usize));
        let watch = |visitor| self.sight.watch(connection, visitor, Arc::clone(&room));
        let commands = Commands {
            connection,
            mailbox: Arc::clone(&self.mailbox),
            bell: Arc::clone(&self.bell),
            watched: visitor.map(watch),
            room,
            lane,
            unsent_answers: self.unsent_answers,
            presences,
        };
        let ended = Arc::clone(&self.ended);
        let turns = Arc::clone(&self.turns);
        Ok(Membership { answers, closed, tail, presence, commands, ended, turns, _leave: leave })
    }

    /// The state, all of which is in the journal. None when the session's task
    /// has ended, or is just ending.
    pub(crate) async fn look(&self) -> Option<SnapshotImage> {
        let (reply, answer) = oneshot::channel();
        self.mailbox.put(Command::Look { reply }).await.ok()?;
        self.bell.ring();
        tokio::select! {
            biased;
            image = answer => image.ok(),
            _ = self.ended() => None,
        }
    }

    /// Waits for the end of the session's task.
    pub(crate) async fn ended(&self) -> Ended {
        *self.ended.wait().await
    }
}

/// Says how a session ended, to all who wait for that.
pub(crate) struct Ending(Arc<SetOnce<Ended>>);

impl Ending {
    pub(crate) fn tell(self, how: Ended) {
        let _ = self.0.set(how);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // Unless it was told already, the task is gone without a word.
        let _ = self.0.set(Ended::Failed);
    }
}

/// A connection's part in a session. Dropping it is leaving.
pub(crate) struct Membership {
    pub(crate) answers: Receiver<Answer>,
    pub(crate) tail: Tail,
    pub(crate) presence: PresenceReader,
    pub(crate) commands: Commands,
    closed: oneshot::Receiver<Closing>,
    ended: Arc<SetOnce<Ended>>,
    turns: Arc<Turns>,
    _leave: Leave,
}

/// The parts of a membership that are used side by side.
pub(crate) struct Parts<'a> {
    pub(crate) answers: &'a Queue<Answer>,
    pub(crate) tail: &'a Tail,
    pub(crate) presence: &'a mut PresenceReader,
    pub(crate) commands: &'a Commands,
    pub(crate) closed: Closed<'a>,
}

/// The session's wish that the connection end.
pub(crate) struct Closed<'a> {
    closed: &'a mut oneshot::Receiver<Closing>,
    ended: &'a SetOnce<Ended>,
}

impl Membership {
    pub(crate) fn turns(&self) -> Arc<Turns> {
        Arc::clone(&self.turns)
    }

    pub(crate) fn parts(&mut self) -> Parts<'_> {
        let closed = Closed { closed: &mut self.closed, ended: &self.ended };
        Parts {
            answers: &self.answers,
            tail: &self.tail,
            presence: &mut self.presence,
            commands: &self.commands,
            closed,
        }
    }
}

impl Closed<'_> {
    pub(crate) async fn wait(self) -> Closing {
        match self.closed.await {
            Ok(closing) => closing,
            // Apart: hardly anybody comes to it.
            Err(_) => match Box::pin(self.ended.wait()).await {
                Ended::ShutDown => Closing::restart(),
                Ended::Asleep | Ended::Failed => Closing::session_failed(),
            },
        }
    }
}

/// A connection's way to its session.
pub(crate) struct Commands {
    connection: ConnectionId,
    mailbox: Arc<Queue<Command>>,
    bell: Arc<Bell>,
    room: Arc<Semaphore>,
    lane: Arc<Queue<Answer>>,
    unsent_answers: usize,
    presences: Presences,
    /// When there is an inspector to see it.
    watched: Option<Box<Watched>>,
}

impl Commands {
    /// Hands submissions over, at most [`UNANSWERED_SUBMISSIONS`]: at once if
    /// there is room for this client and in the mailbox; else gives what hands
    /// them over when there is.
    pub(crate) fn submit(&self, submissions: Vec<Submission>) -> Option<BoxFuture<'_, ()>> {
        let many = u32::try_from(submissions.len().max(1)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room);
        match Arc::clone(&room).try_acquire_many_owned(many) {
            Ok(room) => self.hand_over(submissions, room),
            Err(_) => Some(Box::pin(async move {
                let Ok(room) = room.acquire_many_owned(many).await else { return };
                if let Some(handed_over) = self.hand_over(submissions, room) {
                    handed_over.await;
                }
            })),
        }
    }

    fn hand_over(
        &self,
        submissions: Vec<Submission>,
        room: OwnedSemaphorePermit,
    ) -> Option<BoxFuture<'_, ()>> {
        let connection = self.connection;
        if let Some(watched) = &self.watched {
            watched.submitted(submissions.len());
        }
        match self.mailbox.try_put(Command::Submit { connection, submissions, room }) {
            Ok(()) => self.bell.ring(),
            Err(NotPut::Full(command)) => return Some(Box::pin(self.send(command))),
            // The session has ended, and says so by other means.
            Err(NotPut::Closed) => {}
        }
        None
    }

    /// Asks for the state in place of entries.
    pub(crate) async fn ask_for_snapshot(&self) {
        let connection = self.connection;
        self.send(Command::Snapshot { connection }).await;
    }

    /// Answers a check.
    pub(crate) async fn checked(&self, version: Version, hash: StateHash) {
        let connection = self.connection;
        self.send(Command::Checked { connection, version, hash }).await;
    }

    /// Notes up to where the client has been sent everything.
    pub(crate) fn sent(&self, client: ClientId, cursor: Version) {
        if let Some(watched) = &self.watched {
            watched.sent(client, cursor);
        }
    }

    /// Notes that the client was refused something.
    pub(crate) fn refused(&self) {
        if let Some(watched) = &self.watched {
            watched.refused();
        }
    }

    /// Says what the client shows of itself from now on. The session is not
    /// asked, nor woken.
    pub(crate) fn show(&self, value: Option<Payload>) {
        self.presences.set(self.connection, value);
    }

    async fn send(&self, command: Command) {
        // A session that has ended says so by other means.
        let _ = self.mailbox.put(command).await;
        self.bell.ring();
    }

    /// Whether so many answers wait that nothing more should be asked.
    pub(crate) fn has_unsent(&self) -> bool {
        self.lane.len() >= self.unsent_answers
    }

    /// Of this connection, for others who write to it.
    pub(crate) fn gauge(&self) -> Option<Arc<Gauge>> {
        self.watched.as_ref().map(|watched| Arc::clone(watched.gauge()))
    }

    /// What the session has for this client alone.
    pub(crate) fn lane(&self) -> &Arc<Queue<Answer>> {
        &self.lane
    }
}

/// Says goodbye when it is dropped, wherever that is.
struct Leave {
    connection: ConnectionId,
    mailbox: Arc<Queue<Command>>,
    bell: Arc<Bell>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.mailbox.put_in_any_case(Command::Leave { connection: self.connection });
        self.bell.ring();
    }
}
