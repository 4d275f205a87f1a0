//! What a user sees while the server has not answered.

use aper::protocol::{Payload, RefusalMessage, Rejection, ServerMessage, decode};
use aper::sync::replica::Input;
use aper::sync::{Outcome, Refusal, SubmitError};
use aper::{ClientSeq, Context, LocalTime, NeverConflict, StateMachine, Timestamp, limits};
use serde::{Deserialize, Serialize};

use crate::bank::{Bank, Change, Refused};
use crate::link::{Client, Server};

#[test]
fn what_the_state_does_not_allow_is_refused_at_once_and_not_sent() {
    let mut server = Server::new(Bank { balance: 1, ..Bank::default() });
    let mut ada = Client::joined(&mut server, 1);
    let refused = ada.submit(Change::HalfWithdraw(5)).unwrap_err();
    let conflict = Refused::NotEnough { balance: 0 };
    assert_eq!(refused, SubmitError::Refused(Refusal::Conflict(conflict)));
    assert_eq!(ada.state().balance, 1);
    assert!(ada.up.is_empty() && ada.replica.is_saved());
}

#[test]
fn what_waits_for_the_server_is_not_shown_and_makes_later_refusals_the_servers() {
    let mut server = Server::new(Bank { balance: 1, ..Bank::default() });
    let mut ada = Client::joined(&mut server, 1);
    ada.submit(Change::Audit).unwrap();
    assert!(ada.state().notes.is_empty());
    // Who knows what the audit will change?
    let later = ada.submit(Change::Withdraw(5)).unwrap();
    assert_eq!((ada.state().balance, ada.replica.pending()), (1, 2));
    ada.exchange(&mut server);
    assert_eq!(ada.state().notes, ["audited at 1"]);
    let refusal = Refusal::Conflict(Refused::NotEnough { balance: 1 });
    assert_eq!(ada.settled[1], (later, Outcome::Refused { refusal, affected: vec![] }));
}

#[test]
fn a_refusal_names_the_later_ones_that_no_longer_apply() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    let mut bob = Client::joined(&mut server, 2);
    ada.exchange(&mut server);
    let rent = ada.submit(Change::Rent(7)).unwrap();
    let store = ada.submit(Change::Store(7)).unwrap();
    let note = ada.submit(Change::Note("done".to_owned())).unwrap();
    assert_eq!(ada.state().notes, ["in box 7", "done"]);

    bob.submit(Change::Rent(7)).unwrap();
    bob.deliver_up(&mut server);
    ada.deliver_up(&mut server);
    ada.fetch(&mut server);
    // Her own refusal reaches her ahead of what Bob did.
    let rejects = ada.down.iter().position(|message| matches!(message, ServerMessage::Rejects(_)));
    let refusal = ada.down.remove(rejects.unwrap()).unwrap();
    ada.handle(Input::Message(refusal));
    let refusal = || Refusal::Conflict(Refused::NotYours);
    let outcome = Outcome::Refused { refusal: refusal(), affected: vec![store] };
    assert_eq!(ada.settled, [(rent, outcome)]);
    assert_eq!(ada.state().notes, ["done"]);

    ada.exchange(&mut server);
    assert_eq!(ada.settled[1], (store, Outcome::Refused { refusal: refusal(), affected: vec![] }));
    assert!(matches!(ada.settled[2], (ticket, Outcome::Confirmed(_)) if ticket == note));
    assert_eq!(ada.state(), server.authority.state());
}

#[test]
fn without_a_state_and_without_a_connection_transitions_are_taken_and_sent_later() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::new();
    ada.submit(Change::Deposit(2)).unwrap();
    assert_eq!((ada.replica.state(), ada.replica.pending()), (None, 1));
    ada.connect(1);
    ada.exchange(&mut server);
    assert_eq!((ada.state().balance, ada.replica.is_saved()), (2, true));

    ada.lose_connection();
    for _ in 0..3 {
        ada.submit(Change::Deposit(10)).unwrap();
    }
    assert_eq!((ada.state().balance, ada.replica.pending()), (32, 3));
    assert!(!ada.replica.is_saved());
    ada.connect(2);
    ada.exchange(&mut server);
    assert_eq!(server.authority.state().balance, 32);
    assert_eq!(ada.settled.len(), 4);
}

