//! What people do together.

use std::sync::Arc;
use std::time::Duration;

use aper::UserId;
use aper::protocol::CloseCode;
use aper::sync::{Outcome, Refusal};
use aper_server::{Credentials, Denied, Limits, Server, StateError};

use crate::support::{Change, Client, Faulty, Other, Refused, Tally, Weighed, World, tallies};

#[tokio::test(start_paused = true)]
async fn two_clients_converge() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    for n in 1..=50 {
        ada.submit(Change::Add(n)).await;
        ben.submit(Change::Add(1000 * n)).await;
    }
    ada.sees(|state| state.count == 102).await;
    ben.sees(|state| state.count == 102).await;
    let by_ada = ada.wait(|view| view.pending == 0).await;
    let by_ben = ben.wait(|view| view.pending == 0).await;
    assert_eq!(by_ada.state, by_ben.state);
    assert_eq!(by_ada.state.unwrap().sum, 1001 * 50 * 51 / 2);
    assert!(by_ada.settled.values().all(|outcome| matches!(outcome, Outcome::Confirmed(_))));
    assert_eq!((by_ada.snapshots, by_ben.snapshots), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn sessions_do_not_mix() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/two").await;
    ada.settle(Change::Add(1)).await;
    ben.settle(Change::Add(2)).await;
    assert_eq!(ada.now().state.unwrap().sum, 1);
    assert_eq!(ben.now().state.unwrap().sum, 2);
    assert_eq!((world.server.sessions_awake(), world.server.clients_connected()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_reaches_its_sender_and_the_session_goes_on() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let outcome = ada.settle(Change::NeverLater).await;
    let refusal = Refusal::Conflict(Refused::Never);
    assert_eq!(outcome, Outcome::Refused { refusal, affected: vec![] });

    ada.submit(Change::Add(5)).await;
    let seen = ben.sees(|state| state.sum == 5).await;
    assert_eq!(seen.count, 3, "two came, one added; the refused left no trace");
    assert!(ben.now().settled.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_one_transition() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    // In `apply`, and in what is asked of the state that it makes.
    for change in [Change::Panic, Change::Curse] {
        let outcome = ada.settle(change).await;
        assert_eq!(outcome, Outcome::Refused { refusal: Refusal::Panicked, affected: vec![] });
    }
    ada.submit(Change::Add(1)).await;
    assert_eq!(ben.sees(|state| state.count == 3).await.sum, 1);
    assert!(ada.now().connected && ben.now().connected);
}

#[tokio::test(start_paused = true)]
async fn refusals_and_entries_come_in_the_order_of_their_decision() {
    // The answers of one client overtake nothing of its own: a replica would
    // notice, and the driver of a test's client panics over it.
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let mut tickets = Vec::new();
    for n in 0..200 {
        let change = if n % 3 == 0 { Change::NeverLater } else { Change::AddLater(1) };
        tickets.push((n, ada.submit(change).await));
    }
    for (n, ticket) in tickets {
        match ada.outcome(ticket).await {
            Outcome::Confirmed(_) => assert_ne!(n % 3, 0),
            Outcome::Refused { .. } => assert_eq!(n % 3, 0),
            other @ Outcome::Snapshot(_) => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_journal_gathers_what_comes_meanwhile() {
    let journal = Arc::new(Faulty::default());
    let world = World::with(tallies().journal(Arc::clone(&journal) as _));
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    journal.delay(Duration::from_millis(100));
    let start = tokio::time::Instant::now();
    for _ in 0..50 {
        ada.submit(Change::Add(1)).await;
        ben.submit(Change::Add(1)).await;
    }
    ada.sees(|state| state.sum == 100).await;
    ada.wait(|view| view.pending == 0).await;
    let appends = journal.appends.lock().unwrap().clone();
    assert!(appends.len() < 10, "{appends:?}");
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_what_the_journal_does_not_hold() {
    let journal = Arc::new(Faulty::default());
    let world = World::with(tallies().journal(Arc::clone(&journal) as _));
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    journal.delay(Duration::from_secs(5));
    let ticket = ada.submit(Change::Add(1)).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(ben.now().state.unwrap().sum, 0);
    assert_eq!(ada.now().pending, 1);
    ada.outcome(ticket).await;
    ben.sees(|state| state.sum == 1).await;
    assert!(journal.appends.lock().unwrap().len() >= 3);
}

#[tokio::test(start_paused = true)]
async fn who_is_here_is_known_to_the_machine() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.sees(|state| state.here.len() == 2).await;
    ben.close().await;
    let left = ada.sees(|state| state.here.len() == 1).await;
    assert_eq!(left.here, [ada.identity().client]);
}

#[tokio::test(start_paused = true)]
async fn clients_know_the_servers_clock() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    let before = ada.now().server_time.unwrap();
    tokio::time::sleep(Duration::from_secs(100)).await;
    ada.settle(Change::Add(1)).await;
    let after = ada.now().server_time.unwrap();
    assert_eq!(after.saturating_since(before).as_secs(), 100);
    assert!(before.as_millis() > 1_600_000_000_000, "it is the time of day");
}

#[tokio::test(start_paused = true)]
async fn authentication_names_users_and_turns_others_away() {
    let builder = tallies().authenticate(|credentials: Credentials| async move {
        assert_eq!(credentials.session.to_string(), "tally/one");
        assert!(credentials.headers.contains_key("host"));
        match credentials.token.as_deref() {
            Some("ada's") => Ok(Some(UserId::new("ada"))),
            None => Ok(None),
            Some(_) => Err(Denied::new("this token is not valid")),
        }
    });
    let world = World::with(builder);
    let ada: Client<Tally> =
        Client::with_hello(None, |hello| hello.token = Some("ada's".to_owned()));
    ada.reconnect(&world.network, "/tally/one").await;
    ada.settle(Change::Add(1)).await;
    assert_eq!(ada.now().state.unwrap().user.as_deref(), Some("ada"));

    let ben: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ben.settle(Change::Add(1)).await;
    assert_eq!(ben.now().state.unwrap().user, None);

    let eve: Client<Tally> = Client::with_hello(None, |hello| hello.token = Some("?".to_owned()));
    eve.attach(world.network.socket("/tally/one").await.unwrap());
    assert_eq!(eve.closed().await, CloseCode::Unauthorized);
}

#[tokio::test(start_paused = true)]
async fn a_big_state_comes_in_pieces() {
    let world = World::new();
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.settle(Change::Ballast(400_000)).await;
    let connect = || Client::<Tally>::connect(&world.network, "/tally/one");
    let joined = futures::future::join_all((0..10).map(|_| connect())).await;
    ada.submit(Change::Add(1)).await;
    for client in joined {
        let state = client.sees(|state| state.sum == 1).await;
        assert_eq!(state.ballast.len(), 400_000);
        assert_eq!(client.now().snapshots, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_can_look_at_a_state() {
    let world = World::new();
    let one = "one".parse().unwrap();
    let (version, state) = world.server.state::<Tally>(&one).await.unwrap();
    assert_eq!((version.0, state), (0, Tally::default()));
    let ada: Client<Tally> = Client::connect(&world.network, "/tally/one").await;
    ada.settle(Change::Add(5)).await;
    let (version, state) = world.server.state::<Tally>(&one).await.unwrap();
    assert_eq!((version.0, state.sum), (2, 5));
    ada.cut().await;
    world.asleep().await;
    assert_eq!(world.server.state::<Tally>(&one).await.unwrap().1.sum, 5);
    assert_eq!(world.server.state::<Other>(&one).await, Err(StateError::UnknownMachine));
}

#[tokio::test(start_paused = true)]
async fn a_state_is_encoded_once_for_all_who_join_at_it() {
    let world = World::with(Server::builder().machine(|_| Weighed(0)));
    let connect = || Client::<Weighed>::connect(&world.network, "/weighed/one");
    let first = connect().await;
    first.settle(()).await;
    let before = Weighed::encodings();
    let joined = futures::future::join_all((0..20).map(|_| connect())).await;
    assert_eq!(Weighed::encodings() - before, 1);
    assert!(joined.iter().all(|client| client.now().state == Some(Weighed(1))));
    first.settle(()).await;
    let later = connect().await;
    assert_eq!(Weighed::encodings() - before, 2);
    assert_eq!(later.now().state, Some(Weighed(2)));
}

/// Of a session that goes on while they come.
#[tokio::test(start_paused = true)]
async fn those_who_come_one_after_the_other_share_an_image_and_what_came_since() {
    let ballast = vec![7; 32_000];
    let big = move |_: &_| Tally { ballast: ballast.clone(), ..Tally::default() };
    let limits = Limits { tail_entries: 40, ..Limits::default() };
    let world = World::with(Server::builder().machine(big).limits(limits));
    let come = || Client::<Tally>::connect(&world.network, "/tally/one");
    let ada = come().await;
    let first = ada.now().snapshot.unwrap();
    for n in 1..=10 {
        ada.settle(Change::Add(n)).await;
        let next = come().await.now();
        assert_eq!(next.snapshot, Some(first));
        assert!(next.version > Some(first), "what came since comes too");
        assert_eq!(next.state, ada.wait(|view| view.version >= next.version).await.state);
    }
    // Who comes back is told of its own what is in the state.
    let identity = ada.now().identity.unwrap();
    let again = Client::<Tally>::offline(Some(identity));
    again.reconnect(&world.network, "/tally/one").await;
    let again = again.now();
    assert!(again.snapshot > Some(first));
    assert_eq!(again.version, again.snapshot);

    // Too old for the log.
    let ben = come().await;
    for n in 1..=45 {
        ben.settle(Change::Add(n)).await;
    }
    let later = come().await.now();
    assert!(later.snapshot > again.snapshot);
    assert_eq!(later.snapshots, 1);
    // More came since than it is worth.
    ben.settle(Change::Say("x".repeat(5_000))).await;
    let last = come().await.now();
    assert!(last.snapshot > later.snapshot);
    assert_eq!(last.state.unwrap().sum, 55 + 1_035);
}
