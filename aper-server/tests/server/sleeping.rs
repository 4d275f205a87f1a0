//! Sessions fall asleep when all have gone, and forget nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aper::protocol::CloseCode;
use aper::sync::Outcome;
use tokio::time::{Instant, sleep};

use crate::support::{Change, Client, Faulty, Tally, World, tallies};

#[tokio::test(start_paused = true)]
async fn a_session_sleeps_and_wakes_with_nothing_forgotten() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.settle(Change::Add(41)).await;
    let id = ada.identity();
    let start = Instant::now();
    ada.cut().await;
    let waiting = ada.submit(Change::Add(1)).await;
    world.asleep().await;
    assert!((60..=61).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());

    ada.reconnect(&world.network, "/tally/one").await;
    assert_eq!(ada.identity(), id, "it is known still");
    assert!(matches!(ada.outcome(waiting).await, Outcome::Confirmed(_)));
    assert_eq!(ada.now().state.unwrap().sum, 42);
}

#[tokio::test(start_paused = true)]
async fn a_session_sleeps_under_clients_that_do_nothing_and_wakes_for_the_first_that_does() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let bob: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.settle(Change::Add(1)).await;
    world.asleep().await;
    sleep(Duration::from_secs(600)).await;
    assert_eq!(world.server.sessions_awake(), 0);
    assert_eq!(world.server.clients_connected(), 2);

    ada.settle(Change::Add(2)).await;
    assert_eq!(bob.sees(|state| state.sum == 3).await.here.len(), 2, "nobody left or came");
    assert_eq!((ada.now().snapshots, bob.now().snapshots), (1, 1), "the first, and no other");
    assert!(bob.now().connected);
    world.asleep().await;
    bob.settle(Change::Add(3)).await;
    ada.sees(|state| state.sum == 6).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_a_sleeping_session_is_missed_by_the_others() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let bob: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.sees(|state| state.here.len() == 2).await;
    world.asleep().await;
    bob.cut().await;
    ada.sees(|state| state.here.len() == 1).await;
    world.asleep().await;
    let eve: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.sees(|state| state.here.len() == 2).await;
    drop(eve);
}

#[tokio::test(start_paused = true)]
async fn a_timer_wakes_a_session_under_its_clients() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let due = ada.now().server_time.unwrap() + Duration::from_secs(1800);
    ada.settle(Change::Alarm(due)).await;
    world.asleep().await;
    let rang = ada.sees(|state| !state.rang.is_empty()).await.rang[0];
    assert!(rang >= due && rang.saturating_since(due) < Duration::from_secs(1), "{rang} {due}");
}

#[tokio::test(start_paused = true)]
async fn clients_of_a_sleeping_session_are_told_that_the_server_stops() {
    let mut world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    world.asleep().await;
    world.stop().await;
    assert_eq!(ada.closed().await, CloseCode::Restart);
}

#[tokio::test(start_paused = true)]
async fn clients_of_a_session_that_cannot_be_woken_are_told_and_come_back() {
    let journal = Arc::new(Faulty::default());
    let world = World::with(tallies().journal(Arc::clone(&journal) as _));
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    world.asleep().await;
    journal.fail_opens.store(1, Ordering::Relaxed);
    let ticket = ada.submit(Change::Add(5)).await;
    assert_eq!(ada.closed().await, CloseCode::SessionFailed);
    ada.reconnect(&world.network, "/tally/one").await;
    assert!(matches!(ada.outcome(ticket).await, Outcome::Confirmed(_)));
    assert_eq!(ada.now().state.unwrap().sum, 5);
}

/// As many are awake as may be: whoever is called has to wait, and is not
/// forgotten.
#[tokio::test(start_paused = true)]
async fn a_session_that_finds_no_place_to_wake_wakes_a_little_later() {
    let world = World::with_limits(|limits| limits.sessions = 1);
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    world.asleep().await;
    let bob: Client<Tally> = Client::connect(&world.network, "/tally/two").await;
    let ticket = ada.submit(Change::Add(1)).await;
    bob.settle(Change::Add(1)).await;
    assert!(matches!(ada.outcome(ticket).await, Outcome::Confirmed(_)));
}

