//! What went wrong in the libraries that came before this one, one test each.

use aper::Version;
use aper::protocol::{CloseCode, ServerMessage};
use aper::sync::{ConnectionId, Outcome, Refusal, SubmitError};

use crate::bank::{Bank, Change, Refused};
use crate::link::{Client, Server, bytes_of};

#[test]
fn a_conflict_does_not_stop_the_server() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    ada.submit(Change::Deposit(5)).unwrap();
    ada.exchange(&mut server);
    let before = server.authority.version();

    server.submit_raw(ConnectionId(1), 9, bytes_of(&Change::HalfWithdraw(100)));
    assert_eq!(server.authority.version(), before);
    assert_eq!(server.authority.state().balance, 5, "a refusal half-way leaves nothing behind");

    server.submit_raw(ConnectionId(1), 10, bytes_of(&Change::Deposit(1)));
    assert_eq!(server.authority.state().balance, 6);
}

#[test]
fn a_refused_change_vanishes_from_the_screen_and_tells_its_sender_why() {
    let mut server = Server::new(Bank { balance: 10, ..Bank::default() });
    let mut ada = Client::joined(&mut server, 1);
    let mut bob = Client::joined(&mut server, 2);

    let mine = ada.submit(Change::Withdraw(8)).unwrap();
    let later = ada.submit(Change::Withdraw(2)).unwrap();
    assert_eq!(ada.state().balance, 0, "both are shown at once");
    bob.submit(Change::Withdraw(9)).unwrap();
    bob.deliver_up(&mut server);
    ada.exchange(&mut server);
    bob.exchange(&mut server);

    let refusal = |balance| Refusal::Conflict(Refused::NotEnough { balance });
    assert_eq!(
        ada.settled,
        [
            (mine, Outcome::Refused { refusal: refusal(1), affected: vec![] }),
            (later, Outcome::Refused { refusal: refusal(1), affected: vec![] }),
        ]
    );
    assert_eq!((ada.state().balance, bob.state().balance), (1, 1));
    assert_eq!(bob.settled.len(), 1, "nobody else hears of the refusal");
}

#[test]
fn acknowledging_the_first_of_two_pending_leaves_the_second_visible() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    let first = ada.submit(Change::Deposit(1)).unwrap();
    ada.submit(Change::Deposit(10)).unwrap();

    // Only the first gets through.
    let second = ada.up.pop_back().unwrap();
    ada.exchange(&mut server);
    assert_eq!(ada.settled, [(first, Outcome::Confirmed(server.authority.version()))]);
    assert_eq!(ada.replica.confirmed().unwrap().balance, 1);
    assert_eq!(ada.state().balance, 11, "the second is still to be seen");
    assert_eq!(ada.replica.pending(), 1);

    ada.up.push_back(second);
    ada.exchange(&mut server);
    assert_eq!(ada.state().balance, 11);
    assert!(ada.replica.is_saved());
}

#[test]
fn a_gap_in_versions_is_noticed_for_ones_own_entries_too() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    let mut bob = Client::joined(&mut server, 2);
    ada.exchange(&mut server);

    bob.submit(Change::Deposit(1)).unwrap();
    bob.deliver_up(&mut server);
    ada.submit(Change::Deposit(10)).unwrap();
    ada.deliver_up(&mut server);
    ada.fetch(&mut server);
    // Bob's entry is lost on the way to Ada, her own comes.
    let lost = ada.down.pop_front();
    assert!(matches!(lost, Some(ServerMessage::Commits(_))));
    ada.deliver_down(&mut server);
    assert_eq!(ada.gave_up, ["a message is missing"]);
    assert!(ada.settled.is_empty(), "what cannot be right is not confirmed");

    ada.lose_connection();
    ada.connect(3);
    ada.exchange(&mut server);
    assert_eq!(ada.state(), server.authority.state());
    assert_eq!(ada.settled.len(), 1);
}

