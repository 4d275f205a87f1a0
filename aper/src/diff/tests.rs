use imbl::Vector;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::testing::check_diff;
use super::{Diff, diff_chunks};
use crate::StateMachine;
use crate::collections::{Atom, Counter, Grid, ItemId, List, Map, Place, Set};
use crate::context::Context;
use crate::state_machine::NeverConflict;

/// A machine of parts, some of which show themselves otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, StateMachine)]
#[machine(crate = crate)]
#[serde(rename_all = "camelCase")]
struct Desk {
    open_cards: List<Card>,
    #[serde(rename = "tally")]
    by_name: Map<String, Counter>,
    #[serde(with = "doubled")]
    shown_twice: Counter,
    #[machine(skip)]
    title: String,
    #[machine(skip)]
    #[serde(skip)]
    unseen: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, StateMachine)]
#[machine(crate = crate)]
struct Card {
    text: Atom<String>,
    tags: Set<u8>,
}

/// As it is shown in JavaScript there are none of its fields' names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, StateMachine)]
#[machine(crate = crate)]
struct Newtype(Map<u8, Card>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, StateMachine)]
#[machine(crate = crate)]
struct Pair(Counter, Grid<u8>);

mod doubled {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::collections::Counter;

    pub(super) fn serialize<S: Serializer>(counter: &Counter, to: S) -> Result<S::Ok, S::Error> {
        (counter.get() * 2).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Counter, D::Error> {
        let value = i64::deserialize(from)?;
        Counter::try_from(value / 2).map_err(serde::de::Error::custom)
    }
}

fn card(text: &str) -> Card {
    Card { text: Atom::new(text.to_owned()), tags: (0..10).collect() }
}

fn desk(cards: u32) -> Desk {
    let items = (0..cards).map(|n| (ItemId::from_u128(n.into()), card(&n.to_string())));
    Desk {
        open_cards: List::try_from_iter(items).unwrap(),
        by_name: (0..cards).map(|n| (n.to_string(), Counter::default())).collect(),
        shown_twice: Counter::default(),
        title: "a desk".to_owned(),
        unseen: 1,
    }
}

fn after<S: StateMachine>(state: &S, transitions: &[S::Transition]) -> S {
    let mut next = state.clone();
    for transition in transitions {
        next.apply(transition, &Context::for_test()).unwrap();
    }
    next
}

/// Counted, so that it does not depend on how quick a machine is: what is told
/// of a change is the same whether there are a hundred items or a hundred times
/// as many.
#[test]
fn what_is_told_does_not_grow_with_the_state() {
    for cards in [100, 10_000] {
        let before = desk(cards);
        let id = ItemId::from_u128(70);
        let edited = Desk::open_cards(List::apply_to(id, Card::text(Atom::set("new".into()))));
        assert_eq!(check_diff(&after(&before, &[edited]), &before), 1);
        let tagged = Desk::open_cards(List::apply_to(id, Card::tags(Set::insert(77))));
        assert_eq!(check_diff(&after(&before, &[tagged]), &before), 1);
        let moved = Desk::open_cards(List::move_to(id, Place::First));
        assert_eq!(check_diff(&after(&before, &[moved]), &before), 2);
        let counted = Desk::by_name(Map::apply_to("70".into(), Counter::add(1)));
        assert_eq!(check_diff(&after(&before, &[counted]), &before), 1);
        assert_eq!(check_diff(&before.clone(), &before), 0);
    }
}

#[test]
fn what_came_another_way_is_compared() {
    let before = desk(100);
    let text = serde_json::to_string(&before).unwrap();
    let again: Desk = serde_json::from_str(&text).unwrap();
    assert_eq!(check_diff(&again, &before), 0);
    let count = Desk::shown_twice(Counter::add(4));
    assert_eq!(check_diff(&after(&again, &[count]), &before), 1);
    let renamed = Desk { title: "another".to_owned(), ..before.clone() };
    assert_eq!(check_diff(&renamed, &before), 1);
    let unseen = Desk { unseen: 2, ..before.clone() };
    assert_eq!(check_diff(&unseen, &before), 0);
}

#[test]
fn structs_without_names_are_told_as_well() {
    let before = Newtype((0..100).map(|key| (key, card("a"))).collect());
    let edited = Map::apply_to(50, Card::text(Atom::set("b".to_owned())));
    assert_eq!(check_diff(&after(&before, &[Newtype::field0(edited)]), &before), 1);
    let pair = Pair(Counter::default(), Grid::new(20, 20, 0).unwrap());
    assert_eq!(check_diff(&after(&pair, &[Pair::field1(Grid::set(3, 3, 7))]), &pair), 1);
}

/// A machine by hand, with a sequence that is no machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Lines {
    lines: Vector<u16>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Edit {
    Insert(usize, u16),
    Remove(usize),
    Set(usize, u16),
    Move(usize, usize),
}

impl StateMachine for Lines {
    const NAME: &'static str = "lines";
    type Transition = Edit;
    type Conflict = NeverConflict;

    fn apply(&mut self, edit: &Edit, _: &Context) -> Result<(), NeverConflict> {
        let length = self.lines.len();
        match *edit {
            Edit::Insert(index, line) => self.lines.insert(index % (length + 1), line),
            _ if length == 0 => {}
            Edit::Remove(index) => drop(self.lines.remove(index % length)),
            Edit::Set(index, line) => drop(self.lines.set(index % length, line)),
            Edit::Move(from, to) => {
                let line = self.lines.remove(from % length);
                self.lines.insert(to % length, line);
            }
        }
        Ok(())
    }

    fn diff<D: Diff>(&self, earlier: &Self, diff: &mut D) -> Result<(), D::Error> {
        diff.field("lines", |diff| diff_chunks(self.lines.leaves(), earlier.lines.leaves(), diff))
    }
}

#[test]
fn one_element_of_many_is_told_alone() {
    for length in [10, 1_000, 50_000] {
        let lines = Lines { lines: (0..length).collect() };
        for edit in [Edit::Set(7, 9), Edit::Insert(7, 9), Edit::Remove(7)] {
            assert_eq!(check_diff(&after(&lines, &[edit]), &lines), 1);
        }
        let far = usize::from(length) - 1;
        assert_eq!(
            check_diff(&after(&lines, &[Edit::Set(0, u16::MAX), Edit::Set(far, u16::MAX)]), &lines),
            2
        );
    }
}

proptest! {
    #[test]
    fn any_edits_are_told(
        length in 0..700u16,
        edits in prop::collection::vec(edit(), 0..12),
    ) {
        let lines = Lines { lines: (0..length).collect() };
        let edited = after(&lines, &edits);
        check_diff(&edited, &lines);
        check_diff(&lines, &edited);
        let again = Lines { lines: edited.lines.iter().copied().collect() };
        prop_assert_eq!(check_diff(&again, &edited), 0);
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (0..1000usize, any::<u16>()).prop_map(|(index, line)| Edit::Insert(index, line)),
        (0..1000usize).prop_map(Edit::Remove),
        (0..1000usize, any::<u16>()).prop_map(|(index, line)| Edit::Set(index, line)),
        (0..1000usize, 0..1000usize).prop_map(|(from, to)| Edit::Move(from, to)),
    ]
}