/// The timers that a journal holds ring in the next process as well.
#[tokio::test(start_paused = true)]
async fn a_timer_rings_after_the_server_was_started_anew() {
    let journal = Arc::new(Faulty::default());
    let mut world = World::with(tallies().journal(Arc::clone(&journal) as _));
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let due = ada.now().server_time.unwrap() + Duration::from_secs(7200);
    ada.settle(Change::Alarm(due)).await;
    world.stop().await;

    let world = World::with(tallies().journal(Arc::clone(&journal) as _));
    let opened = journal.opened.load(Ordering::Relaxed);
    sleep(Duration::from_secs(9000)).await;
    assert_eq!(journal.opened.load(Ordering::Relaxed), opened + 1, "nobody came, and it rang");
    ada.reconnect(&world.network, "/tally/one").await;
    assert_eq!(ada.sees(|state| !state.rang.is_empty()).await.rang.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_timer_fires_in_time_while_somebody_is_there() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let due = ada.now().server_time.unwrap() + Duration::from_millis(12_345);
    ada.settle(Change::Alarm(due)).await;
    let rang = ada.sees(|state| !state.rang.is_empty()).await.rang[0];
    assert!(rang >= due && rang.saturating_since(due) < Duration::from_millis(5), "{rang} {due}");
}

#[tokio::test(start_paused = true)]
async fn a_timer_wakes_a_sleeping_session_in_time() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let due = ada.now().server_time.unwrap() + Duration::from_secs(7200);
    ada.settle(Change::Alarm(due)).await;
    ada.cut().await;
    world.asleep().await;
    sleep(Duration::from_secs(3000)).await;
    assert_eq!(world.server.sessions_awake(), 0);
    // Nobody comes, it rings, and the session sleeps again.
    sleep(Duration::from_secs(7200)).await;
    assert_eq!(world.server.sessions_awake(), 0);
    ada.reconnect(&world.network, "/tally/one").await;
    let rang = ada.sees(|state| !state.rang.is_empty()).await.rang[0];
    assert!(rang >= due && rang.saturating_since(due) < Duration::from_secs(1), "{rang} {due}");
}

/// When the timer of a session rang that was to ring after two hours, while
/// everybody was away and `trouble` was with the journal: how late.
async fn rang_late(trouble: impl AsyncFnOnce(&Faulty)) -> Duration {
    let journal = Arc::new(Faulty::default());
    let world = World::with(tallies().journal(Arc::clone(&journal) as _));
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let due = ada.now().server_time.unwrap() + Duration::from_secs(7200);
    ada.settle(Change::Alarm(due)).await;
    ada.cut().await;
    world.asleep().await;
    trouble(&journal).await;
    sleep(Duration::from_secs(9000)).await;
    assert_eq!(world.server.sessions_awake(), 0);
    let opened = journal.opened.load(Ordering::Relaxed);
    sleep(Duration::from_secs(9000)).await;
    assert_eq!(journal.opened.load(Ordering::Relaxed), opened, "it has rung, and is left alone");
    ada.reconnect(&world.network, "/tally/one").await;
    let rang = ada.sees(|state| !state.rang.is_empty()).await.rang;
    assert!(rang.len() == 1 && rang[0] >= due);
    rang[0].saturating_since(due)
}

#[tokio::test(start_paused = true)]
async fn a_timer_outlasts_a_journal_that_cannot_be_opened() {
    // After 1, 2, 4 and 8 seconds more it is tried again.
    let trouble = async |journal: &Faulty| journal.fail_opens.store(4, Ordering::Relaxed);
    assert_eq!(rang_late(trouble).await.as_secs(), 15);
}

