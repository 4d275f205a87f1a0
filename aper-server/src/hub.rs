//! Which sessions are awake, and which sleeping ones have a timer.
//!
//! A session begins with the first who wants something of it and ends by
//! itself when it is quiet. Between the end of its task and its removal here,
//! whoever comes finds its mailbox closed, waits until it is gone and asks
//! again: there are never two tasks of one session.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use aper::journal::{Journal, JournalError, SessionKey};
use aper::protocol::{CloseCode, Resume};
use aper::sync::ConnectionId;
use aper::sync::authority::SnapshotImage;
use aper::{Timestamp, UserId};
use futures::FutureExt;
use tokio::sync::{Notify, watch};
use tokio::time::sleep_until;
use tracing::{Instrument, debug, error, info, info_span, warn};

use crate::alarms::{Alarm, Alarms};
use crate::clock::Clock;
use crate::divergence::Divergences;
use crate::error::{Closing, SessionError, StateError};
use crate::limits::Limits;
use crate::machine::AnyMachine;
use crate::session::{
    Bell, Ended, Ending, Ground, Life, Membership, NotJoined, Rest, Session, SessionHandle,
    SessionPost, Sight, Visitor, open,
};
use crate::turns::Turns;

/// How long an alarm is put off when it could not wake its session because too many are awake.
const RING_AGAIN: Duration = Duration::from_secs(1);

pub(crate) struct Hub {
    machines: HashMap<&'static str, Arc<dyn AnyMachine>>,
    journal: Arc<dyn Journal>,
    clock: Clock,
    limits: Arc<Limits>,
    divergences: Arc<Divergences>,
    stopping: watch::Sender<bool>,
    state: Mutex<State>,
    /// An alarm earlier than all others was set, or the hub is gone.
    alarms_changed: Arc<Notify>,
    /// A session's task has ended.
    one_ended: Notify,
}

#[derive(Default)]
struct State {
    /// Those that are awake, and those that sleep while clients are connected.
    sessions: HashMap<Arc<SessionKey>, Slot>,
    awake: usize,
    /// Of sessions that are asleep.
    alarms: Alarms,
    alarms_watched: Watched,
}

struct Slot {
    handle: SessionHandle,
    /// What is left of it while it sleeps; none while it is awake.
    asleep: Option<SessionPost>,
}

/// Whether a session is awake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waking {
    Awake,
    Asleep,
}

impl Slot {
    fn seen(&self) -> (Arc<Sight>, Waking) {
        let waking = if self.asleep.is_some() { Waking::Asleep } else { Waking::Awake };
        (Arc::clone(self.handle.sight()), waking)
    }
}

/// Whether there is a task that watches the alarms.
#[derive(Default, PartialEq, Eq)]
enum Watched {
    #[default]
    NotYet,
    Yes,
}

/// Why a session could not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotStarted {
    UnknownMachine,
    TooMany,
    Stopping,
}

impl Hub {
    pub(crate) fn new(
        machines: HashMap<&'static str, Arc<dyn AnyMachine>>,
        journal: Arc<dyn Journal>,
        clock: Clock,
        limits: Arc<Limits>,
        divergences: Arc<Divergences>,
    ) -> Arc<Self> {
        Arc::new(Self {
            machines,
            journal,
            clock,
            limits,
            divergences,
            stopping: watch::Sender::new(false),
            state: Mutex::default(),
            alarms_changed: Arc::default(),
            one_ended: Notify::new(),
        })
    }

    pub(crate) fn machine(&self, name: &str) -> Option<&Arc<dyn AnyMachine>> {
        self.machines.get(name)
    }

    /// Lets a client into a session, which is started if it is not awake. `None`
    /// when it has to show first that it is alive.
    pub(crate) async fn join(
        self: &Arc<Self>,
        key: &Arc<SessionKey>,
        connection: ConnectionId,
        user: Option<UserId>,
        resume: Option<Resume>,
        life: Life,
        visitor: Option<Visitor>,
    ) -> Result<Option<Membership>, Closing> {
        loop {
            let session = self.start(key).map_err(|error| self.closing_for(error))?;
            match session.join(connection, user.clone(), resume, life, visitor.clone()).await {
                Ok(membership) => return Ok(Some(membership)),
                Err(NotJoined::Unseen) => return Ok(None),
                Err(NotJoined::Refused(closing)) => return Err(closing),
                Err(NotJoined::Ended) => match session.ended().await {
                    Ended::Asleep => debug!(session = %key, "it was falling asleep: once more"),
                    Ended::ShutDown => return Err(Closing::restart()),
                    Ended::Failed => return Err(Closing::session_failed()),
                },
            }
        }
    }