#[test]
fn pending_transitions_survive_a_snapshot() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    let sent = ada.submit(Change::Deposit(1)).unwrap();
    ada.deliver_up(&mut server);
    ada.lose_connection();
    let offline = ada.submit(Change::Deposit(10)).unwrap();

    // The next connection brings a snapshot that contains the first.
    ada.connect(2);
    let hello = match ada.up.pop_front().unwrap() {
        aper::protocol::ClientMessage::Hello(hello) => hello,
        other => panic!("{other:?}"),
    };
    let mut resume = hello.resume.unwrap();
    resume.holds = None;
    server.handle(aper::sync::authority::Input::Join {
        connection: ada.connection.unwrap(),
        user: None,
        resume: Some(resume),
        tail: aper::Version(0),
        cheaper: aper::Version(0),
    });
    ada.fetch(&mut server);
    let is_chunk = |message: &ServerMessage| matches!(message, ServerMessage::Chunk(_));
    let end = ada.down.iter().position(is_chunk).unwrap() + 1;
    for message in ada.down.drain(..end).collect::<Vec<_>>() {
        ada.handle(Input::Message(message));
    }
    assert_eq!(ada.settled, [(sent, Outcome::Snapshot(server.authority.version()))]);
    assert_eq!(ada.state().balance, 11, "the second is pending, on top of the snapshot");
    ada.exchange(&mut server);
    assert_eq!(ada.settled[1].0, offline);
    assert_eq!(server.authority.state().balance, 11);
}

/// A server that crashed has its entries from the journal, and no refusals.
#[test]
fn a_refusal_that_the_server_forgot_is_settled_all_the_same() {
    let mut server = Server::new(Bank { balance: 1, ..Bank::default() });
    let mut ada = Client::joined(&mut server, 1);
    let mut bob = Client::joined(&mut server, 2);
    bob.submit(Change::Withdraw(1)).unwrap();
    bob.deliver_up(&mut server);
    let refused = ada.submit(Change::Withdraw(1)).unwrap();
    let accepted = ada.submit(Change::Deposit(5)).unwrap();
    let also_refused = ada.submit(Change::Withdraw(6)).unwrap_err();
    assert!(matches!(also_refused, SubmitError::Refused(_)));
    ada.deliver_up(&mut server);
    ada.lose_connection();

    server.forget_refusals();
    ada.connect(3);
    ada.exchange(&mut server);
    let [(first, unknown), (second, confirmed)] = &ada.settled[..] else {
        panic!("{:?}", ada.settled)
    };
    assert_eq!((*first, *second), (refused, accepted));
    assert!(matches!(unknown, Outcome::Snapshot(_)), "{unknown:?}");
    assert!(matches!(confirmed, Outcome::Confirmed(_)), "{confirmed:?}");
    assert_eq!(ada.state(), server.authority.state());
    assert!(ada.gave_up.is_empty() && ada.replica.is_saved());
}

#[test]
fn too_many_pending_are_refused_with_a_reason() {
    let mut ada = Client::<Bank>::new();
    for _ in 0..limits::PENDING_TRANSITIONS {
        ada.submit(Change::Deposit(1)).unwrap();
    }
    assert_eq!(ada.submit(Change::Deposit(1)), Err(SubmitError::TooManyPending));
}

#[test]
fn only_a_windowful_is_sent_at_a_time() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::new();
    let count = limits::UNANSWERED_SUBMISSIONS as usize * 2 + 7;
    for _ in 0..count {
        ada.submit(Change::Deposit(1)).unwrap();
    }
    ada.connect(1);
    ada.exchange(&mut server);
    assert!(server.closed.is_empty());
    assert_eq!(server.authority.state().balance, count as u64);
    assert_eq!(ada.settled.len(), count);
}

#[test]
fn a_silent_server_is_asked_and_then_given_up() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    let start = ada.now;
    let millis = |duration: std::time::Duration| duration.as_millis() as u64;
    let due = LocalTime::from_millis(start) + limits::PING_AFTER;
    assert_eq!(ada.replica.next_timeout(), Some(due));
    ada.now = start + millis(limits::PING_AFTER);
    ada.handle(Input::Timeout);
    assert_eq!(ada.up.len(), 1, "a ping");
    ada.handle(Input::Timeout);
    assert_eq!(ada.up.len(), 1, "one is enough");
    ada.now = start + millis(limits::SILENCE);
    ada.handle(Input::Timeout);
    assert_eq!(ada.gave_up, ["nothing was heard for too long"]);
}

