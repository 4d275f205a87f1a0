//! From the difference of two states to JSON text, for `patch.ts`, which does it
//! to the value that it made of the earlier one.
//!
//! What there is to say about a value is an array that begins with what kind of
//! thing follows, or 0 if there is nothing to say:
//!
//! | begins | goes on with | the value is |
//! |---|---|---|
//! | 1 | value | replaced |
//! | 2 | name, about it, name, about it, … | an object; these fields are others inside |
//! | 3, 4, 5 | steps | an array of `{ id, value }`, of `[key, value]`, of keys |
//! | 6 | index, count, elements, … | an array; from there on, so many are these |
//! | 7 | value | replaced, by what shares with it already what is the same (by a `View`) |
//!
//! The steps: `0, key`: it is gone, or elsewhere; `1, key`: it stays where it is,
//! and what is next comes after it; `4`: what is next comes before all; `2, key,
//! about it`: it comes next; `3, key, about it`: it is where it was.
//!
//! Written at once, as a text, this is one value that crosses into JavaScript,
//! of the length of what changed.

use aper::diff::{Diff, Keyed};
use serde::Serialize;

use super::Fault;
use super::write::append;

/// What a patch says, or that there is no need to keep what it was made from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Patch {
    /// JSON, or nothing if nothing is another.
    pub(crate) text: Option<String>,
    /// Whether the machine never tells parts of itself.
    pub(crate) is_whole: bool,
}

impl Patch {
    /// The patch that replaces whatever there is.
    pub(crate) fn new<T: Serialize>(value: &T) -> Result<Self, Fault> {
        let mut writer = Writer::default();
        writer.replace(value)?;
        Ok(writer.end())
    }

    /// What `tell` tells.
    pub(crate) fn of(tell: impl FnOnce(&mut Writer) -> Result<(), Fault>) -> Result<Self, Fault> {
        let mut writer = Writer::default();
        tell(&mut writer)?;
        Ok(writer.end())
    }
}

/// What the array about a value begins with.
#[derive(Clone, Copy)]
#[repr(u8)]
enum About {
    Replaced = b'1',
    Fields = b'2',
    Items = b'3',
    Entries = b'4',
    Values = b'5',
    Splices = b'6',
}

impl From<Keyed> for About {
    fn from(keyed: Keyed) -> Self {
        match keyed {
            Keyed::Items => Self::Items,
            Keyed::Entries => Self::Entries,
            Keyed::Values => Self::Values,
        }
    }
}

#[derive(Default)]
pub(crate) struct Writer {
    text: String,
    /// Whether the array about the present value has begun.
    has_begun: bool,
    is_inside: bool,
    is_whole: bool,
}

impl Writer {
    fn end(mut self) -> Patch {
        if self.has_begun {
            self.text.push(']');
        }
        let Self { text, has_begun, is_whole, .. } = self;
        Patch { text: has_begun.then_some(text), is_whole }
    }

    /// Goes on in the array about the present value.
    fn next(&mut self, about: About) {
        if !self.has_begun {
            self.has_begun = true;
            self.text.push('[');
            self.text.push(char::from(about as u8));
        }
        self.text.push(',');
    }

    /// A step of a sequence with keys.
    fn step<K: Serialize>(&mut self, keyed: Keyed, step: char, key: &K) -> Result<(), Fault> {
        self.next(keyed.into());
        self.text.push(step);
        self.text.push(',');
        append(&mut self.text, key)
    }

    /// What `inside` says about a value, and whether it says anything.
    fn inside(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<(), Fault>,
    ) -> Result<bool, Fault> {
        self.text.push(',');
        let was_inside = std::mem::replace(&mut self.is_inside, true);
        self.has_begun = false;
        inside(self)?;
        self.is_inside = was_inside;
        let said = std::mem::replace(&mut self.has_begun, true);
        self.text.push(if said { ']' } else { '0' });
        Ok(said)
    }

    /// Takes back what was written since then, if nothing was said.
    fn unless_said(&mut self, said: bool, (length, had_begun): (usize, bool)) {
        if !said {
            self.text.truncate(length);
            self.has_begun = had_begun;
        }
    }
}

impl Diff for Writer {
    type Error = Fault;

    fn is_same<T: Serialize + ?Sized>(&mut self, one: &T, other: &T) -> Result<bool, Fault> {
        let start = self.text.len();
        append(&mut self.text, one)?;
        let middle = self.text.len();
        append(&mut self.text, other)?;
        let is_same = self.text[start..middle] == self.text[middle..];
        self.text.truncate(start);
        Ok(is_same)
    }

