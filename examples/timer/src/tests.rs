use aper::ClientId;
use proptest::prelude::*;

use super::*;

const EGGS: TimerId = TimerId(Uuid::from_u128(1));
const TEA: TimerId = TimerId(Uuid::from_u128(2));

fn seconds(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn add(id: TimerId, duration_seconds: u64) -> Transition {
    Transition::Add { id, label: "Eggs".to_owned(), duration_ms: duration_seconds * 1_000 }
}

/// Timers and the server's clock.
#[derive(Default)]
struct Kitchen {
    timers: Timers,
    now: Timestamp,
}

impl Kitchen {
    fn of(timers: &[(TimerId, u64)]) -> Self {
        let mut kitchen = Self::default();
        for &(id, duration) in timers {
            kitchen.apply(add(id, duration)).unwrap();
        }
        kitchen
    }

    fn apply(&mut self, transition: Transition) -> Result<(), Conflict> {
        self.apply_as(ClientId(1), transition)
    }

    fn apply_as(&mut self, client: ClientId, transition: Transition) -> Result<(), Conflict> {
        let cx = Context::for_test().by(client).at(self.now);
        self.timers.apply(&transition, &cx)
    }

    /// Lets time pass, and the server fire what is due.
    fn wait_until(&mut self, until: u64) {
        while let Some(next) = self.timers.scheduled().filter(|next| next.at <= seconds(until)) {
            self.now = self.now.max(next.at);
            self.apply_as(ClientId::SERVER, next.transition).unwrap();
        }
        self.now = seconds(until);
    }

    fn phase(&self, id: TimerId) -> Phase {
        self.timers.timers[self.timers.index(id).unwrap()].phase
    }
}

#[test]
fn rings_when_the_time_has_come() {
    let mut kitchen = Kitchen::of(&[(EGGS, 300), (TEA, 180)]);
    assert_eq!(
        kitchen.timers.scheduled(),
        Some(Scheduled { at: seconds(180), transition: Transition::Ring { id: TEA } })
    );
    kitchen.wait_until(299);
    assert_eq!(kitchen.phase(TEA), Phase::Rung { at: seconds(180) });
    assert_eq!(kitchen.phase(EGGS), Phase::Running { ends_at: seconds(300) });
    kitchen.wait_until(300);
    assert_eq!(kitchen.phase(EGGS), Phase::Rung { at: seconds(300) });
    assert_eq!(kitchen.timers.scheduled(), None);
}

#[test]
fn timers_due_at_one_time_ring_one_after_another() {
    let mut kitchen = Kitchen::of(&[(EGGS, 60), (TEA, 60)]);
    kitchen.wait_until(60);
    assert_eq!(kitchen.phase(EGGS), Phase::Rung { at: seconds(60) });
    assert_eq!(kitchen.phase(TEA), Phase::Rung { at: seconds(60) });
}

#[test]
fn a_server_that_comes_late_says_when_it_rang() {
    let mut kitchen = Kitchen::of(&[(EGGS, 60)]);
    kitchen.now = seconds(100);
    kitchen.wait_until(100);
    assert_eq!(kitchen.phase(EGGS), Phase::Rung { at: seconds(100) });
}

#[test]
fn a_pause_keeps_what_was_left() {
    let mut kitchen = Kitchen::of(&[(EGGS, 300)]);
    kitchen.wait_until(100);
    kitchen.apply(Transition::Pause { id: EGGS }).unwrap();
    assert_eq!(kitchen.phase(EGGS), Phase::Paused { remaining_ms: 200_000 });
    assert_eq!(kitchen.timers.scheduled(), None);
    kitchen.wait_until(1_000);
    kitchen.apply(Transition::Resume { id: EGGS }).unwrap();
    assert_eq!(kitchen.phase(EGGS), Phase::Running { ends_at: seconds(1_200) });
}

#[test]
fn restart_runs_the_whole_duration_from_any_phase() {
    let mut kitchen = Kitchen::of(&[(EGGS, 60)]);
    kitchen.wait_until(10);
    kitchen.apply(Transition::Restart { id: EGGS }).unwrap();
    assert_eq!(kitchen.phase(EGGS), Phase::Running { ends_at: seconds(70) });
    kitchen.apply(Transition::Pause { id: EGGS }).unwrap();
    kitchen.apply(Transition::Restart { id: EGGS }).unwrap();
    assert_eq!(kitchen.phase(EGGS), Phase::Running { ends_at: seconds(70) });
    kitchen.wait_until(100);
    kitchen.apply(Transition::Restart { id: EGGS }).unwrap();
    assert_eq!(kitchen.phase(EGGS), Phase::Running { ends_at: seconds(160) });
}

#[test]
fn what_does_not_fit_the_phase_is_refused() {
    let mut kitchen = Kitchen::of(&[(EGGS, 60)]);
    let pause = Transition::Pause { id: EGGS };
    assert_eq!(kitchen.apply(Transition::Resume { id: EGGS }), Err(Conflict::NotPaused));
    assert_eq!(kitchen.apply(Transition::Pause { id: TEA }), Err(Conflict::NoSuchTimer));
    // The time is up, and the server is about to say so.
    kitchen.now = seconds(60);
    assert_eq!(kitchen.apply(pause.clone()), Err(Conflict::TimeIsUp));
    kitchen.wait_until(60);
    assert_eq!(kitchen.apply(pause), Err(Conflict::NotRunning));
    kitchen.apply(Transition::Remove { id: EGGS }).unwrap();
    assert_eq!(kitchen.apply(Transition::Remove { id: EGGS }), Err(Conflict::NoSuchTimer));
}

#[test]
fn only_the_server_lets_a_timer_ring_and_never_early() {
    let mut kitchen = Kitchen::of(&[(EGGS, 60)]);
    let ring = Transition::Ring { id: EGGS };
    assert_eq!(kitchen.apply(ring.clone()), Err(Conflict::ServerOnly));
    assert_eq!(kitchen.apply_as(ClientId::SERVER, ring.clone()), Err(Conflict::TooEarly));
    kitchen.apply(Transition::Pause { id: EGGS }).unwrap();
    assert_eq!(kitchen.apply_as(ClientId::SERVER, ring), Err(Conflict::NotRunning));
}

#[test]
fn everything_has_a_limit() {
    let mut kitchen = Kitchen::of(&[(EGGS, 60)]);
    let out_of_range = Err(Conflict::Duration { shortest_ms: SHORTEST_MS, longest_ms: LONGEST_MS });
    assert_eq!(kitchen.apply(add(EGGS, 60)), Err(Conflict::RepeatedId));
    assert_eq!(kitchen.apply(add(TEA, 0)), out_of_range);
    assert_eq!(kitchen.apply(add(TEA, 24 * 60 * 60 + 1)), out_of_range);
    let label = "ä".repeat(41);
    assert_eq!(
        kitchen.apply(Transition::Add { id: TEA, label, duration_ms: 1_000 }),
        Err(Conflict::LabelTooLong { max: 40 })
    );
    for number in 2..=u128::from(TIMERS) {
        kitchen.apply(add(TimerId(Uuid::from_u128(number)), 60)).unwrap();
    }
    let one_more = TimerId(Uuid::from_u128(100));
    assert_eq!(kitchen.apply(add(one_more, 60)), Err(Conflict::TooMany { max: TIMERS }));
}

fn any_transition() -> impl Strategy<Value = Transition> {
    let id = || (1..30u128).prop_map(|id| TimerId(Uuid::from_u128(id)));
    prop_oneof![
        (id(), 0..100u64).prop_map(|(id, duration)| add(id, duration)),
        id().prop_map(|id| Transition::Pause { id }),
        id().prop_map(|id| Transition::Resume { id }),
        id().prop_map(|id| Transition::Restart { id }),
        id().prop_map(|id| Transition::Remove { id }),
        id().prop_map(|id| Transition::Ring { id }),
    ]
}

proptest! {
    #[test]
    fn invariants_hold_and_a_refusal_changes_nothing(
        script in prop::collection::vec((0..3u64, any_transition(), 0..20u64), 1..200)
    ) {
        let mut kitchen = Kitchen::default();
        for (client, transition, pause) in script {
            kitchen.now = kitchen.now + Duration::from_secs(pause);
            let before = kitchen.timers.clone();
            if kitchen.apply_as(ClientId(client), transition).is_err() {
                assert_eq!(kitchen.timers, before);
            }
            assert_invariants(&kitchen);
        }
    }
}

/// Those of the module's documentation.
fn assert_invariants(kitchen: &Kitchen) {
    let timers = &kitchen.timers.timers;
    assert!(timers.len() <= TIMERS as usize);
    for (index, timer) in timers.iter().enumerate() {
        assert!(timers.iter().skip(index + 1).all(|other| other.id != timer.id));
        assert!((SHORTEST_MS..=LONGEST_MS).contains(&timer.duration_ms));
        match timer.phase {
            Phase::Running { ends_at } => {
                let left = ends_at.saturating_since(kitchen.now).as_millis();
                assert!(left <= u128::from(timer.duration_ms));
            }
            Phase::Paused { remaining_ms } => {
                assert!((1..=timer.duration_ms).contains(&remaining_ms));
            }
            Phase::Rung { at } => assert!(at <= kitchen.now),
        }
    }
}