    /// The state of a session, which is started if it is not awake.
    pub(crate) async fn look(
        self: &Arc<Self>,
        key: &Arc<SessionKey>,
    ) -> Result<SnapshotImage, StateError> {
        loop {
            let session = self.start(key).map_err(|error| match error {
                NotStarted::UnknownMachine => StateError::UnknownMachine,
                NotStarted::TooMany => StateError::TooManySessions,
                NotStarted::Stopping => StateError::Stopping,
            })?;
            if let Some(image) = session.look().await {
                return Ok(image);
            }
            match session.ended().await {
                Ended::Asleep => {}
                Ended::ShutDown => return Err(StateError::Stopping),
                Ended::Failed => return Err(StateError::SessionFailed),
            }
        }
    }

    /// What can be seen of a session that is awake, or that sleeps under its
    /// clients, without asking it; and which of both it is.
    pub(crate) fn sight(&self, key: &SessionKey) -> Option<(Arc<Sight>, Waking)> {
        self.state().sessions.get(key).map(Slot::seen)
    }

    /// The same for all of them.
    pub(crate) fn sights(&self) -> Vec<(Arc<SessionKey>, Arc<Sight>, Waking)> {
        let state = self.state();
        let seen = state.sessions.iter().map(|(key, slot)| {
            let (sight, waking) = slot.seen();
            (Arc::clone(key), sight, waking)
        });
        seen.collect()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn journal(&self) -> &Arc<dyn Journal> {
        &self.journal
    }

    /// How often a client's state was not its session's.
    pub(crate) fn divergences(&self) -> u64 {
        self.divergences.count()
    }

    /// How many sessions are awake.
    pub(crate) fn awake(&self) -> usize {
        self.state().awake
    }

    /// Sets the alarms of the sessions that the journal holds and nobody has
    /// woken yet.
    pub(crate) async fn load_alarms(self: &Arc<Self>) -> Result<(), JournalError> {
        let alarms = self.journal.alarms().await?;
        let mut state = self.state();
        for (key, at) in alarms {
            let key = Arc::new(key);
            let is_hosted = self.machines.contains_key(&*key.machine);
            if is_hosted && !state.sessions.contains_key(&key) {
                self.set_alarm_if_room(&mut state, &key, Alarm::at(at));
            }
        }
        Ok(())
    }

    /// Wakes a session that sleeps while clients are connected.
    pub(crate) fn wake(self: &Arc<Self>, key: &Arc<SessionKey>) {
        let mut state = self.state();
        if state.sessions.get(key).is_some_and(|slot| slot.asleep.is_some()) {
            self.wake_in(&mut state, key);
        }
    }

    fn wake_in(self: &Arc<Self>, state: &mut State, key: &Arc<SessionKey>) {
        if matches!(self.start_in(state, key), Err(NotStarted::TooMany)) {
            self.set_alarm(state, key, Alarm::at(self.clock.now() + RING_AGAIN));
        }
    }

    /// Ends every session in good order and starts none any more. Comes back
    /// when all have ended.
    pub(crate) async fn shut_down(&self) {
        self.stopping.send_replace(true);
        loop {
            let ended = self.one_ended.notified();
            self.let_sleepers_go();
            if self.awake() == 0 {
                return;
            }
            ended.await;
        }
    }

    fn let_sleepers_go(&self) {
        let mut state = self.state();
        let asleep = state.sessions.extract_if(|_, slot| slot.asleep.is_some());
        let asleep: Vec<_> = asleep.filter_map(|(_, slot)| slot.asleep).collect();
        drop(state);
        for SessionPost { shell, ending } in asleep {
            shell.let_go();
            ending.tell(Ended::ShutDown);
        }
    }

    /// Whether [`shut_down`](Self::shut_down) was called.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    fn closing_for(&self, error: NotStarted) -> Closing {
        match error {
            NotStarted::UnknownMachine => {
                Closing::new(CloseCode::Outdated, "this server has no such machine")
            }
            NotStarted::TooMany => {
                warn!(limit = self.limits.sessions, "a session was refused: too many are awake");
                Closing::new(CloseCode::Full, "the server has as many sessions as it may")
            }
            NotStarted::Stopping => Closing::restart(),
        }
    }

