//! A condition that only the server has.

use aper::sync::authority::Input;
use aper::sync::{Admission, Outcome, Refusal};

use crate::bank::{Bank, Change, Refused};
use crate::link::{Client, Server};

/// Nobody takes more than five at a time, and a balance of 13 brings a panic.
fn at_most_five() -> Admission<Bank> {
    Admission::new(|before: &Bank, after: &Bank| {
        assert_ne!(after.balance, 13, "this is the test's own panic");
        if before.balance.saturating_sub(after.balance) > 5 {
            return Err(Refused::NotEnough { balance: 5 });
        }
        Ok(())
    })
}

fn server_with_ten() -> (Server<Bank>, Client<Bank>) {
    let mut server = Server::new(Bank { balance: 10, ..Bank::default() });
    server.authority = server.authority.admitting(at_most_five());
    let ada = Client::joined(&mut server, 1);
    (server, ada)
}

#[test]
fn what_is_not_admitted_is_shown_and_taken_back_with_the_reason() {
    let (mut server, mut ada) = server_with_ten();
    let much = ada.submit(Change::Withdraw(6)).unwrap();
    assert_eq!(ada.state().balance, 4, "the client knows no such condition");
    ada.exchange(&mut server);
    let refusal = Refusal::Conflict(Refused::NotEnough { balance: 5 });
    assert_eq!(ada.settled, [(much, Outcome::Refused { refusal, affected: vec![] })]);
    assert_eq!((ada.state().balance, server.authority.state().balance), (10, 10));

    ada.submit(Change::Withdraw(5)).unwrap();
    ada.exchange(&mut server);
    assert!(matches!(ada.settled[1].1, Outcome::Confirmed(_)));
    assert_eq!((ada.state().balance, server.authority.state().balance), (5, 5));
}

#[test]
fn what_the_machine_refuses_is_refused_for_the_machine_s_reason() {
    let (mut server, mut ada) = server_with_ten();
    // Not shown early: with it before them, others are for the server to decide.
    ada.submit(Change::Audit).unwrap();
    let both = ada.submit(Change::HalfWithdraw(11)).unwrap();
    ada.exchange(&mut server);
    let refusal = Refusal::Conflict(Refused::NotEnough { balance: 5 });
    assert_eq!(ada.settled[1], (both, Outcome::Refused { refusal, affected: vec![] }));
    let more = ada.submit(Change::Withdraw(11)).unwrap_err();
    assert_eq!(more.to_string(), "there are only 10 left");
    assert_eq!(server.authority.state().balance, 10, "and not half of it");
}

#[test]
fn a_condition_that_panics_costs_one_transition() {
    let (mut server, mut ada) = server_with_ten();
    let unlucky = ada.submit(Change::Deposit(3)).unwrap();
    ada.exchange(&mut server);
    let outcome = Outcome::Refused { refusal: Refusal::Panicked, affected: vec![] };
    assert_eq!(ada.settled, [(unlucky, outcome)]);
    ada.submit(Change::Deposit(2)).unwrap();
    ada.exchange(&mut server);
    assert_eq!((ada.state().balance, server.authority.state().balance), (12, 12));
}

#[test]
fn the_machine_s_own_transitions_are_not_asked_about() {
    let (mut server, mut ada) = server_with_ten();
    ada.submit(Change::DepositLater { after_millis: 10, sum: 3 }).unwrap();
    ada.exchange(&mut server);
    server.now += 10;
    server.handle(Input::Timeout);
    assert_eq!(server.authority.state().balance, 13);
}

#[test]
fn what_was_admitted_once_is_replayed_whatever_the_condition_is_by_then() {
    let (mut server, mut ada) = server_with_ten();
    ada.submit(Change::Withdraw(5)).unwrap();
    ada.exchange(&mut server);
    server.restart(Bank::default());
    let nothing = Admission::new(|_: &Bank, _: &Bank| Err(Refused::Full));
    server.authority = server.authority.admitting(nothing);
    assert_eq!(server.authority.state().balance, 5);
}
