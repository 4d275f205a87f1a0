//! Transitions that become one before they are sent.

use aper::collections::{Atom, AtomTransition, Counter, Register};
use aper::limits::MERGE_WITHIN;
use aper::protocol::ClientMessage;
use aper::sync::replica::Input;
use aper::sync::{Outcome, Ticket};
use aper::{StateMachine, Version};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::link::{Client, Device, Server};

/// A slider, and a button beside it.
#[derive(Clone, Debug, Default, PartialEq, StateMachine, Serialize, Deserialize)]
struct Panel {
    level: Atom<u32>,
    presses: Counter,
}

fn slide(level: u32) -> PanelTransition {
    Panel::level(Atom::set(level))
}

fn press() -> PanelTransition {
    Panel::presses(Counter::add(1))
}

fn later(client: &mut Client<Panel>, millis: u64) {
    client.now += millis;
    if client.replica.next_timeout().is_some_and(|due| due.as_millis() <= client.now) {
        client.handle(Input::Timeout);
    }
}

/// How many transitions wait to be carried to the server.
fn sent(client: &Client<Panel>) -> usize {
    let count = |message: &ClientMessage| match message {
        ClientMessage::Submit(submissions) => submissions.len(),
        _ => 0,
    };
    client.up.iter().map(count).sum()
}

#[test]
fn a_thousand_moves_in_a_second_are_ten_transitions() {
    let mut server = Server::new(Panel::default());
    let (mut ada, mut ben) = (Client::joined(&mut server, 1), Client::joined(&mut server, 2));
    for level in 1..=1_000 {
        ada.submit(slide(level)).unwrap();
        assert_eq!(*ada.state().level.get(), level, "it is seen at once");
        later(&mut ada, 1);
        ada.exchange(&mut server);
    }
    later(&mut ada, 100);
    ada.exchange(&mut server);
    ben.exchange(&mut server);
    assert_eq!(*ben.state().level.get(), 1_000);
    assert_eq!(server.authority.version(), Version(11), "one at once, and one every 100 ms");
    let settled: Vec<_> = ada.settled.iter().map(|(ticket, _)| ticket.0).collect();
    assert_eq!(settled, (1..=1_000).collect::<Vec<_>>(), "each ticket has its end");
    assert!(ada.settled.iter().all(|(_, outcome)| matches!(outcome, Outcome::Confirmed(_))));
}

#[test]
fn what_merges_with_nothing_is_sent_at_once_and_in_order() {
    let mut server = Server::new(Panel::default());
    let mut ada = Client::joined(&mut server, 1);
    for transition in [slide(1), press(), press(), slide(2)] {
        ada.submit(transition).unwrap();
    }
    assert_eq!(sent(&ada), 4);
    // The second waits; until something comes that it would hold up.
    ada.submit(slide(3)).unwrap();
    ada.submit(slide(4)).unwrap();
    assert_eq!((sent(&ada), ada.replica.pending()), (4, 5));
    ada.submit(press()).unwrap();
    assert_eq!(sent(&ada), 6);
    ada.exchange(&mut server);
    let state = server.authority.state();
    assert_eq!((*state.level.get(), state.presses.get()), (4, 3));
    assert!(ada.replica.is_saved());
}

#[test]
fn one_alone_waits_for_nothing() {
    let mut server = Server::new(Panel::default());
    let mut ada = Client::joined(&mut server, 1);
    ada.submit(slide(1)).unwrap();
    assert_eq!(sent(&ada), 1);
    ada.exchange(&mut server);
    // A gesture later, nor does the next.
    later(&mut ada, MERGE_WITHIN.as_millis() as u64);
    ada.submit(slide(2)).unwrap();
    assert_eq!(sent(&ada), 1);
}