/// A laptop that was closed, a tab that was frozen: nobody listened.
#[test]
fn a_device_that_stood_still_asks_before_it_gives_up() {
    let mut server = Server::new(Bank::default());
    let mut ada = Client::joined(&mut server, 1);
    ada.now += 3_600_000;
    ada.handle(Input::Timeout);
    ada.handle(Input::Timeout);
    assert_eq!((ada.up.len(), ada.gave_up.len()), (1, 0));
    let pong = ServerMessage::Pong { sent: LocalTime::from_millis(ada.now), now: Timestamp::ZERO };
    ada.handle(Input::Message(pong));
    ada.now += 1_000;
    ada.handle(Input::Timeout);
    assert!(ada.gave_up.is_empty());
}

#[test]
fn a_conflict_that_does_not_decode_loses_no_ticket() {
    let mut server = Server::new(Bank { balance: 3, ..Bank::default() });
    let mut ada = Client::joined(&mut server, 1);
    let ticket = ada.submit(Change::Withdraw(3)).unwrap();
    let refusal = RefusalMessage::Conflict(Payload(vec![0xff; 9]));
    let rejection = Rejection { seq: ClientSeq(1), refusal };
    ada.handle(Input::Message(ServerMessage::Rejects(vec![rejection])));
    assert_eq!(ada.gave_up, ["a message could not be decoded"]);
    assert_eq!((ada.replica.pending(), ada.settled.len()), (1, 0));
    ada.lose_connection();
    ada.connect(2);
    ada.exchange(&mut server);
    assert!(matches!(ada.settled[..], [(settled, Outcome::Confirmed(_))] if settled == ticket));
}

#[test]
fn numbers_that_nobody_can_have_counted_to_are_not_believed() {
    let mut server = Server::new(Bank::default());
    for absurd in [u64::MAX, u64::MAX - 1] {
        let mut ada = Client::<Bank>::new();
        ada.connect(absurd);
        ada.deliver_up(&mut server);
        ada.fetch(&mut server);
        let Some(ServerMessage::Welcome(mut welcome)) = ada.down.pop_front() else { panic!() };
        welcome.last_seq = ClientSeq(absurd);
        ada.handle(Input::Message(ServerMessage::Welcome(welcome)));
        assert_eq!(ada.gave_up, ["a message came that may not come now"]);
    }
}

#[test]
fn a_hostile_server_is_left_and_the_state_stays() {
    let mut server = Server::new(Bank { balance: 3, ..Bank::default() });
    let mut ada = Client::joined(&mut server, 1);
    let garbage = decode::<ServerMessage>(&[2, 3, 1, 2, 3]).unwrap();
    ada.handle(Input::Message(garbage));
    assert_eq!(ada.gave_up, ["a message came that may not come now"]);
    assert_eq!(ada.state().balance, 3);
    ada.handle(Input::Message(ServerMessage::Commits(server.entries().cloned().collect())));
    assert_eq!(ada.gave_up.len(), 1, "the rest of that connection is not listened to");
}

/// A machine that is changed in place, and draws or does not, as somebody else
/// decides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Dice {
    loaded: bool,
    thrown: Vec<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Throw {
    Six,
    Any,
    Unload,
}

impl StateMachine for Dice {
    const NAME: &'static str = "dice";
    const ATOMIC: bool = true;
    type Transition = Throw;
    type Conflict = NeverConflict;

    fn apply(&mut self, throw: &Throw, cx: &Context) -> Result<(), NeverConflict> {
        match throw {
            Throw::Unload => self.loaded = false,
            Throw::Any if !self.loaded => self.thrown.push(1 + cx.rng().below(6)),
            Throw::Six | Throw::Any => self.thrown.push(6),
        }
        Ok(())
    }
}

#[test]
fn what_draws_only_since_somebody_else_did_something_is_not_shown_any_more() {
    let mut server = Server::new(Dice { loaded: true, ..Dice::default() });
    let mut ada = Client::joined(&mut server, 1);
    let mut bob = Client::joined(&mut server, 2);
    for throw in [Throw::Six, Throw::Any, Throw::Six, Throw::Any] {
        ada.submit(throw).unwrap();
    }
    assert_eq!(ada.state().thrown, [6; 4]);
    bob.submit(Throw::Unload).unwrap();
    bob.exchange(&mut server);
    for _ in 0..2 {
        ada.deliver_down(&mut server);
        assert_eq!(ada.state(), &Dice { loaded: false, thrown: vec![6; 2] });
        assert_eq!(ada.replica.pending_shown().count(), 2);
        // Once more, over something that changes nothing.
        bob.submit(Throw::Unload).unwrap();
        bob.exchange(&mut server);
    }
    ada.exchange(&mut server);
    assert_eq!((ada.state(), ada.state().thrown.len()), (server.authority.state(), 4));
}