#[tokio::test(start_paused = true)]
async fn a_timer_outlasts_a_journal_that_takes_nothing() {
    let trouble = async |journal: &Faulty| {
        journal.fail(Some("one"));
        sleep(Duration::from_secs(7200 + 100)).await;
        journal.fail(None);
    };
    // The trouble is over some 160 s after the timer was due; tried after 1, 3,
    // 7, 15, 31, 63, 123 and 183.
    assert_eq!(rang_late(trouble).await.as_secs(), 183);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_fails_without_a_timer_is_left_alone() {
    let journal = Arc::new(Faulty::default());
    journal.fail_opens.store(100, Ordering::Relaxed);
    let world = World::with(tallies().journal(Arc::clone(&journal) as _));
    let ada: Client<Tally> = Client::offline(None);
    ada.attach(world.network.socket("/tally/one").await.unwrap());
    assert_eq!(ada.closed().await, CloseCode::SessionFailed);
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(journal.opened.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn many_alarms_ring_each_in_its_time() {
    let world = World::with_limits(|limits| limits.idle = Duration::from_secs(1));
    let mut due = Vec::new();
    for n in 0..20u64 {
        let path = format!("/tally/s{n}");
        let ada: Client<Tally> = Client::connect(&world.network, &path).await;
        let at = ada.now().server_time.unwrap() + Duration::from_secs(100 + (n * 7) % 20 * 10);
        ada.settle(Change::Alarm(at)).await;
        ada.cut().await;
        due.push((path, at));
    }
    world.asleep().await;
    sleep(Duration::from_secs(600)).await;
    for (path, at) in due {
        let ada: Client<Tally> = Client::connect(&world.network, &path).await;
        let rang = ada.sees(|state| !state.rang.is_empty()).await.rang[0];
        assert!(rang >= at && rang.saturating_since(at) < Duration::from_secs(1), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_room_for_its_alarm_a_session_stays_awake() {
    let world = World::with_limits(|limits| limits.alarms = 1);
    for path in ["/tally/one", "/tally/two"] {
        let ada: Client<Tally> = Client::connect(&world.network, path).await;
        let due = ada.now().server_time.unwrap() + Duration::from_secs(3600);
        ada.settle(Change::Alarm(due)).await;
        ada.cut().await;
    }
    sleep(Duration::from_secs(600)).await;
    assert_eq!(world.server.sessions_awake(), 1);
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(world.server.sessions_awake(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_only_looked_at_is_stored_once() {
    let journal = Arc::new(Faulty::default());
    let world = World::with(tallies().journal(Arc::clone(&journal) as _));
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.cut().await;
    world.asleep().await;
    assert_eq!(journal.snapshots.load(Ordering::Relaxed), 2, "new; somebody came");
}

/// Clients that come just when a session falls asleep: each gets in, what each
/// does happens once, and there is one task of the session at a time (or the
/// journal would answer that an append is out of order).
async fn come_and_go<P: Future<Output = ()> + Send + 'static>(idle: Duration, pause: fn(u64) -> P) {
    let journal = Arc::new(Faulty::default());
    let mut builder = tallies().journal(Arc::clone(&journal) as _);
    builder.limits_mut().idle = idle;
    let world = World::with(builder);
    let visits = (0..4u64).map(|n| {
        let network = world.network.clone();
        tokio::spawn(async move {
            let ada: Client<Tally> = Client::offline(None);
            for visit in 0..80u64 {
                ada.reconnect(&network, "/tally/one").await;
                ada.settle(Change::Add(1)).await;
                ada.cut().await;
                pause((n * 13 + visit * 7) % 5).await;
            }
        })
    });
    for visit in futures::future::join_all(visits).await {
        visit.unwrap();
    }
    world.asleep().await;
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    assert_eq!(ada.now().state.unwrap().sum, 320);
    assert!(journal.opened.load(Ordering::Relaxed) > 1, "it slept in between");
}

#[tokio::test(start_paused = true)]
async fn coming_and_sleeping_do_not_collide() {
    let pause = |length| sleep(Duration::from_micros(length * 500));
    come_and_go(Duration::ZERO, pause).await;
    come_and_go(Duration::from_millis(1), pause).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn coming_and_sleeping_do_not_collide_on_several_threads() {
    let pause = |length| async move {
        for _ in 0..length {
            tokio::task::yield_now().await;
        }
    };
    come_and_go(Duration::ZERO, pause).await;
}
