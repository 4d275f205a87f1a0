//! Taking back, and doing again.

use aper::collections::{Atom, Counter, ItemId, List, ListConflict, Map, MapConflict, Place};
use aper::protocol::{ClientMessage, decode, encode};
use aper::sync::driver::{Driver, Input, NotTaken, Output};
use aper::sync::{Outcome, Refusal, Ticket, UndoStack};
use aper::{LocalTime, StateMachine};
use serde::{Deserialize, Serialize};

use crate::link::{Client, Server};

#[derive(Clone, Debug, Default, PartialEq, StateMachine, Serialize, Deserialize)]
struct Board {
    cards: List<Atom<String>>,
    votes: Map<String, Counter>,
}

type Change = <Board as StateMachine>::Transition;

fn card(number: u128) -> ItemId {
    ItemId::from_u128(number)
}

fn put(number: u128, text: &str) -> Change {
    Board::cards(List::insert(card(number), Place::Last, Atom::new(text.to_owned())))
}

fn write(number: u128, text: &str) -> Change {
    Board::cards(List::apply_to(card(number), Atom::set(text.to_owned())))
}

/// A user with undo and redo.
struct User {
    driver: Driver<Board>,
    undo: UndoStack<Board>,
    /// Carries what the driver says.
    link: Client<Board>,
    settled: Vec<(Ticket, Outcome<<Board as StateMachine>::Conflict>)>,
    now: u64,
}

impl User {
    fn joined(server: &mut Server<Board>, connection: u64) -> Self {
        let mut link = Client::new();
        link.connection = Some(aper::sync::ConnectionId(connection));
        let driver = Driver::new(None, None, || 0.5);
        let undo = UndoStack::new();
        let mut user = Self { driver, undo, link, settled: Vec::new(), now: 0 };
        user.driver.handle(user.time(), Input::Timeout);
        user.driver.handle(user.time(), Input::Opened);
        user.exchange(server);
        user
    }

    fn time(&self) -> LocalTime {
        LocalTime::from_millis(self.now)
    }

    /// A second later: what waited for more is sent, and whatever comes is
    /// another gesture.
    fn pause(&mut self) {
        self.now += 1_000;
        self.driver.handle(self.time(), Input::Timeout);
    }

    fn exchange(&mut self, server: &mut Server<Board>) {
        loop {
            while let Some(output) = self.driver.next_output() {
                match output {
                    Output::Send(frame) => {
                        let message: ClientMessage = decode(&frame).unwrap();
                        self.link.up.push_back(message);
                    }
                    Output::Settled { ticket, outcome } => {
                        self.undo.settled(ticket, &outcome);
                        self.settled.push((ticket, outcome));
                    }
                    _ => {}
                }
            }
            self.link.deliver_up(server);
            self.link.fetch(server);
            if self.link.down.is_empty() {
                return;
            }
            for message in std::mem::take(&mut self.link.down) {
                let frame = Input::Frame(encode(&message).unwrap());
                self.driver.handle(self.time(), frame);
            }
        }
    }

    fn submit(&mut self, change: Change) -> Ticket {
        let now = self.time();
        self.undo.submit(&mut self.driver, now, change).unwrap()
    }

    fn undo(&mut self) -> Option<aper::sync::Undone<Board>> {
        self.undo.undo(&mut self.driver, LocalTime::from_millis(self.now))
    }

    fn redo(&mut self) -> Option<aper::sync::Undone<Board>> {
        self.undo.redo(&mut self.driver, LocalTime::from_millis(self.now))
    }

    fn cards(&self) -> Vec<(u128, &str)> {
        let state = self.driver.replica().state().unwrap();
        state.cards.iter().map(|(id, text)| (id.as_u128(), text.get().as_str())).collect()
    }
}

#[test]
fn what_was_done_is_taken_back_and_done_again_in_order() {
    let mut server = Server::new(Board::default());
    let mut ada = User::joined(&mut server, 1);
    for change in [put(1, "milk"), put(2, "eggs"), write(1, "oat milk")] {
        ada.submit(change);
        ada.pause();
    }
    ada.submit(Board::cards(List::remove(card(1))));
    ada.exchange(&mut server);
    let steps = [
        vec![(2, "eggs")],
        vec![(1, "oat milk"), (2, "eggs")],
        vec![(1, "milk"), (2, "eggs")],
        vec![(1, "milk")],
        vec![],
    ];
    for step in &steps {
        assert_eq!(&ada.cards(), step);
        let _undone = ada.undo();
        ada.exchange(&mut server);
    }
    assert!(ada.undo().is_none() && !ada.undo.can_undo());
    for step in steps.iter().rev() {
        assert_eq!(&ada.cards(), step);
        let _redone = ada.redo();
        ada.exchange(&mut server);
    }
    assert!(ada.redo().is_none() && !ada.undo.can_redo());
    let on_the_server = server.authority.state().cards.len();
    assert_eq!((on_the_server, server.entries().count()), (1, 12), "all of it is in the log");
}