#[test]
fn the_clock_sends_what_waits() {
    let mut server = Server::new(Panel::default());
    let mut ada = Client::joined(&mut server, 1);
    ada.submit(slide(1)).unwrap();
    ada.exchange(&mut server);
    later(&mut ada, 40);
    ada.submit(slide(2)).unwrap();
    assert_eq!(sent(&ada), 0);
    let due = ada.replica.next_timeout().unwrap();
    assert_eq!(due.as_millis(), ada.now + 60);
    later(&mut ada, 60);
    assert_eq!(sent(&ada), 1);
    assert!(ada.replica.next_timeout().unwrap() > due);
}

#[test]
fn a_merged_ticket_shares_the_end_of_the_one_that_it_is_in() {
    let mut server = Server::new(Panel::default());
    let mut ada: Client<Panel> = Client::restored(Device::default());
    // Offline, everything merges, and the device keeps it as one.
    let tickets: Vec<Ticket> = (1..=5).map(|level| ada.submit(slide(level)).unwrap()).collect();
    ada.keep();
    assert_eq!((ada.replica.pending(), ada.device.items.len()), (1, 1));
    assert_eq!(ada.replica.pending_tickets().collect::<Vec<_>>(), tickets);
    ada.connect(1);
    ada.exchange(&mut server);
    ada.keep();
    ada.exchange(&mut server);
    let confirmed = |ticket: &Ticket| (*ticket, Outcome::Confirmed(Version(1)));
    assert_eq!(ada.settled, tickets.iter().map(confirmed).collect::<Vec<_>>());
    assert_eq!(*server.authority.state().level.get(), 5);
}

#[test]
fn what_was_sent_before_a_cut_is_sent_again_as_it_was() {
    let mut server = Server::new(Panel::default());
    let mut ada = Client::joined(&mut server, 1);
    ada.submit(slide(1)).unwrap();
    ada.deliver_up(&mut server);
    ada.lose_connection();
    ada.submit(slide(2)).unwrap();
    ada.submit(slide(3)).unwrap();
    assert_eq!(ada.replica.pending(), 2, "the first has a number, and may have arrived");
    ada.connect(2);
    ada.exchange(&mut server);
    later(&mut ada, 100);
    ada.exchange(&mut server);
    assert_eq!(server.authority.version(), Version(2));
    assert_eq!(*server.authority.state().level.get(), 3);
    assert_eq!(ada.settled.len(), 3);
}

#[test]
fn a_register_merges_and_tells_who() {
    type Transition = <Register<u8> as StateMachine>::Transition;
    let merged: Option<Transition> = Register::merge(&Register::set(1), &Register::set(2));
    assert_eq!(merged, Some(Register::set(2)));
    let merged: Option<AtomTransition<u8>> = Atom::merge(&Atom::set(1), &Atom::set(2));
    assert_eq!(merged, Some(Atom::set(2)));
}

proptest! {
    /// Whatever is done when, everybody sees what they would see if nothing
    /// were ever merged.
    #[test]
    fn merging_changes_nothing_that_anybody_sees(
        script in prop::collection::vec((0u8..3, 0u64..80, prop::bool::ANY), 1..60),
    ) {
        let mut server = Server::new(Panel::default());
        let mut ada = Client::joined(&mut server, 1);
        let mut expected = (0, 0);
        for (number, (what, millis, carried)) in script.iter().enumerate() {
            if *what == 0 {
                expected.1 += 1;
                ada.submit(press()).unwrap();
            } else {
                expected.0 = number as u32;
                ada.submit(slide(number as u32)).unwrap();
            }
            prop_assert_eq!((*ada.state().level.get(), ada.state().presses.get()), expected);
            later(&mut ada, *millis);
            if *carried {
                ada.exchange(&mut server);
            }
        }
        later(&mut ada, 100);
        ada.exchange(&mut server);
        let state = server.authority.state();
        prop_assert_eq!((*state.level.get(), state.presses.get()), expected);
        prop_assert_eq!(ada.state(), state);
        prop_assert_eq!(ada.settled.len(), script.len());
    }
}