    fn start(self: &Arc<Self>, key: &Arc<SessionKey>) -> Result<SessionHandle, NotStarted> {
        self.start_in(&mut self.state(), key)
    }

    fn start_in(
        self: &Arc<Self>,
        state: &mut State,
        key: &Arc<SessionKey>,
    ) -> Result<SessionHandle, NotStarted> {
        let machine = self.machines.get(&*key.machine).ok_or(NotStarted::UnknownMachine)?;
        if let Some(slot) = state.sessions.get(key)
            && slot.asleep.is_none()
        {
            return Ok(slot.handle.clone());
        }
        if *self.stopping.borrow() {
            return Err(NotStarted::Stopping);
        }
        if state.awake >= self.limits.sessions {
            return Err(NotStarted::TooMany);
        }
        let alarm = state.alarms.remove(key);
        let asleep = state.sessions.get_mut(key).and_then(|slot| {
            let handle = slot.handle.clone();
            slot.asleep.take().map(|post| (handle, post))
        });
        let (session, post) = asleep.unwrap_or_else(|| {
            let bell = Bell::new(Arc::downgrade(self), Arc::clone(key));
            let (handle, post) = SessionHandle::new(&self.limits, bell);
            let slot = Slot { handle: handle.clone(), asleep: None };
            state.sessions.insert(Arc::clone(key), slot);
            (handle, post)
        });
        state.awake += 1;
        session.bell().wakes();

        let ground = Ground {
            key: Arc::clone(key),
            machine: Arc::clone(machine),
            journal: Arc::clone(&self.journal),
            clock: self.clock,
            limits: Arc::clone(&self.limits),
            divergences: Arc::clone(&self.divergences),
            stopping: self.stopping.subscribe(),
        };
        let span = info_span!(parent: None, "session", session = %key);
        let SessionPost { shell, ending } = post;
        // Apart, since it is over soon.
        let opening = Box::pin(open(ground, shell));
        let turns = Arc::clone(session.turns());
        let supervise = Arc::clone(self).supervise(Arc::clone(key), opening, turns, ending, alarm);
        tokio::spawn(supervise.instrument(span));
        Ok(session)
    }

    /// Runs a session to its end, whatever that is, and then takes it out of
    /// the books before anybody is told. `alarm` is the one that it had.
    async fn supervise(
        self: Arc<Self>,
        key: Arc<SessionKey>,
        opening: impl Future<Output = Result<Box<Session>, SessionError>>,
        turns: Arc<Turns>,
        ending: Ending,
        alarm: Option<Alarm>,
    ) {
        // A session that fails may have a timer in its journal when it ever had
        // one: nobody else would wake it for that. One that never did is left
        // alone, or whoever names sessions could have them opened for ever.
        let had_timer = AtomicBool::new(alarm.is_some());
        let may_sleep = |timer: Option<Timestamp>| {
            timer.is_none() || self.state().alarms.len() < self.limits.alarms
        };
        let mut stopping = self.stopping();
        let run = async {
            let session = opening.await?;
            info!("the session is awake");
            turns.take(pin!(session.run(may_sleep, &had_timer))).await
        };
        // Unwind-safe: a panic drops all that the session had.
        let run = AssertUnwindSafe(run).catch_unwind();
        let rest = tokio::select! {
            rest = run => rest,
            () = overdue(&mut stopping, &self.limits) => Ok(Err(SessionError::Overdue)),
        };
        let retry = || {
            let had_timer = had_timer.load(Ordering::Relaxed);
            had_timer.then(|| Alarm::retry(self.clock.now(), alarm))
        };
        let (how, alarm) = match rest {
            Ok(Ok(Rest::Asleep { timer, shell: Some(shell) })) => {
                info!("the session is asleep, with clients connected");
                let post = SessionPost { shell, ending };
                return self.falls_asleep(&key, timer.map(Alarm::at), post);
            }
            Ok(Ok(Rest::Asleep { timer, shell: None })) => (Ended::Asleep, timer.map(Alarm::at)),
            Ok(Ok(Rest::ShutDown)) => (Ended::ShutDown, None),
            Ok(Err(error)) => (failed(&error), retry()),
            Err(panic) => {
                error!(panic = text_of(&*panic), "the session panicked and ended");
                (Ended::Failed, retry())
            }
        };
        self.ended(&key, alarm);
        if how == Ended::Asleep {
            info!(alarm = alarm.map(|alarm| alarm.at.as_millis()), "the session is asleep");
        }
        ending.tell(how);
    }