#[test]
fn somebody_elses_work_stays() {
    let mut server = Server::new(Board::default());
    let (mut ada, mut ben) = (User::joined(&mut server, 1), User::joined(&mut server, 2));
    ada.submit(put(1, "milk"));
    ada.exchange(&mut server);
    ben.exchange(&mut server);
    ben.submit(put(2, "eggs"));
    ben.submit(Board::votes(Map::insert("tea".to_owned(), Counter::default())));
    ben.exchange(&mut server);
    ada.exchange(&mut server);
    ada.undo().unwrap().unwrap();
    ada.exchange(&mut server);
    assert_eq!(ada.cards(), [(2, "eggs")]);
    assert_eq!(server.authority.state().votes.len(), 1);
}

#[test]
fn what_cannot_be_taken_back_any_more_is_told() {
    let mut server = Server::new(Board::default());
    let (mut ada, mut ben) = (User::joined(&mut server, 1), User::joined(&mut server, 2));
    ada.submit(put(1, "milk"));
    ada.submit(write(1, "oat milk"));
    ada.exchange(&mut server);
    ben.exchange(&mut server);
    ben.submit(Board::cards(List::remove(card(1))));
    ben.exchange(&mut server);

    // She sees that it is gone.
    ada.exchange(&mut server);
    let missing = BoardConflict::Cards(ListConflict::Missing { id: card(1) });
    let refused = Some(Err(NotTaken::Refused(Refusal::Conflict(missing))));
    assert_eq!(ada.undo(), refused);
    assert_eq!(server.entries().count(), 3, "nothing was sent");
    assert_eq!(ada.undo(), refused, "the one before it");
    assert!(!ada.undo.can_undo() && !ada.undo.can_redo());
}

#[test]
fn the_server_has_the_last_word_on_it() {
    let mut server = Server::new(Board::default());
    let (mut ada, mut ben) = (User::joined(&mut server, 1), User::joined(&mut server, 2));
    ada.submit(put(1, "milk"));
    ada.submit(write(1, "oat milk"));
    ada.exchange(&mut server);
    ben.exchange(&mut server);
    ben.submit(Board::cards(List::remove(card(1))));
    ben.exchange(&mut server);
    // She does not know of it yet.
    ada.pause();
    let undone = ada.undo().unwrap().unwrap();
    assert_eq!(ada.cards(), [(1, "milk")]);
    ada.exchange(&mut server);
    let (ticket, outcome) = ada.settled.last().unwrap();
    assert_eq!(undone, [*ticket]);
    assert!(matches!(outcome, Outcome::Refused { .. }));
    assert!(!ada.undo.can_redo(), "it did not happen, so it cannot happen again");
}

#[test]
fn what_the_server_refused_is_nothing_to_take_back() {
    let mut server = Server::new(Board::default());
    let (mut ada, mut ben) = (User::joined(&mut server, 1), User::joined(&mut server, 2));
    ben.submit(Board::votes(Map::insert("tea".to_owned(), Counter::default())));
    ben.exchange(&mut server);
    ada.exchange(&mut server);
    ben.submit(Board::votes(Map::remove("tea".to_owned())));
    ben.exchange(&mut server);
    let vote = ada.submit(Board::votes(Map::apply_to("tea".to_owned(), Counter::add(1))));
    assert!(ada.undo.can_undo());
    ada.exchange(&mut server);
    let missing = BoardConflict::Votes(MapConflict::Missing { key: "tea".to_owned() });
    let refusal = Refusal::Conflict(missing);
    assert_eq!(ada.settled, [(vote, Outcome::Refused { refusal, affected: vec![] })]);
    assert!(!ada.undo.can_undo());
}

#[test]
fn a_gesture_is_one_step() {
    let mut server = Server::new(Board::default());
    let mut ada = User::joined(&mut server, 1);
    ada.submit(put(1, ""));
    // Typing merges, and is one until there is a pause.
    for text in ["m", "mi", "mil", "milk"] {
        ada.submit(write(1, text));
    }
    ada.pause();
    ada.submit(write(1, "milk!"));
    ada.undo.begin_gesture();
    ada.submit(put(2, "eggs"));
    ada.submit(put(3, "tea"));
    ada.undo.end_gesture();
    ada.exchange(&mut server);
    assert_eq!(ada.cards().len(), 3);
    assert_eq!(ada.undo().unwrap().unwrap().len(), 2);
    assert_eq!(ada.cards(), [(1, "milk!")]);
    ada.undo().unwrap().unwrap();
    assert_eq!(ada.cards(), [(1, "milk")]);
    assert_eq!(ada.undo().unwrap().unwrap().len(), 1, "four letters by one transition");
    assert_eq!(ada.cards(), [(1, "")]);
    ada.redo().unwrap().unwrap();
    assert_eq!(ada.cards(), [(1, "milk")]);
    // Something new, and what was taken back is gone.
    ada.submit(put(4, "rice"));
    assert!(!ada.undo.can_redo());
}

#[test]
fn only_so_many_are_remembered() {
    let mut server = Server::new(Board::default());
    let mut ada = User::joined(&mut server, 1);
    for number in 0..150 {
        ada.submit(put(number, ""));
    }
    let mut count = 0;
    while let Some(undone) = ada.undo() {
        undone.unwrap();
        count += 1;
    }
    assert_eq!((count, ada.cards().len()), (aper::limits::UNDO_GESTURES, 50));
}
