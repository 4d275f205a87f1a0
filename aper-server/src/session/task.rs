//! The task of one session: takes one command, hands it to the authority,
//! drains what the authority wants done; then as many further commands as are
//! ready, so that what they add is written together.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aper::limits::TIMERS_AT_ONCE;
use aper::protocol::{CloseCode, Entry, ServerMessage};
use aper::sync::authority::{Commit, Input, Output, SnapshotImage, Storage};
use aper::{ClientSeq, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, error, info, warn};

use super::checks::{Checks, Difference};
use super::image::LastImage;
use super::members::Members;
use super::writer::{Done, Writer};
use super::{Answer, Command, Join, Joined, Life, NotJoined, Shell};
use crate::clock::Clock;
use crate::divergence::SessionDivergences;
use crate::error::{Closing, SessionError};
use crate::hub::stopped;
use crate::limits::Limits;
use crate::machine::AnyAuthority;
use crate::queue::Receiver;
use crate::tail::{ENTRY_OVERHEAD, TailWriter};

/// Submissions, or as much work of other kinds, that are handled in one go
/// before the journal, the timers and other sessions get their turn. Refused
/// ones cost as much as accepted ones.
const WORK_AT_ONCE: usize = 1_024;

/// Time from a snapshot that found no room to the next.
const SNAPSHOT_AGAIN: Duration = Duration::from_secs(30);

/// A session that is awake.
pub(crate) struct Session {
    authority: Box<dyn AnyAuthority>,
    mailbox: Receiver<Command>,
    members: Members,
    tail: TailWriter,
    writer: Writer,
    last_image: LastImage,
    checks: Checks,
    divergences: SessionDivergences,
    /// For the authority, together; and the room that goes with submissions.
    inputs: Vec<Input>,
    rooms: Vec<OwnedSemaphorePermit>,
    /// To be published when the authority has been drained.
    commits: Vec<Commit>,
    clock: Clock,
    limits: Arc<Limits>,
    stopping: watch::Receiver<bool>,
    quiet_since: Instant,
    /// Whether anything has happened that the journal's snapshot lacks.
    changed: bool,
    /// Length of the encoded state at the last snapshot.
    state_bytes: usize,
    records_since_snapshot: u64,
    /// There was no room for a snapshot: not before this is there another.
    no_snapshot_before: Instant,
    /// Who wants to know a state as soon as the journal has all of it.
    curious: VecDeque<(SnapshotImage, oneshot::Sender<SnapshotImage>)>,
    /// Work since others had their turn.
    worked: usize,
}

/// What a session is made of.
pub(super) struct Parts {
    pub(super) authority: Box<dyn AnyAuthority>,
    pub(super) mailbox: Receiver<Command>,
    pub(super) members: Members,
    pub(super) tail: TailWriter,
    pub(super) writer: Writer,
    pub(super) divergences: SessionDivergences,
    /// Length of the encoded state, as far as it is known.
    pub(super) state_bytes: usize,
}

/// Why a session's task ended in good order.
pub(crate) enum Rest {
    /// Nothing happened for long enough.
    Asleep {
        /// When the machine's next timer is due.
        timer: Option<Timestamp>,
        /// What goes on without the session, if clients are connected.
        shell: Option<Shell>,
    },
    /// The server stops.
    ShutDown,
}

impl Session {
    pub(super) fn new(
        parts: Parts,
        clock: Clock,
        limits: Arc<Limits>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let Parts { authority, mailbox, members, tail, writer, divergences, state_bytes } = parts;
        Self {
            authority,
            mailbox,
            members,
            tail,
            writer,
            last_image: LastImage::default(),
            checks: Checks::default(),
            divergences,
            inputs: Vec::new(),
            rooms: Vec::new(),
            commits: Vec::new(),
            clock,
            limits,
            stopping,
            quiet_since: Instant::now(),
            changed: false,
            state_bytes,
            records_since_snapshot: 0,
            no_snapshot_before: Instant::now(),
            curious: VecDeque::new(),
            worked: 0,
        }
    }

    /// Takes up those who stayed connected while the session slept. Whoever
    /// else was here has left: the process ended meanwhile.
    pub(super) fn begin(&mut self) -> Result<(), SessionError> {
        for (connection, client) in self.members.clients() {
            self.handle(Input::Reattach { connection, client })?;
        }
        self.handle(Input::Absent)
    }

