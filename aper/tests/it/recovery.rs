//! What a server knows after it has crashed, and what it may not pretend to.

use aper::journal::{Presence, Record, Recovered};
use aper::protocol::{Payload, RefusalMessage};
use aper::sync::authority::{Input, Output, Storage};
use aper::sync::replica::OutboxItem;
use aper::sync::{Authority, ConnectionId, Outcome, Refusal, Ticket};
use aper::{ClientId, ClientSeq, Timestamp, Version};

use crate::bank::{Bank, Change, Refused};
use crate::link::{Client, Device, Server};

#[test]
fn who_came_just_before_a_crash_is_no_stranger_after_it() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    let identity = ada.replica.identity();
    ada.submit(Change::Deposit(1)).unwrap();
    server.restart(Bank::default());
    ada.lose_connection();
    ada.connect(2);
    ada.exchange(&mut server);
    assert_eq!(ada.replica.identity(), identity);
    assert_eq!(server.authority.state().balance, 1);
}

#[test]
fn a_refusal_outlives_a_crash() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    let mut bob = Client::joined(&mut server, 2);
    bob.submit(Change::Deposit(5)).unwrap();
    bob.exchange(&mut server);
    ada.exchange(&mut server);
    ada.submit(Change::Withdraw(5)).unwrap();
    bob.submit(Change::Withdraw(5)).unwrap();
    bob.exchange(&mut server);
    ada.deliver_up(&mut server);
    let refused = |record: &Record| matches!(record, Record::Refused { client: ClientId(1), .. });
    assert!(server.journal.records.iter().any(refused));

    server.restart(Bank::default());
    ada.lose_connection();
    ada.connect(3);
    ada.exchange(&mut server);
    let why = Refusal::Conflict(Refused::NotEnough { balance: 0 });
    let [(_, Outcome::Refused { refusal, .. })] = &ada.settled[..] else {
        panic!("{:?}", ada.settled);
    };
    assert_eq!(*refusal, why);
}

#[test]
fn who_does_not_come_back_after_a_crash_has_left() {
    let mut server = Server::new(Bank::default());
    let _ada = Client::joined(&mut server, 1);
    let _bob = Client::<Bank>::joined(&mut server, 2);
    assert_eq!(server.authority.state().here, 2);
    server.restart(Bank::default());
    assert_eq!(server.authority.state().here, 0);
    let snapshot = server.authority.snapshot().encode().unwrap();
    assert!(snapshot.clients.iter().all(|known| known.presence == Presence::Away));
}

#[test]
fn a_connection_that_outlives_the_sleep_neither_leaves_nor_joins() {
    let mut server = Server::new(Bank::default());
    let _ada = Client::<Bank>::joined(&mut server, 1);
    let mut woken = Authority::open(Bank::default(), server.journal.clone(), [6; 32]).unwrap();
    let (connection, client) = (ConnectionId(1), ClientId(1));
    for input in [Input::Reattach { connection, client }, Input::Absent] {
        woken.handle(Timestamp::ZERO, input);
        assert!(woken.next_output().is_none());
    }
    assert_eq!((woken.state().here, woken.connected()), (1, 1));
}

/// A client saw versions that a restored backup does not know: it may not be
/// led on from there, even when the server has got as far again.
#[test]
fn a_restored_backup_is_noticed() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    let mut bob = Client::joined(&mut server, 2);
    let backup = server.journal.clone();
    for _ in 0..3 {
        ada.submit(Change::Deposit(1)).unwrap();
    }
    ada.exchange(&mut server);
    bob.exchange(&mut server);
    assert_eq!(bob.state().balance, 3);
    bob.lose_connection();
    ada.lose_connection();

    server.journal = backup;
    server.restart(Bank::default());
    let mut eve = Client::joined(&mut server, 3);
    for _ in 0..9 {
        eve.submit(Change::Deposit(100)).unwrap();
    }
    eve.exchange(&mut server);
    assert!(server.authority.version() > bob.replica.version().unwrap());
    bob.connect(4);
    bob.exchange(&mut server);
    assert_eq!(bob.state(), server.authority.state());
    assert_eq!(bob.state().balance, 900);
}

/// What a client held before the server started anew is still of use.
#[test]
fn a_restart_costs_nobody_a_snapshot() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    ada.submit(Change::Deposit(1)).unwrap();
    ada.exchange(&mut server);
    for round in 2..5 {
        server.restart(Bank::default());
        ada.lose_connection();
        ada.connect(round);
        ada.deliver_up(&mut server);
        ada.fetch(&mut server);
        let snapshot = |message: &aper::protocol::ServerMessage| {
            matches!(message, aper::protocol::ServerMessage::Snapshot(_))
        };
        assert!(!ada.down.iter().any(snapshot), "{:?}", ada.down);
        ada.exchange(&mut server);
        ada.submit(Change::Deposit(1)).unwrap();
        ada.exchange(&mut server);
        assert_eq!(ada.state(), server.authority.state());
    }
}

#[test]
fn a_full_disk_refuses_for_now_and_decides_nothing() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    server.handle(Input::Storage(Storage::Full));
    let version = server.authority.version();
    ada.submit(Change::Deposit(1)).unwrap();
    ada.exchange(&mut server);
    assert!(matches!(
        ada.settled[..],
        [(_, Outcome::Refused { refusal: Refusal::Unavailable, .. })]
    ));
    assert_eq!((ada.state().balance, server.authority.version()), (0, version));

    server.handle(Input::Storage(Storage::Writable));
    ada.submit(Change::Deposit(2)).unwrap();
    ada.exchange(&mut server);
    assert_eq!(ada.state().balance, 2);
    assert!(ada.replica.is_saved());
}

