//! The task of one session: takes one command, hands it to the authority,
//! drains what the authority wants done; then as many further commands as are
//! ready, so that what they add is written together.

use std::sync::Arc;

use aper::Timestamp;
use aper::protocol::{CloseCode, Entry};
use aper::sync::ConnectionId;
use aper::sync::authority::{Input, Output};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info};

use super::image::LastImage;
use super::members::Members;
use super::writer::{Done, Writer};
use super::{Answer, Command, Join};
use crate::clock::Clock;
use crate::error::{Closing, SessionError};
use crate::hub::stopped;
use crate::limits::Limits;
use crate::machine::AnyAuthority;
use crate::tail::TailWriter;

/// Commands that are handled in one go before the journal and the timers get
/// their turn.
const COMMANDS_AT_ONCE: usize = 256;

/// A session that is awake.
pub(crate) struct Session {
    authority: Box<dyn AnyAuthority>,
    mailbox: mpsc::Receiver<Command>,
    members: Members,
    tail: TailWriter,
    writer: Writer,
    last_image: LastImage,
    /// To be published when the authority has been drained.
    commits: Vec<Entry>,
    clock: Clock,
    limits: Arc<Limits>,
    stopping: watch::Receiver<bool>,
    quiet_since: Instant,
    /// Whether anything has happened that the journal's snapshot lacks.
    changed: bool,
    storing: bool,
    entries_since_snapshot: u64,
}

/// Why a session's task ended in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Nobody was here, and nothing happened, for long enough.
    Asleep {
        /// When the machine's next timer is due.
        alarm: Option<Timestamp>,
    },
    /// The server stops.
    ShutDown,
}

impl Session {
    pub(super) fn new(
        authority: Box<dyn AnyAuthority>,
        mailbox: mpsc::Receiver<Command>,
        tail: TailWriter,
        writer: Writer,
        clock: Clock,
        limits: Arc<Limits>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self {
            authority,
            mailbox,
            members: Members::default(),
            tail,
            writer,
            last_image: LastImage::default(),
            commits: Vec::new(),
            clock,
            limits,
            stopping,
            quiet_since: Instant::now(),
            changed: false,
            storing: false,
            entries_since_snapshot: 0,
        }
    }

    /// Runs until there is nothing to do for long enough, or the server stops.
    /// `may_sleep` says whether there is room for an alarm.
    pub(crate) async fn run(
        mut self,
        may_sleep: impl Fn(Option<Timestamp>) -> bool,
    ) -> Result<Rest, SessionError> {
        loop {
            let timer = self.authority.next_timeout().map(|at| self.clock.wait_for(at));
            tokio::select! {
                done = self.writer.next() => self.done(done?)?,
                Some(command) = self.mailbox.recv(), if self.takes_commands() => {
                    self.commands(command)?;
                }
                () = at(timer), if !self.wants_snapshot() => self.timer()?,
                () = sleep_until(self.quiet_since + self.limits.idle), if self.is_idle() => {
                    if let Some(rest) = self.quiet(&may_sleep) {
                        return Ok(rest);
                    }
                }
                () = stopped(&mut self.stopping) => return self.shut_down().await,
            }
            self.advance()?;
        }
    }

    /// Gives the journal what there is for it, and takes a snapshot when it is
    /// time: for that everything must be in the journal, so commands wait.
    fn advance(&mut self) -> Result<(), SessionError> {
        while let Some(done) = self.writer.advance()? {
            self.done(done)?;
        }
        if self.wants_snapshot() && self.writer.has_all_entries() {
            self.store_snapshot();
        }
        Ok(())
    }

    fn wants_snapshot(&self) -> bool {
        !self.storing && self.entries_since_snapshot >= self.limits.entries_per_snapshot
    }

    fn takes_commands(&self) -> bool {
        !self.wants_snapshot() && self.writer.waiting_entries() < self.limits.unwritten_entries
    }

    fn is_idle(&self) -> bool {
        self.members.is_empty() && self.writer.is_settled()
    }

    fn commands(&mut self, first: Command) -> Result<(), SessionError> {
        self.command(first)?;
        for _ in 1..COMMANDS_AT_ONCE {
            if !self.takes_commands() {
                break;
            }
            let Ok(command) = self.mailbox.try_recv() else { break };
            self.command(command)?;
        }
        Ok(())
    }