    fn ended(self: &Arc<Self>, key: &Arc<SessionKey>, alarm: Option<Alarm>) {
        let mut state = self.state();
        state.sessions.remove(key);
        state.awake -= 1;
        if let Some(alarm) = alarm {
            self.set_alarm_if_room(&mut state, key, alarm);
        }
        drop(state);
        self.one_ended.notify_waiters();
    }

    /// A session sleeps, and its clients do not notice.
    fn falls_asleep(
        self: &Arc<Self>,
        key: &Arc<SessionKey>,
        alarm: Option<Alarm>,
        post: SessionPost,
    ) {
        let mut state = self.state();
        state.awake -= 1;
        if let Some(alarm) = alarm {
            self.set_alarm_if_room(&mut state, key, alarm);
        }
        let slot = state.sessions.get_mut(key).expect("a session has a slot until it has ended");
        let asleep = slot.asleep.insert(post);
        slot.handle.bell().falls_asleep();
        if asleep.shell.is_called() {
            self.wake_in(&mut state, key);
        }
        drop(state);
        self.one_ended.notify_waiters();
    }

    fn set_alarm_if_room(self: &Arc<Self>, state: &mut State, key: &Arc<SessionKey>, alarm: Alarm) {
        if state.alarms.len() < self.limits.alarms {
            self.set_alarm(state, key, alarm);
        } else {
            warn!(session = %key, "too many alarms: its timer waits for somebody to come");
        }
    }

    fn set_alarm(self: &Arc<Self>, state: &mut State, key: &Arc<SessionKey>, alarm: Alarm) {
        state.alarms.set(key, alarm);
        self.alarms_changed.notify_one();
        if state.alarms_watched == Watched::NotYet {
            state.alarms_watched = Watched::Yes;
            let changed = Arc::clone(&self.alarms_changed);
            tokio::spawn(watch_alarms(Arc::downgrade(self), changed, self.clock));
        }
    }

    /// Starts the sessions whose time has come. Nobody else can start one
    /// between its alarm and what becomes of it here.
    fn ring(self: &Arc<Self>) {
        let now = self.clock.now();
        loop {
            let mut state = self.state();
            let due = state.alarms.first().filter(|(alarm, _)| alarm.at <= now);
            let Some((alarm, key)) = due.map(|(alarm, key)| (alarm, Arc::clone(key))) else {
                return;
            };
            match self.start_in(&mut state, &key) {
                Err(NotStarted::TooMany) => {
                    self.set_alarm(&mut state, &key, alarm.put_off(now + RING_AGAIN));
                }
                Ok(_) | Err(NotStarted::UnknownMachine | NotStarted::Stopping) => {
                    state.alarms.remove(&key);
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.alarms_changed.notify_one();
    }
}

/// Wakes sleeping sessions in time, for as long as there is a hub.
async fn watch_alarms(hub: Weak<Hub>, changed: Arc<Notify>, clock: Clock) {
    loop {
        let Some(awake) = hub.upgrade() else { return };
        awake.ring();
        let next = awake.state().alarms.first().map(|(alarm, _)| clock.wait_for(alarm.at));
        drop(awake);
        let due = async {
            match next {
                Some(moment) => sleep_until(moment).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = changed.notified() => {}
        }
    }
}

/// Comes back when the server is told to stop; never, if it cannot be any more.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    if stopping.wait_for(|stopping| *stopping).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Comes back when the server should have stopped by now.
pub(crate) async fn overdue(stopping: &mut watch::Receiver<bool>, limits: &Limits) {
    stopped(stopping).await;
    // A timer is big, and few ever need it.
    Box::pin(tokio::time::sleep(limits.shutdown_within)).await;
}

fn failed(error: &SessionError) -> Ended {
    error!(%error, "the session met an error and ended");
    Ended::Failed
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}