/// The client was told that it is refused: so it stays.
#[test]
fn what_was_refused_for_now_is_not_taken_when_it_comes_again() {
    let mut server = Server::new(Bank::default());
    let _ada = Client::<Bank>::joined(&mut server, 1);
    server.handle(Input::Storage(Storage::Full));
    let deposit = crate::link::bytes_of(&Change::Deposit(1));
    server.submit_raw(ConnectionId(1), 1, deposit.clone());
    server.handle(Input::Storage(Storage::Writable));
    server.submit_raw(ConnectionId(1), 1, deposit);
    assert_eq!(server.authority.state().balance, 0);
}

/// A client that never heard of the refusal hears of it when it comes back.
#[test]
fn a_refusal_for_now_is_told_again() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    server.handle(Input::Storage(Storage::Full));
    ada.submit(Change::Deposit(1)).unwrap();
    ada.deliver_up(&mut server);
    server.handle(Input::Storage(Storage::Writable));
    ada.lose_connection();
    ada.connect(2);
    ada.exchange(&mut server);
    assert!(matches!(
        ada.settled[..],
        [(_, Outcome::Refused { refusal: Refusal::Unavailable, .. })]
    ));
    assert_eq!(server.authority.state().balance, 0);
}

/// A page that was reloaded knows nothing of the number, and its user submits
/// something else.
#[test]
fn a_number_that_was_refused_for_now_is_not_given_to_another() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    server.handle(Input::Storage(Storage::Full));
    ada.submit(Change::Deposit(1)).unwrap();
    ada.exchange(&mut server);
    server.handle(Input::Storage(Storage::Writable));

    let identity = ada.replica.identity();
    let mut ada = Client::restored(Device { identity, ..Device::default() });
    ada.connect(2);
    ada.exchange(&mut server);
    ada.submit(Change::Deposit(2)).unwrap();
    ada.keep();
    ada.exchange(&mut server);
    assert!(matches!(ada.settled[..], [(_, Outcome::Confirmed(_))]), "{:?}", ada.settled);
    assert_eq!(server.authority.state().balance, 2);
}

/// A device kept a submission longer than its page, which was told that there
/// is no room; then there was. The journal has a snapshot of the time between.
#[test]
fn what_was_refused_for_now_and_taken_then_is_not_refused_after_a_crash() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    server.handle(Input::Storage(Storage::Full));
    ada.submit(Change::Deposit(1)).unwrap();
    ada.exchange(&mut server);
    assert_eq!(ada.settled.len(), 1);
    let snapshot = Some(server.authority.snapshot().encode().unwrap());
    server.journal = Recovered { snapshot, records: Vec::new() };
    server.handle(Input::Storage(Storage::Writable));

    // Who has this answer says so, and the server forgets it.
    ada.lose_connection();
    ada.connect(2);
    ada.exchange(&mut server);
    let deposit = crate::link::bytes_of(&Change::Deposit(1));
    server.submit_raw(ConnectionId(2), 1, deposit.clone());
    assert_eq!(server.authority.state().balance, 1);

    server.restart(Bank::default());
    let (ticket, seq, transition) = (Ticket(1), Some(ClientSeq(1)), Payload(deposit));
    let item = OutboxItem { ticket, seq, transition };
    let (identity, items) = (ada.replica.identity(), [(ticket, item)].into());
    let mut ada = Client::restored(Device { identity, items, ..Device::default() });
    ada.connect(3);
    ada.exchange(&mut server);
    assert!(matches!(ada.settled[..], [(_, Outcome::Snapshot(_))]), "{:?}", ada.settled);
    assert_eq!(ada.state().balance, 1);
}

/// Nobody is told before the journal has it: neither who they are, nor a
/// refusal, nor an entry; and then in the order in which it came about.
#[test]
fn welcomes_and_refusals_wait_for_the_journal_too() {
    let mut authority =
        Authority::open(Bank::default(), Server::new(Bank::default()).journal, [7; 32]).unwrap();
    let connection = ConnectionId(1);
    let tail = Version(0);
    let join = Input::Join { connection, user: None, resume: None, tail, cheaper: tail };
    let submission = |seq, change: &Change| aper::protocol::Submission {
        seq: aper::ClientSeq(seq),
        transition: aper::protocol::Payload(crate::link::bytes_of(change)),
    };
    let submissions = vec![
        submission(1, &Change::Deposit(1)),
        submission(2, &Change::Withdraw(9)),
        submission(3, &Change::Deposit(1)),
    ];
    let mut last = aper::journal::Position(0);
    for input in [join, Input::Submit { connection, submissions }] {
        authority.handle(Timestamp::ZERO, input);
        while let Some(output) = authority.next_output() {
            let Output::Append { after, batch } = output else { panic!("told: {output:?}") };
            last = after.after(batch.len());
        }
    }
    authority.handle(Timestamp::ZERO, Input::Durable(last));
    let mut told = Vec::new();
    while let Some(output) = authority.next_output() {
        told.push(match output {
            Output::Commit(commit) => format!("{}", commit.entries().count()),
            Output::Welcome { .. } => "welcome".to_owned(),
            Output::Reject { rejection, .. } => {
                assert!(matches!(rejection.refusal, RefusalMessage::Conflict(_)));
                "reject".to_owned()
            }
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(told, ["1", "welcome", "1", "reject", "1"]);
}
