//! Turns at the processors, for the tasks of one session: its own, those of its
//! connections and those that write the log to them.
//!
//! The runtime lets whoever is ready run, one after the other. A session with a
//! hundred busy connections would so have a hundred turns for one of a quiet
//! session next to it, at each of the steps from one client to another. Here a
//! session that has used its [`SLICE`] has its tasks wait in a queue of its own,
//! first come, first served, and has the next slice when everybody who was ready
//! has run and the runtime has looked who else is. A session that uses little
//! never waits.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::yield_now;

/// What the tasks of a session use before others are let go first.
pub(crate) const SLICE: Duration = Duration::from_micros(100);

/// How long it takes until a session that nobody has waited for has a new slice:
/// below a tenth of a processor, nobody is made to wait.
const ROUND: Duration = Duration::from_millis(1);

/// Of one session.
pub(crate) struct Turns(Mutex<State>);

struct State {
    round_began: Instant,
    spent: Duration,
    /// Whose turn it is not yet, in order.
    waiting: VecDeque<Waker>,
    /// Of the first of them.
    first: Ticket,
    /// While there is a task that lets them go.
    is_crowded: bool,
}

/// A place in the queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ticket(u64);

impl Default for Turns {
    fn default() -> Self {
        Self(Mutex::new(State {
            round_began: Instant::now(),
            spent: Duration::ZERO,
            waiting: VecDeque::new(),
            first: Ticket(0),
            is_crowded: false,
        }))
    }
}

impl Turns {
    /// Does the work of a task of this session, each step when it is its turn.
    /// One task may not do several at once.
    pub(crate) async fn take<F: Future>(self: &Arc<Self>, mut work: Pin<&mut F>) -> F::Output {
        let mut ticket = None;
        std::future::poll_fn(|cx| {
            ready!(self.poll_turn(&mut ticket, cx));
            let begun = Instant::now();
            let result = work.as_mut().poll(cx);
            self.spend(begun.elapsed());
            result
        })
        .await
    }

    fn poll_turn(self: &Arc<Self>, ticket: &mut Option<Ticket>, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if let Some(own) = *ticket {
            if own >= state.first {
                return Poll::Pending;
            }
            *ticket = None;
            return Poll::Ready(());
        }
        if state.may_go_at_once() {
            return Poll::Ready(());
        }
        *ticket = Some(Ticket(state.first.0 + state.waiting.len() as u64));
        state.waiting.push_back(cx.waker().clone());
        if !state.is_crowded {
            state.is_crowded = true;
            tokio::spawn(Arc::clone(self).let_go());
        }
        Poll::Pending
    }

    /// Notes what a step has taken. As long as there is some of the slice left,
    /// the next of the session goes on at once.
    fn spend(&self, time: Duration) {
        let mut state = self.state();
        state.spent += time;
        if state.is_crowded
            && state.spent < SLICE
            && let Some(next) = state.next()
        {
            drop(state);
            next.wake();
        }
    }