#[test]
fn the_same_submission_twice_applies_once() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    let ticket = ada.submit(Change::Deposit(5)).unwrap();

    // It arrives; the answer is lost with the connection.
    ada.deliver_up(&mut server);
    ada.lose_connection();
    assert_eq!(ada.replica.pending(), 1);
    ada.connect(2);
    ada.exchange(&mut server);
    assert_eq!(server.authority.state().balance, 5);
    assert!(matches!(ada.settled[..], [(settled, Outcome::Confirmed(_))] if settled == ticket));

    // And on one connection, as a client in error would do it.
    let version = server.authority.version();
    server.submit_raw(ConnectionId(2), 1, bytes_of(&Change::Deposit(5)));
    assert_eq!(server.authority.version(), version);
}

#[test]
fn a_refusal_that_was_lost_is_told_again_and_not_decided_again() {
    let mut server = Server::new(Bank { balance: 3, ..Bank::default() });
    let mut ada = Client::joined(&mut server, 1);
    let mut bob = Client::joined(&mut server, 2);
    let ticket = ada.submit(Change::Withdraw(3)).unwrap();
    bob.submit(Change::Withdraw(1)).unwrap();
    bob.deliver_up(&mut server);
    ada.deliver_up(&mut server);
    ada.lose_connection();

    // Now there would be enough.
    bob.submit(Change::Deposit(10)).unwrap();
    bob.deliver_up(&mut server);
    ada.connect(3);
    ada.exchange(&mut server);
    let refusal = Refusal::Conflict(Refused::NotEnough { balance: 2 });
    assert_eq!(ada.settled, [(ticket, Outcome::Refused { refusal, affected: vec![] })]);
    assert_eq!(ada.state().balance, 12);
}

#[test]
fn malformed_bytes_cost_the_sender_its_connection_and_nobody_else_anything() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    let mut bob = Client::joined(&mut server, 2);
    server.submit_raw(ConnectionId(1), 1, vec![0xff; 40]);
    assert_eq!(server.closed, [(ConnectionId(1), CloseCode::Protocol)]);

    bob.submit(Change::Deposit(1)).unwrap();
    bob.exchange(&mut server);
    assert_eq!(bob.state().balance, 1);

    // What the sender had sent before counts, and it may come back.
    ada.lose_connection();
    ada.connect(3);
    ada.exchange(&mut server);
    assert_eq!(ada.state(), server.authority.state());
}

#[test]
fn a_panic_costs_one_transition() {
    let mut server = Server::new(Bank { balance: 7, ..Bank::default() });
    let mut ada = Client::joined(&mut server, 1);
    // The client's own machine fails too, and nothing is sent.
    let before = ada.state().clone();
    assert!(matches!(ada.submit(Change::Fail), Err(SubmitError::Refused(Refusal::Panicked))));
    assert_eq!(*ada.state(), before);

    server.submit_raw(ConnectionId(1), 1, bytes_of(&Change::Fail));
    assert_eq!(server.authority.state().balance, 7, "a panic half-way leaves nothing behind");
    ada.submit(Change::Deposit(1)).unwrap();
    ada.exchange(&mut server);
    assert_eq!(server.authority.state().balance, 7, "its number 1 was taken by the failure");
}

/// The same script gives the same bytes in every build: what is pinned here
/// was written by a debug build, and the tests run in both.
#[test]
fn a_debug_and_a_release_build_agree() {
    let mut server = Server::new(Bank { balance: u64::MAX - 5, ..Bank::default() });
    let mut ada = Client::joined(&mut server, 1);
    let script = [Change::Deposit(3), Change::Roll, Change::Roll, Change::Note("ö".to_owned())];
    for change in script {
        ada.submit(change).unwrap();
    }
    ada.exchange(&mut server);
    // An overflow is a refusal in both, not a panic in one and a wrap in the other.
    server.submit_raw(ConnectionId(1), 9, bytes_of(&Change::Deposit(3)));
    let bytes = bytes_of(server.authority.state());
    assert_eq!(ada.state(), server.authority.state());
    assert_eq!(server.authority.version(), Version(5));
    assert_eq!(hex(&bytes), "fdfdffffffffffffff01010205030102c3b6010100020000");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