    /// Runs until there is nothing to do for long enough, or the server stops.
    /// `may_sleep` says whether there is room for an alarm; `had_timer` is told
    /// when the machine has a timer, and never that it has none any more: the
    /// journal may not know that yet.
    pub(crate) async fn run(
        mut self: Box<Self>,
        may_sleep: impl Fn(Option<Timestamp>) -> bool,
        had_timer: &AtomicBool,
    ) -> Result<Rest, SessionError> {
        loop {
            let timer = self.authority.next_timeout().map(|at| self.clock.wait_for(at));
            if timer.is_some() {
                had_timer.store(true, Ordering::Relaxed);
            }
            let timer = timer.filter(|_| self.may_accept() && !self.writer.is_full());
            let quiet = later(self.quiet_since, self.limits.idle);
            let quiet = quiet.filter(|_| self.writer.is_settled());
            // One timer for both: it is big, and there are many sessions.
            let next = timer.into_iter().chain(quiet).min();
            tokio::select! {
                done = self.writer.next() => self.done(done?)?,
                differences = self.checks.next() => {
                    differences.into_iter().try_for_each(|it| self.differs(it))?;
                }
                command = self.mailbox.next(), if self.may_accept() => {
                    self.commands(command)?;
                }
                () = at(next) => {
                    if next == timer {
                        self.timer()?;
                    } else if let Some(timer) = self.quiet(&may_sleep) {
                        return Ok(self.sleep(timer));
                    }
                }
                () = stopped(&mut self.stopping) => return Box::pin(self.shut_down()).await,
            }
            self.advance()?;
            self.take_turns().await;
        }
    }

    /// Gives the journal what there is for it.
    fn advance(&mut self) -> Result<(), SessionError> {
        while let Some(done) = self.writer.advance()? {
            self.done(done)?;
        }
        if self.wants_snapshot() {
            self.store_snapshot();
        }
        Ok(())
    }

    fn wants_snapshot(&self) -> bool {
        self.records_since_snapshot >= self.limits.records_per_snapshot
            && !self.writer.is_storing()
            && self.no_snapshot_before <= Instant::now()
    }

    /// Whether the session takes anything that may become records: commands,
    /// and the machine's timers.
    fn may_accept(&self) -> bool {
        self.writer.waiting_records() + self.inputs.len() < self.limits.unwritten_records
    }

    fn commands(&mut self, first: Command) -> Result<(), SessionError> {
        self.quiet_since = Instant::now();
        self.command(first)?;
        while self.may_accept() && self.worked < WORK_AT_ONCE {
            let Some(command) = self.mailbox.take() else { break };
            self.command(command)?;
        }
        self.submit()
    }

    /// Lets others run when this session has had its share of the thread.
    async fn take_turns(&mut self) {
        if self.worked >= WORK_AT_ONCE {
            self.worked = 0;
            yield_now().await;
        }
    }

    /// Does what is wanted. Submissions wait for those that come right after
    /// them, and are decided on together: [`submit`](Self::submit).
    fn command(&mut self, command: Command) -> Result<(), SessionError> {
        self.worked += command.work();
        if !matches!(command, Command::Submit { .. }) {
            self.submit()?;
        }
        match command {
            Command::Join(join) => self.join(*join),
            Command::Submit { connection, submissions, room } => {
                self.inputs.push(Input::Submit { connection, submissions });
                self.rooms.push(room);
                Ok(())
            }
            Command::Look { reply } => {
                self.curious.push_back((self.authority.snapshot(), reply));
                self.satisfy_curious();
                Ok(())
            }
            Command::Checked { connection, version, hash } => {
                match self.checks.answer(connection, version, hash) {
                    Some(difference) => self.differs(difference),
                    None => Ok(()),
                }
            }
            Command::Snapshot { connection } => self.handle(Input::Snapshot { connection }),
            Command::Leave { connection } => {
                if self.members.remove(connection) {
                    self.handle(Input::Leave { connection })?;
                }
                Ok(())
            }
        }
    }

    /// Has the authority decide on the submissions that were gathered.
    fn submit(&mut self) -> Result<(), SessionError> {
        if self.inputs.is_empty() {
            return Ok(());
        }
        self.handle_all()?;
        self.rooms.clear();
        Ok(())
    }