    fn command(&mut self, command: Command) -> Result<(), SessionError> {
        match command {
            Command::Join(join) => self.join(join),
            Command::Submit { connection, submissions, room } => {
                let handled = self.handle(Input::Submit { connection, submissions });
                drop(room);
                handled
            }
            Command::Snapshot { connection } => self.handle(Input::Snapshot { connection }),
            Command::Leave { connection } => {
                self.quiet_since = Instant::now();
                if self.members.remove(connection) {
                    self.handle(Input::Leave { connection })?;
                }
                Ok(())
            }
        }
    }

    /// Lets a client in. Whether somebody who says to come back really does,
    /// and so takes the place of its own old connection, only the authority
    /// can tell: so that is tried, and taken back if the session is too full.
    fn join(&mut self, join: Join) -> Result<(), SessionError> {
        let Join { connection, user, resume, lane, close, reply } = join;
        self.quiet_since = Instant::now();
        let places = self.limits.clients_per_session;
        let full =
            || Closing::new(CloseCode::Full, format!("the session is full: {places} clients"));
        if self.authority.connected() >= places && resume.is_none() {
            let _ = reply.send(Err(full()));
            return Ok(());
        }
        self.members.add(connection, lane, close);
        let tail = self.tail.floor();
        self.handle(Input::Join { connection, user, resume, tail })?;
        if self.authority.connected() > places {
            self.members.remove(connection);
            let _ = reply.send(Err(full()));
            return self.handle(Input::Leave { connection });
        }
        let _ = reply.send(Ok(self.tail.reader()));
        Ok(())
    }

    fn timer(&mut self) -> Result<(), SessionError> {
        let now = self.clock.now();
        if self.authority.next_timeout().is_none_or(|due| due > now) {
            return Ok(());
        }
        self.quiet_since = Instant::now();
        self.handle(Input::Timeout)
    }

    fn done(&mut self, done: Done) -> Result<(), SessionError> {
        match done {
            Done::Appended(version) => self.handle(Input::Durable(version)),
            Done::Stored(version) => {
                debug!(%version, "snapshot stored");
                self.storing = false;
                Ok(())
            }
        }
    }

    /// One input, and all that the authority wants done because of it.
    fn handle(&mut self, input: Input) -> Result<(), SessionError> {
        self.changed |= !matches!(input, Input::Durable(_) | Input::Snapshot { .. });
        let mut input = Some(input);
        while let Some(next) = input.take() {
            self.authority.handle(self.clock.now(), next);
            while let Some(output) = self.authority.next_output() {
                self.output(output);
            }
            let gone = self.members.next_gone();
            input = gone.map(|connection| Input::Leave { connection });
        }
        // After all answers: nobody may see an entry before an answer that
        // came ahead of it.
        if !self.commits.is_empty() {
            self.last_image.forget();
            self.tail.publish(std::mem::take(&mut self.commits))?;
        }
        Ok(())
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Append(batch) => {
                self.entries_since_snapshot += batch.len() as u64;
                self.writer.append(batch);
            }
            Output::Commit(batch) => self.commits.extend(batch.iter().cloned()),
            Output::Welcome { connection, welcome, image, from } => {
                let image = image.map(|image| self.last_image.share(image));
                let welcome = Box::new(welcome);
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
    }

    /// It has been quiet for long enough: a snapshot first, if the journal
    /// lacks anything, and when that is stored, sleep.
    fn quiet(&mut self, may_sleep: impl Fn(Option<Timestamp>) -> bool) -> Option<Rest> {
        if self.changed {
            self.store_snapshot();
            return None;
        }
        let alarm = self.authority.next_timeout();
        if !self.mailbox.is_empty() || !may_sleep(alarm) {
            self.quiet_since = Instant::now();
            return None;
        }
        // Whoever has sent a command, or is about to, finds the mailbox
        // closed and asks the hub for the next of this session.
        self.mailbox.close();
        Some(Rest::Asleep { alarm })
    }

    fn store_snapshot(&mut self) {
        let Some(image) = self.authority.snapshot() else { return };
        self.changed = false;
        self.storing = true;
        self.entries_since_snapshot = 0;
        self.writer.store(image);
    }

    /// Decides on what has come, tells what is durable, lets everybody go,
    /// and stores a snapshot.
    async fn shut_down(mut self) -> Result<Rest, SessionError> {
        info!("the session ends because the server stops");
        self.mailbox.close();
        while let Ok(command) = self.mailbox.try_recv() {
            // Whoever was about to join learns from the silence.
            if !matches!(command, Command::Join(_)) {
                self.command(command)?;
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

    fn let_go(&mut self, connection: ConnectionId) -> Result<(), SessionError> {
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

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
