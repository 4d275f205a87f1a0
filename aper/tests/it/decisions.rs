//! What the authority decides by itself: time, timers, chance, who is here.

use aper::journal::Record;
use aper::protocol::{CloseCode, Entry, Payload, Submission};
use aper::sync::authority::{Input, Output};
use aper::sync::{Authority, ConnectionId, OpenError};
use aper::{ClientId, ClientSeq, Timestamp, Version, limits};

use crate::bank::{Bank, Change};
use crate::link::{Client, Server, bytes_of};

fn last(server: &Server<Bank>) -> &Entry {
    server.entries().last().expect("something was written")
}

#[test]
fn time_never_goes_back() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    server.now = 5_000;
    ada.submit(Change::Deposit(1)).unwrap();
    ada.exchange(&mut server);
    assert_eq!(last(&server).at, Timestamp::from_millis(5_000));
    server.now = 2_000;
    ada.submit(Change::Deposit(1)).unwrap();
    ada.exchange(&mut server);
    assert_eq!(last(&server).at, Timestamp::from_millis(5_000));
}

#[test]
fn timers_fire_when_due_in_their_order_and_before_what_comes_later() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    for (after_millis, sum) in [(300, 1), (100, 10)] {
        ada.submit(Change::DepositLater { after_millis, sum }).unwrap();
    }
    ada.exchange(&mut server);
    assert_eq!(server.authority.next_timeout(), Some(Timestamp::from_millis(1_100)));
    server.handle(Input::Timeout);
    assert_eq!(server.authority.state().balance, 0, "not due yet");

    server.now = 1_150;
    server.handle(Input::Timeout);
    assert_eq!(server.authority.state().balance, 10);
    assert_eq!((last(&server).client, last(&server).seq), (ClientId::SERVER, ClientSeq(0)));

    // The second is due when Ada's submission comes, and goes first.
    server.now = 1_400;
    ada.submit(Change::Withdraw(11)).unwrap_err();
    server.submit_raw(ConnectionId(1), 9, bytes_of(&Change::Withdraw(11)));
    assert_eq!(server.authority.state().balance, 0);
    assert_eq!(server.authority.next_timeout(), None);
    ada.exchange(&mut server);
    assert_eq!(ada.state(), server.authority.state());
}

#[test]
fn a_timer_that_came_due_during_sleep_fires_on_waking() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    ada.submit(Change::DepositLater { after_millis: 100, sum: 4 }).unwrap();
    ada.exchange(&mut server);
    let mut woken = Authority::open(Bank::default(), server.journal.clone(), [2; 32]).unwrap();
    assert_eq!(woken.next_timeout(), Some(Timestamp::from_millis(1_100)));
    woken.handle(Timestamp::from_millis(9_000), Input::Timeout);
    assert_eq!(woken.state().balance, 4);
}

#[test]
fn the_server_alone_draws_and_only_what_is_used_is_kept() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    ada.submit(Change::Roll).unwrap();
    assert_eq!(ada.state().dice, [0u64; 0], "what only the server knows is not shown early");
    ada.submit(Change::Deposit(1)).unwrap();
    ada.submit(Change::Roll).unwrap();
    ada.exchange(&mut server);
    let chances: Vec<_> = server.entries().filter_map(|entry| entry.chance).collect();
    assert_eq!(chances.len(), 2, "the deposit has none");
    assert_ne!(chances[0], chances[1]);
    assert_eq!(ada.state().dice, server.authority.state().dice);
}

#[test]
fn who_comes_and_goes_is_told_to_the_machine_once() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    assert_eq!((ada.state().here, ada.state().visits), (1, 1));

    // A half-open connection is replaced: she never went.
    ada.lose_connection();
    ada.connect(2);
    ada.exchange(&mut server);
    assert_eq!(server.closed, [(ConnectionId(1), CloseCode::Replaced)]);
    server.handle(Input::Leave { connection: ConnectionId(1) });
    assert_eq!((server.authority.state().here, server.authority.state().visits), (1, 1));

    server.handle(Input::Leave { connection: ConnectionId(2) });
    assert_eq!(server.authority.state().here, 0);
    ada.lose_connection();
    ada.connect(3);
    ada.exchange(&mut server);
    assert_eq!((ada.state().here, ada.state().visits), (1, 2));
    assert_eq!(ada.replica.identity().unwrap().client, ClientId(1));
}

#[test]
fn a_replaced_connection_is_not_heard_any_more() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    ada.lose_connection();
    ada.connect(2);
    ada.exchange(&mut server);
    server.submit_raw(ConnectionId(1), 1, bytes_of(&Change::Deposit(1)));
    assert_eq!(server.authority.state().balance, 0);
}

#[test]
fn a_stranger_with_the_wrong_key_is_somebody_else() {
    let mut server = Server::new(Bank::default());
    let ada = Client::<Bank>::joined(&mut server, 1);
    let mut hello = ada.replica.hello();
    let resume = hello.resume.as_mut().unwrap();
    resume.key = aper::ResumeKey(uuid::Uuid::from_u128(99));
    server.handle(Input::Join {
        connection: ConnectionId(2),
        user: None,
        resume: hello.resume,
        tail: Version(0),
        cheaper: Version(0),
    });
    assert!(server.closed.is_empty(), "Ada keeps her connection");
    assert_eq!(server.authority.connected(), 2);
    assert_eq!(server.authority.state().here, 2);
}