    /// Lets a client in. A full session turns strangers away before they leave
    /// a trace. One that it remembers may take the place of its own old
    /// connection: so that is tried, and taken back if it has none.
    fn join(&mut self, join: Join) -> Result<(), SessionError> {
        let Join { connection, user, resume, life, lane, close, reply } = join;
        let places = self.limits.clients_per_session;
        let full = || {
            let reason = format!("the session is full: {places} clients");
            NotJoined::Refused(Closing::new(CloseCode::Full, reason))
        };
        if self.writer.is_full() {
            let reason = "the server's disk is full: come back later";
            let unavailable = Closing::new(CloseCode::Unavailable, reason);
            let _ = reply.send(Err(NotJoined::Refused(unavailable)));
            return Ok(());
        }
        let replaces = resume.is_some_and(|resume| self.authority.replaces(&resume));
        if replaces && life == Life::Unknown {
            let _ = reply.send(Err(NotJoined::Unseen));
            return Ok(());
        }
        let comes_back = resume.is_some_and(|resume| self.authority.knows(&resume));
        if self.authority.connected() >= places && !comes_back {
            let _ = reply.send(Err(full()));
            return Ok(());
        }
        self.members.add(connection, lane, close);
        let (tail, cheaper) = (self.tail.floor(), self.tail.reach(self.state_bytes));
        self.handle(Input::Join { connection, user, resume, tail, cheaper })?;
        if self.authority.connected() > places {
            self.members.remove(connection);
            let _ = reply.send(Err(full()));
            return self.handle(Input::Leave { connection });
        }
        let (tail, presences) = (self.tail.reader(), self.members.presences().clone());
        let _ = reply.send(Ok(Joined { tail, presences }));
        Ok(())
    }

    fn timer(&mut self) -> Result<(), SessionError> {
        let now = self.clock.now();
        if self.authority.next_timeout().is_none_or(|due| due > now) {
            return Ok(());
        }
        self.quiet_since = Instant::now();
        self.worked += TIMERS_AT_ONCE;
        self.handle(Input::Timeout)
    }

    fn done(&mut self, done: Done) -> Result<(), SessionError> {
        match done {
            Done::Appended(position) => {
                self.inputs.push(Input::Storage(Storage::Writable));
                self.handle(Input::Durable(position))?;
                self.satisfy_curious();
                Ok(())
            }
            Done::Full => {
                warn!("there is no room on the disk: what is new is refused until there is");
                self.handle(Input::Storage(Storage::Full))
            }
            Done::Stored { state_bytes } => {
                debug!(state_bytes, "snapshot stored");
                self.state_bytes = state_bytes;
                Ok(())
            }
            Done::NotStored => {
                warn!("there is no room on the disk for a snapshot");
                self.changed = true;
                self.quiet_since = Instant::now();
                self.no_snapshot_before = self.quiet_since + SNAPSHOT_AGAIN;
                Ok(())
            }
        }
    }

    /// A client has another state than the session: it gets the session's, and
    /// what happened is kept, so that it can be made to happen again.
    fn differs(&mut self, difference: Difference) -> Result<(), SessionError> {
        let Difference { connection, version } = difference;
        error!(%version, "a client has another state: its machine is not deterministic");
        let from = self.checks.before(version).cloned();
        let entries = from.as_ref().and_then(|from| self.tail.entries(from.version(), version));
        self.divergences.found(from.zip(entries));
        self.handle(Input::Snapshot { connection })
    }

    fn satisfy_curious(&mut self) {
        let durable = self.writer.durable();
        let is_there = |(image, _): &mut (SnapshotImage, _)| image.position() <= durable;
        while let Some((image, curious)) = self.curious.pop_front_if(is_there) {
            let _ = curious.send(image);
        }
    }

    /// One input, and all that the authority wants done because of it.
    fn handle(&mut self, input: Input) -> Result<(), SessionError> {
        self.inputs.push(input);
        self.handle_all()
    }

    /// The inputs that are there, as one.
    fn handle_all(&mut self) -> Result<(), SessionError> {
        while !self.inputs.is_empty() {
            self.authority.handle_all(self.clock.now(), &mut self.inputs);
            while let Some(output) = self.authority.next_output() {
                self.output(output)?;
            }
            self.inputs = Vec::new();
            let gone = self.members.next_gone();
            self.inputs.extend(gone.map(|connection| Input::Leave { connection }));
        }
        // After all answers: nobody may see an entry before an answer that
        // came ahead of it.
        self.publish(None)
    }