    /// Gives the session a slice whenever all others who were ready have run,
    /// until nobody waits. The runtime comes back to who yields after it has
    /// looked at the sockets, which it does when nobody else is ready, and at
    /// the latest after some dozens of others.
    async fn let_go(self: Arc<Self>) {
        let at_once = Handle::current().metrics().num_workers();
        loop {
            yield_now().await;
            let mut state = self.state();
            state.begin_round(Instant::now());
            let next: Vec<_> = std::iter::from_fn(|| state.next()).take(at_once).collect();
            state.is_crowded = !state.waiting.is_empty();
            let is_over = !state.is_crowded;
            drop(state);
            next.into_iter().for_each(Waker::wake);
            if is_over {
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn may_go_at_once(&mut self) -> bool {
        if self.is_crowded {
            return false;
        }
        if self.spent < SLICE {
            return true;
        }
        let now = Instant::now();
        let is_new = now.duration_since(self.round_began) >= ROUND;
        if is_new {
            self.begin_round(now);
        }
        is_new
    }

    fn begin_round(&mut self, now: Instant) {
        self.round_began = now;
        self.spent = Duration::ZERO;
    }

    /// Whose turn it is now.
    fn next(&mut self) -> Option<Waker> {
        let next = self.waiting.pop_front()?;
        self.first.0 += 1;
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;

    const TASKS: usize = 20;

    /// Uses a whole slice.
    fn work() {
        let begun = Instant::now();
        while begun.elapsed() <= SLICE {}
    }

    /// Is ready again at once, as one is whose client has sent more.
    async fn again() {
        let mut is_first = true;
        std::future::poll_fn(|cx| {
            if !std::mem::take(&mut is_first) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    #[tokio::test]
    async fn a_busy_session_has_one_turn_for_each_of_a_quiet_one() {
        let (busy, quiet) = (Arc::<Turns>::default(), Arc::<Turns>::default());
        let steps = Arc::<AtomicUsize>::default();
        for _ in 0..TASKS {
            let (busy, steps) = (Arc::clone(&busy), Arc::clone(&steps));
            let work = async move {
                loop {
                    work();
                    steps.fetch_add(1, Ordering::Relaxed);
                    again().await;
                }
            };
            tokio::spawn(async move { busy.take(pin!(work)).await });
        }
        let looks = async move {
            // The tasks find out, each once, that there is a queue.
            again().await;
            let mut most = 0;
            for _ in 0..10 {
                let before = steps.load(Ordering::Relaxed);
                yield_now().await;
                most = most.max(steps.load(Ordering::Relaxed) - before);
            }
            most
        };
        let looks = tokio::spawn(async move { quiet.take(pin!(looks)).await });
        let most = looks.await.unwrap();
        // One that was let go, and one that was the first of a round.
        assert!((1..=2).contains(&most), "{most} of {TASKS}");
    }

    #[tokio::test]
    async fn within_a_session_who_comes_first_goes_first() {
        let turns = Arc::<Turns>::default();
        let order = Arc::<Mutex<Vec<usize>>>::default();
        let tasks = (0..TASKS).map(|task| {
            let (turns, order) = (Arc::clone(&turns), Arc::clone(&order));
            let steps = async move {
                for _ in 0..3 {
                    work();
                    order.lock().unwrap().push(task);
                    again().await;
                }
            };
            tokio::spawn(async move { turns.take(pin!(steps)).await })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        let expected: Vec<_> = (0..TASKS).cycle().take(3 * TASKS).collect();
        assert_eq!(*order.lock().unwrap(), expected);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn everybody_comes_to_an_end_and_who_has_left_holds_up_nobody() {
        let (turns, done) = (Arc::<Turns>::default(), Arc::<AtomicUsize>::default());
        let spawn = |steps: usize| {
            let (turns, done) = (Arc::clone(&turns), Arc::clone(&done));
            tokio::spawn(async move {
                let steps = async {
                    for _ in 0..steps {
                        work();
                        again().await;
                    }
                };
                turns.take(pin!(steps)).await;
                done.fetch_add(1, Ordering::Relaxed);
            })
        };
        let stay: Vec<_> = (0..TASKS).map(|_| spawn(20)).collect();
        let leave: Vec<_> = (0..TASKS).map(|_| spawn(usize::MAX)).collect();
        yield_now().await;
        for task in &leave {
            task.abort();
        }
        join_all(stay).await.into_iter().for_each(|ended| ended.unwrap());
        assert_eq!(done.load(Ordering::Relaxed), TASKS);
    }

    #[test]
    fn who_uses_little_does_not_wait() {
        let turns = Turns::default();
        let mut state = turns.state();
        assert!(state.may_go_at_once());
        state.begin_round(Instant::now() + ROUND);
        state.spent = SLICE;
        assert!(!state.may_go_at_once(), "it has had its slice");
        state.round_began = Instant::now() - ROUND;
        assert!(state.may_go_at_once());
        assert_eq!(state.spent, Duration::ZERO);
        state.is_crowded = true;
        assert!(!state.may_go_at_once(), "others came first");
    }
}