    fn replace<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.next(About::Replaced);
        append(&mut self.text, value)
    }

    fn whole<T: Serialize + ?Sized>(&mut self, value: &T, earlier: &T) -> Result<(), Fault> {
        if self.is_inside {
            return self.value(value, earlier);
        }
        // Not worth a comparison: something of it will be another.
        self.is_whole = true;
        self.replace(value)
    }

    fn field(
        &mut self,
        name: &'static str,
        inside: impl FnOnce(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let before = (self.text.len(), self.has_begun);
        self.next(About::Fields);
        append(&mut self.text, name)?;
        let said = self.inside(inside)?;
        self.unless_said(said, before);
        Ok(())
    }

    fn removed<K: Serialize>(&mut self, keyed: Keyed, key: &K) -> Result<(), Fault> {
        self.step(keyed, '0', key)
    }

    fn after<K: Serialize>(&mut self, keyed: Keyed, key: Option<&K>) -> Result<(), Fault> {
        if let Some(key) = key {
            return self.step(keyed, '1', key);
        }
        self.next(keyed.into());
        self.text.push('4');
        Ok(())
    }

    fn placed<K: Serialize>(
        &mut self,
        keyed: Keyed,
        key: &K,
        inside: impl FnOnce(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.step(keyed, '2', key)?;
        self.inside(inside).map(drop)
    }

    fn changed<K: Serialize>(
        &mut self,
        keyed: Keyed,
        key: &K,
        inside: impl FnOnce(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let before = (self.text.len(), self.has_begun);
        self.step(keyed, '3', key)?;
        let said = self.inside(inside)?;
        self.unless_said(said, before);
        Ok(())
    }

    fn splice<T: Serialize>(
        &mut self,
        index: usize,
        removed: usize,
        elements: &[T],
    ) -> Result<(), Fault> {
        for count in [index, removed] {
            self.next(About::Splices);
            append(&mut self.text, &count)?;
        }
        self.next(About::Splices);
        append(&mut self.text, elements)
    }
}

#[cfg(test)]
mod tests {
    use aper::collections::{Atom, Counter, Grid, ItemId, List, Map, Place, Set};
    use aper::{Context, NeverConflict, StateMachine};
    use serde::Deserialize;

    use super::*;

    #[derive(Clone, Debug, Serialize, Deserialize, StateMachine)]
    #[serde(rename_all = "camelCase")]
    struct Desk {
        visit_count: Counter,
        cards: List<Card>,
        seats: Map<u8, Atom<String>>,
        tags: Set<Option<char>>,
        board: Grid<u8>,
    }

    #[derive(Clone, Debug, Serialize, Deserialize, StateMachine)]
    struct Card {
        text: Atom<String>,
        done: Atom<bool>,
    }

    fn id(number: u128) -> ItemId {
        ItemId::from_u128(number)
    }

    fn card(text: &str) -> Card {
        Card { text: Atom::new(text.to_owned()), done: Atom::new(false) }
    }

    fn desk() -> Desk {
        Desk {
            visit_count: Counter::default(),
            cards: List::try_from_iter((1..=3).map(|n| (id(n), card("a")))).unwrap(),
            seats: [(1, Atom::new("x".to_owned()))].into_iter().collect(),
            tags: [None, Some('b')].into_iter().collect(),
            board: Grid::new(3, 2, 0).unwrap(),
        }
    }

    #[track_caller]
    fn check(transitions: &[DeskTransition], patch: Option<&str>) {
        let before = desk();
        let mut after = before.clone();
        for transition in transitions {
            after.apply(transition, &Context::for_test()).unwrap();
        }
        let told = Patch::of(|diff| after.diff(&before, diff)).unwrap();
        assert_eq!(told.text.as_deref(), patch);
        assert!(!told.is_whole);
        let patch = told.text.unwrap_or_else(|| "[]".to_owned());
        assert!(serde_json::from_str::<serde_json::Value>(&patch).is_ok(), "{patch}");
    }

    #[test]
    fn what_is_another_is_written_by_its_place() {
        check(&[], None);
        check(&[Desk::visit_count(Counter::add(0))], None);
        check(&[Desk::visit_count(Counter::add(2))], Some("[2,\"visitCount\",[1,2]]"));
        let done = Desk::cards(List::apply_to(id(2), Card::done(Atom::set(true))));
        check(
            std::slice::from_ref(&done),
            Some(
                "[2,\"cards\",[3,3,\"00000000-0000-0000-0000-000000000002\",[2,\"done\",[1,true]]]]",
            ),
        );
        check(
            &[Desk::visit_count(Counter::add(2)), Desk::board(Grid::set(1, 1, 9))],
            Some("[2,\"visitCount\",[1,2],\"board\",[2,\"cells\",[6,4,1,[9]]]]"),
        );
        let undone = Desk::cards(List::apply_to(id(2), Card::done(Atom::set(false))));
        check(&[done, undone], None);
    }

    #[test]
    fn what_comes_and_goes_is_written_in_steps() {
        let (one, three) = (id(1).to_string(), id(3).to_string());
        let moved = format!("[2,\"cards\",[3,0,\"{one}\",1,\"{three}\",2,\"{one}\",0]]");
        check(&[Desk::cards(List::move_to(id(1), Place::Last))], Some(&moved));
        check(
            &[
                Desk::seats(Map::remove(1)),
                Desk::seats(Map::insert(2, Atom::new("y".to_owned()))),
                Desk::tags(Set::remove(Some('b'))),
                Desk::tags(Set::insert(Some('a'))),
            ],
            Some("[2,\"seats\",[4,0,1,4,2,2,[1,\"y\"]],\"tags\",[5,0,\"b\",1,null,2,\"a\",0]]"),
        );
    }

    /// By hand, and says nothing of its parts.
    #[derive(Clone, Serialize, Deserialize)]
    struct Plain(u8);

    impl StateMachine for Plain {
        const NAME: &'static str = "plain";
        type Transition = u8;
        type Conflict = NeverConflict;

        fn apply(&mut self, to: &u8, _: &Context) -> Result<(), NeverConflict> {
            self.0 = *to;
            Ok(())
        }
    }

    #[test]
    fn a_machine_that_tells_nothing_is_written_as_a_whole() {
        let patch = Patch::of(|diff| Plain(4).diff(&Plain(3), diff)).unwrap();
        assert_eq!(patch, Patch { text: Some("[1,4]".to_owned()), is_whole: true });
        assert_eq!(patch.text, Patch::new(&Plain(4)).unwrap().text);
    }

    #[test]
    fn what_javascript_cannot_represent_is_told() {
        let (before, after) = (Atom::new(1u64), Atom::new(u64::MAX));
        assert!(Patch::of(|diff| after.diff(&before, diff)).is_err());
    }
}