    fn publish(&mut self, then: Option<&ServerMessage>) -> Result<(), SessionError> {
        let commits = std::mem::take(&mut self.commits);
        let entries: Vec<&Entry> = commits.iter().flat_map(Commit::entries).collect();
        if !entries.is_empty() {
            let bytes = entries.iter().map(|entry| entry.transition.0.len() + ENTRY_OVERHEAD).sum();
            self.last_image.falls_behind(bytes, self.state_bytes);
            self.tail.publish(&entries, then)?;
        }
        Ok(())
    }

    fn output(&mut self, output: Output) -> Result<(), SessionError> {
        match output {
            Output::Append { batch, .. } => {
                self.changed = true;
                self.records_since_snapshot += batch.len() as u64;
                self.writer.append(batch);
            }
            Output::Commit(commit) => self.commits.push(commit),
            Output::Check(image) => {
                let version = image.version();
                self.publish(Some(&ServerMessage::Check { version }))?;
                self.checks.begin(image);
            }
            Output::Welcome { connection, welcome, image, from } => {
                // What one who has submitted something is told is decided is in
                // the image.
                let is_new = welcome.last_seq == ClientSeq::default();
                let oldest = if is_new { self.tail.floor() } else { from };
                let image = image.map(|image| self.last_image.share_since(oldest, image));
                let from = image.as_ref().map_or(from, |image| image.version());
                self.members.welcomed(connection, welcome.client);
                self.members.tell(connection, Answer::Welcome { welcome, image, from });
            }
            Output::Snapshot { connection, image, last_seq } => {
                let image = self.last_image.share(image);
                self.members.tell(connection, Answer::Snapshot { image, last_seq });
            }
            Output::Reject { connection, rejection, .. } => {
                self.members.tell(connection, Answer::Reject(rejection));
            }
            Output::Close { connection, code, reason } => {
                self.members.close(connection, Closing { code, reason });
            }
        }
        Ok(())
    }

    /// It has been quiet for long enough: a snapshot first, if the journal
    /// lacks anything, and when that is stored, sleep, until the timer given.
    fn quiet(
        &mut self,
        may_sleep: impl Fn(Option<Timestamp>) -> bool,
    ) -> Option<Option<Timestamp>> {
        let timer = self.authority.next_timeout();
        if self.changed && self.no_snapshot_before <= Instant::now() {
            self.store_snapshot();
            return None;
        }
        if self.changed || self.mailbox.len() > 0 || !may_sleep(timer) {
            self.quiet_since = Instant::now();
            return None;
        }
        Some(timer)
    }

    fn sleep(self: Box<Self>, timer: Option<Timestamp>) -> Rest {
        if self.members.is_empty() {
            // Whoever has sent a command, or is about to, finds the mailbox
            // closed and asks the hub for the next of this session.
            self.mailbox.close();
            return Rest::Asleep { timer, shell: None };
        }
        self.tail.clear();
        let Self { mailbox, members, tail, .. } = *self;
        let tail = Some(tail);
        Rest::Asleep { timer, shell: Some(Shell { mailbox, members, tail }) }
    }

    fn store_snapshot(&mut self) {
        self.changed = false;
        self.records_since_snapshot = 0;
        self.writer.store(self.authority.snapshot());
    }

    /// Decides on what has come, tells what is durable, lets everybody go,
    /// and stores a snapshot.
    async fn shut_down(mut self: Box<Self>) -> Result<Rest, SessionError> {
        info!("the session ends because the server stops");
        self.mailbox.close();
        while let Some(command) = self.mailbox.take() {
            // Whoever was about to join learns from the silence.
            if !matches!(command, Command::Join(_)) {
                self.command(command)?;
                self.submit()?;
                self.take_turns().await;
            }
        }
        self.settle().await?;
        for connection in self.members.connections() {
            self.let_go(connection)?;
        }
        self.settle().await?;
        if self.changed {
            self.store_snapshot();
            self.settle().await?;
        }
        Ok(Rest::ShutDown)
    }

    fn let_go(&mut self, connection: aper::sync::ConnectionId) -> Result<(), SessionError> {
        self.members.close(connection, Closing::restart());
        self.handle(Input::Leave { connection })
    }

    async fn settle(&mut self) -> Result<(), SessionError> {
        self.advance()?;
        while !self.writer.is_settled() {
            let done = self.writer.next().await?;
            self.done(done)?;
            self.advance()?;
        }
        Ok(())
    }
}

/// None when that is beyond all time.
fn later(moment: Instant, wait: Duration) -> Option<Instant> {
    moment.checked_add(wait)
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
