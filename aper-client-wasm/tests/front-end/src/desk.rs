//! What crosses into JavaScript of a derived machine, without a session around
//! it: `npm/tests/patch.spec.ts` looks at it.

use aper::collections::{Atom, Counter, Grid, ItemId, List, Map, Place, Set};
use aper::{Context, StateMachine};
use aper_client_wasm::export::{ByDiff, View, json};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Every collection, some in others.
#[derive(Clone, Debug, Serialize, Deserialize, StateMachine)]
#[serde(rename_all = "camelCase")]
struct Desk {
    card_list: List<Card>,
    visits: Map<String, Counter>,
    seats: Map<(u8, u8), Atom<Option<String>>>,
    tags: Set<u32>,
    board: Grid<u16>,
    #[machine(skip)]
    title: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, StateMachine)]
struct Card {
    text: Atom<String>,
    labels: List<Atom<String>>,
}

/// A desk that is shown.
#[wasm_bindgen]
pub struct Shown {
    desk: Desk,
    view: ByDiff<Desk>,
}

fn id(number: u32) -> ItemId {
    ItemId::from_u128(number.into())
}

fn card(text: &str) -> Card {
    let label = |number: u32| (id(number), Atom::new(format!("label {number}")));
    let labels = List::try_from_iter((0..2).map(label)).unwrap_or_default();
    Card { text: Atom::new(text.to_owned()), labels }
}

#[wasm_bindgen]
impl Shown {
    /// With so many of everything.
    #[wasm_bindgen(constructor)]
    pub fn new(count: u32) -> Self {
        let cards = (0..count).map(|number| (id(number), card(&format!("card {number}"))));
        let seat = |number: u8| ((number, number), Atom::new(None));
        let desk = Desk {
            card_list: List::try_from_iter(cards).unwrap_or_default(),
            visits: (0..count).map(|number| (format!("{number}"), Counter::default())).collect(),
            seats: (0..9).map(seat).collect(),
            tags: (0..count).map(|number| number * 2).collect(),
            board: Grid::from_cells(count, 1, std::iter::repeat_n(0, count as usize))
                .unwrap_or_else(|_| Grid::from_cells(0, 0, []).expect("nothing is a size")),
            title: "a desk".to_owned(),
        };
        Self { desk, view: ByDiff::default() }
    }

    /// What is another since this was asked last.
    pub fn changes(&mut self) -> JsValue {
        self.view.show(&self.desk).ok().flatten().unwrap_or_default()
    }

    /// The state as it is.
    pub fn whole(&self) -> JsValue {
        json(&self.desk).unwrap_or_default()
    }

    /// What a joiner gets: the same, that shares nothing.
    pub fn join(&mut self, whole: &str) {
        if let Ok(desk) = serde_json::from_str(whole) {
            self.desk = desk;
        }
    }

    /// One change of a kind, at a place; false if it is refused.
    pub fn change(&mut self, kind: u32, at: u32, to: u32) -> bool {
        let seat = ((at % 12) as u8, (at % 12) as u8);
        let place = if to == at { Place::First } else { Place::After(id(to)) };
        let transition = match kind {
            0 => Desk::card_list(List::apply_to(id(at), Card::text(Atom::set(format!("{to}"))))),
            1 => Desk::card_list(List::insert(id(at), place, card("new"))),
            2 => Desk::card_list(List::move_to(id(at), place)),
            3 => Desk::card_list(List::remove(id(at))),
            4 => Desk::card_list(List::apply_to(
                id(at),
                Card::labels(List::move_to(id(1), Place::First)),
            )),
            5 => Desk::visits(Map::insert(format!("{at}"), Counter::default())),
            6 => Desk::visits(Map::remove(format!("{at}"))),
            7 => Desk::visits(Map::apply_to(format!("{at}"), Counter::set(to.into()))),
            8 => Desk::seats(Map::insert(seat, Atom::new(Some(format!("{to}"))))),
            9 => Desk::seats(Map::remove(seat)),
            10 => Desk::tags(Set::insert(at)),
            11 => Desk::tags(Set::remove(at)),
            _ => Desk::board(Grid::set(at, 0, (to % 1000) as u16)),
        };
        self.desk.apply(&transition, &Context::for_test()).is_ok()
    }
}