#[test]
fn more_unanswered_than_the_window_closes_the_connection() {
    let mut server = Server::new(Bank::default());
    let _ada = Client::<Bank>::joined(&mut server, 1);
    let too_many = u64::from(limits::UNANSWERED_SUBMISSIONS) + 1;
    let transition = Payload(bytes_of(&Change::Deposit(1)));
    let submission = |seq| Submission { seq: ClientSeq(seq), transition: transition.clone() };
    let submissions = (1..=too_many).map(submission).collect();
    server.handle(Input::Submit { connection: ConnectionId(1), submissions });
    assert_eq!(server.closed, [(ConnectionId(1), CloseCode::Protocol)]);
    assert_eq!(server.authority.state().balance, 0);
}

#[test]
fn of_too_many_clients_the_one_that_is_away_the_longest_is_forgotten() {
    let journal = Server::new(Bank::default()).journal;
    let mut authority = Authority::open(Bank::default(), journal, [2; 32]).unwrap();
    let mut now = 0;
    let mut handle = |input: Input| {
        now += 1;
        authority.handle(Timestamp::from_millis(now), input);
        while let Some(output) = authority.next_output() {
            if let Output::Append { after, batch } = output {
                let durable = Input::Durable(after.after(batch.len()));
                authority.handle(Timestamp::from_millis(now), durable);
            }
        }
    };
    let join = |number: u64| Input::Join {
        connection: ConnectionId(number),
        user: None,
        resume: None,
        tail: Version(0),
        cheaper: Version(0),
    };
    for number in 1..=limits::REMEMBERED_CLIENTS as u64 {
        handle(join(number));
    }
    handle(Input::Leave { connection: ConnectionId(7) });
    handle(Input::Leave { connection: ConnectionId(3) });
    handle(join(1 << 20));
    let snapshot = authority.snapshot().encode().unwrap();
    let remembers =
        |number: u64| snapshot.clients.iter().any(|known| known.client == ClientId(number));
    assert_eq!(snapshot.clients.len(), limits::REMEMBERED_CLIENTS);
    assert!(!remembers(7) && remembers(3) && remembers(1));
}

/// Its timer panics: so it may not become the state, or nothing could follow it.
#[test]
fn a_state_that_cannot_say_its_timer_is_not_taken() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    let version = server.authority.version();
    server.submit_raw(ConnectionId(1), 1, bytes_of(&Change::BreakTimer));
    assert_eq!(server.authority.version(), version);
    ada.submit(Change::Deposit(1)).unwrap();
    ada.submit(Change::Deposit(1)).unwrap();
    ada.exchange(&mut server);
    assert_eq!(server.authority.state().balance, 1, "the first number was taken by the failure");
}

/// Its entries may speak of clients that came after the snapshot.
#[test]
fn after_a_crash_no_newcomer_gets_the_number_of_somebody_else() {
    let mut server = Server::new(Bank::default());
    let _ada = Client::<Bank>::joined(&mut server, 1);
    let mut woken = Authority::open(Bank::default(), server.journal.clone(), [2; 32]).unwrap();
    let (connection, user, resume, tail) = (ConnectionId(1), None, None, Version(0));
    let join = Input::Join { connection, user, resume, tail, cheaper: tail };
    woken.handle(Timestamp::ZERO, join);
    let mut newcomer = None;
    while let Some(output) = woken.next_output() {
        match output {
            Output::Append { after, batch } => {
                woken.handle(Timestamp::ZERO, Input::Durable(after.after(batch.len())));
            }
            Output::Welcome { welcome, .. } => newcomer = Some(welcome.client),
            _ => {}
        }
    }
    assert!(newcomer > Some(ClientId(1)), "{newcomer:?}");
}

/// A state that encodes and does not decode would be lost with the snapshot
/// that it replaced.
#[test]
fn a_state_too_deep_to_be_read_makes_no_snapshot() {
    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Deep(Option<Box<Deep>>);

    impl aper::StateMachine for Deep {
        const NAME: &'static str = "deep";
        type Transition = ();
        type Conflict = aper::NeverConflict;
        fn apply(&mut self, (): &(), _: &aper::Context) -> Result<(), aper::NeverConflict> {
            unreachable!("nobody submits")
        }
    }

    let mut deep = Deep(None);
    for _ in 0..limits::DECODE_DEPTH {
        deep = Deep(Some(Box::new(deep)));
    }
    let journal = Server::new(Bank::default()).journal;
    let journal = aper::journal::Recovered { snapshot: None, ..journal };
    let authority = Authority::open(deep, journal, [2; 32]).unwrap();
    let error = authority.snapshot().encode().unwrap_err();
    assert!(error.to_string().contains("nested too deep"), "{error}");
}

#[test]
fn a_journal_that_is_not_whole_is_not_opened() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    for _ in 0..3 {
        ada.submit(Change::Deposit(1)).unwrap();
    }
    ada.exchange(&mut server);
    let open = |journal| Authority::open(Bank::default(), journal, [2; 32]).map(|_| ());
    assert_eq!(open(server.journal.clone()), Ok(()));

    let mut gap = server.journal.clone();
    let is_second = |record: &Record| record.entry().is_some_and(|it| it.version == Version(2));
    gap.records.retain(|record| !is_second(record));
    assert!(matches!(open(gap), Err(OpenError::Gap { after: Version(1), found: Version(3) })));

    let mut refused = server.journal.clone();
    let Some(Record::Entry(last)) = refused.records.last_mut() else { panic!("{refused:?}") };
    last.transition = Payload(bytes_of(&Change::Withdraw(99)));
    assert!(matches!(open(refused), Err(OpenError::Replay { version: Version(4), .. })));

    let mut newer = server.journal.clone();
    newer.snapshot.as_mut().unwrap().schema = 2;
    assert_eq!(open(newer), Err(OpenError::Schema { journal: 2, program: 1 }));

    let mut torn = server.journal.clone();
    torn.snapshot.as_mut().unwrap().state.0.pop();
    assert!(matches!(open(torn), Err(OpenError::State { version: Version(0), .. })));
}
