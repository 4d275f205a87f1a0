use proptest::prelude::*;

use super::*;
use crate::collections::testing::{Spoiled, check, check_inverses, decode, encode, json};
use crate::collections::{Atom, Counter};

type Numbers = List<Atom<u8>>;

#[test]
fn in_javascript_it_is_an_array_of_items() {
    let list = numbers(&[7]);
    assert_eq!(json(&list), r#"[{"id":"00000000-0000-0000-0000-000000000007","value":7}]"#);
    assert_eq!(
        json(&Numbers::insert(id(7), Place::Before(id(1)), Atom::new(2))),
        r#"{"Insert":{"id":"00000000-0000-0000-0000-000000000007","place":{"Before":"00000000-0000-0000-0000-000000000001"},"value":2}}"#
    );
    assert_eq!(
        json(&Numbers::move_to(id(7), Place::First)),
        r#"{"Move":{"id":"00000000-0000-0000-0000-000000000007","place":"First"}}"#
    );
}

#[test]
fn an_id_takes_sixteen_bytes() {
    assert_eq!(encode(&id(7)), id(7).as_u128().to_be_bytes());
    // A count, and for each item an id and a byte.
    assert_eq!(encode(&numbers(&[1, 2, 3])).len(), 1 + 3 * (16 + 1));
}

#[test]
fn an_id_twice_is_no_state() {
    let twice = || [(id(1), Counter::default()), (id(1), Counter::default())];
    assert_eq!(List::try_from_iter(twice()), Err(RepeatedItem(id(1))));
    assert!(decode::<List<Counter>>(&encode(&twice().to_vec())).is_err());
    let text = json(&numbers(&[1]));
    let text = format!("[{0},{0}]", text.trim_matches(['[', ']']));
    assert!(serde_json::from_str::<Numbers>(&text).is_err());
}

#[test]
fn two_moves_into_one_gap_lose_neither() {
    let moves = [3, 4].map(|which| Numbers::move_to(id(which), Place::After(id(1))));
    let (list, refused) = check(&numbers(&[1, 2, 3, 4]), &moves);
    assert_eq!((order(&list), refused), (vec![1, 4, 3, 2], 0));
}

#[test]
fn an_item_that_moves_to_where_it_is_stays() {
    let places =
        [Place::Before(id(2)), Place::After(id(2)), Place::After(id(1)), Place::Before(id(3))];
    let moves = places.map(|place| Numbers::move_to(id(2), place));
    let (list, refused) = check(&numbers(&[1, 2, 3]), &moves);
    assert_eq!((order(&list), refused), (vec![1, 2, 3], 0));
}

#[test]
fn a_conflict_names_the_item_that_is_the_reason() {
    #[track_caller]
    fn refused(transition: ListTransition<Atom<u8>>, conflict: &str) {
        let mut list = numbers(&[1, 2]);
        let answer = list.apply(&transition, &Context::for_test()).map_err(|c| c.to_string());
        assert_eq!(answer, Err(conflict.to_owned()));
        check(&numbers(&[1, 2]), &[transition]);
    }
    let repeated = "there is an item 00000000-0000-0000-0000-000000000002 already";
    let missing = |id| format!("there is no item 00000000-0000-0000-0000-00000000000{id}");
    refused(List::insert(id(2), Place::First, Atom::new(0)), repeated);
    refused(List::insert(id(2), Place::After(id(9)), Atom::new(0)), repeated);
    refused(List::insert(id(3), Place::After(id(9)), Atom::new(0)), &missing(9));
    refused(List::insert(id(3), Place::After(id(3)), Atom::new(0)), &missing(3));
    refused(List::move_to(id(8), Place::Before(id(9))), &missing(8));
    refused(List::move_to(id(8), Place::Before(id(8))), &missing(8));
    refused(List::move_to(id(1), Place::Before(id(9))), &missing(9));
    refused(List::remove(id(8)), &missing(8));
    refused(List::apply_to(id(8), Atom::set(0)), &missing(8));
}

#[test]
fn an_item_that_is_not_atomic_is_not_left_half_changed() {
    let list = List::try_from_iter([(id(1), Spoiled::default())]).unwrap();
    let script = [false, true].map(|accept| List::apply_to(id(1), accept));
    assert_eq!(list.predict(&script[0]), Prediction::Wait);
    let (list, refused) = check(&list, &script);
    assert_eq!((list.get(id(1)).unwrap().changes, refused), (1, 1));
    const { assert!(!List::<Spoiled>::ATOMIC && List::<Counter>::ATOMIC) };
}

#[test]
fn lists_nest() {
    let board: List<Numbers> =
        List::try_from_iter([(id(1), numbers(&[5])), (id(2), numbers(&[]))]).unwrap();
    let inner = |list, transition| List::apply_to(id(list), transition);
    let script = [
        inner(1, List::apply_to(id(5), Atom::set(9))),
        inner(2, List::insert(id(6), Place::Last, Atom::new(6))),
        inner(2, List::remove(id(5))),
    ];
    let (board, refused) = check(&board, &script);
    assert_eq!(board.get(id(1)).and_then(|list| list.get(id(5))), Some(&Atom::new(9)));
    assert_eq!((board.get(id(2)).map(order), refused), (Some(vec![6]), 1));
}

#[test]
fn what_is_encoded_does_not_depend_on_what_was() {
    let mut list = numbers(&[1, 2, 3, 4]);
    let fresh = encode(&list);
    for round in 0..10_000 {
        // Always the last of the four to right after the first.
        let (last, _) = list.last().unwrap();
        let place =
            if round % 4 == 3 { Place::First } else { Place::After(list.first().unwrap().0) };
        list.apply(&List::move_to(last, place), &Context::for_test()).unwrap();
    }
    assert_eq!(encode(&list).len(), fresh.len());
    let mut places = [1, 2, 3, 4];
    places.sort_by_key(|&number| list.position(id(number)));
    assert_eq!(encode(&list), encode(&numbers(&places)));
    assert_eq!(list, numbers(&places));
}

#[test]
fn a_hundred_thousand_insertions_into_one_gap() {
    let mut list: List<Counter> = List::new();
    let cx = Context::for_test();
    let mut insert = |number: u128, place| {
        let insert = List::insert(ItemId::from_u128(number), place, Counter::default());
        list.apply(&insert, &cx).unwrap();
    };
    let (first, last) = (u128::MAX - 1, u128::MAX);
    insert(first, Place::First);
    insert(last, Place::Last);
    for number in 0..100_000 {
        insert(number, Place::After(ItemId::from_u128(first)));
    }
    let expected = std::iter::once(first).chain((0..100_000).rev()).chain([last]);
    assert!(list.ids().map(ItemId::as_u128).eq(expected));
}

proptest! {
    #[test]
    fn it_is_a_vector_with_names(script in prop::collection::vec(transition(), 0..80)) {
        let mut model: Vec<(u8, u8)> = Vec::new();
        let refusals =
            script.iter().filter(|transition| apply_to_model(&mut model, transition).is_none()).count();
        let (list, refused) = check(&Numbers::new(), &script);
        check_inverses(&Numbers::new(), &script);
        prop_assert_eq!(refused, refusals);
        prop_assert!(list.iter().eq(
            model.iter().map(|&(n, value)| (id(n), Atom::new(value))).collect::<Vec<_>>().iter()
                .map(|(id, value)| (*id, value))
        ));
        for (index, &(n, _)) in model.iter().enumerate() {
            prop_assert_eq!(list.position(id(n)), Some(index));
            prop_assert_eq!(list.nth(index), list.get(id(n)).map(|value| (id(n), value)));
            prop_assert_eq!(list.next(id(n)), list.nth(index + 1));
            let previous = index.checked_sub(1).and_then(|index| list.nth(index));
            prop_assert_eq!(list.previous(id(n)), previous);
        }
        prop_assert_eq!(list.nth(model.len()), None);
    }
}

/// `None` when the list must refuse.
fn apply_to_model(model: &mut Vec<(u8, u8)>, transition: &ListTransition<Atom<u8>>) -> Option<()> {
    let find = |model: &[(u8, u8)], which: ItemId| model.iter().position(|&(n, _)| id(n) == which);
    let index_of = |model: &[(u8, u8)], place| {
        Some(match place {
            Place::First => 0,
            Place::Last => model.len(),
            Place::Before(anchor) => find(model, anchor)?,
            Place::After(anchor) => find(model, anchor)? + 1,
        })
    };
    match transition {
        ListTransition::Insert { id, place, value } => {
            if find(model, *id).is_some() {
                return None;
            }
            let index = index_of(model, *place)?;
            model.insert(index, (u8::try_from(id.as_u128()).unwrap(), *value.get()));
        }
        ListTransition::Move { id, place } => {
            let from = find(model, *id)?;
            let mut to = index_of(model, *place)?;
            if matches!(place, Place::Before(anchor) | Place::After(anchor) if anchor == id) {
                to = from;
            } else if to > from {
                to -= 1;
            }
            let item = model.remove(from);
            model.insert(to, item);
        }
        ListTransition::Remove { id } => {
            model.remove(find(model, *id)?);
        }
        ListTransition::Apply { id, transition } => {
            let index = find(model, *id)?;
            let crate::collections::AtomTransition::Set(value) = transition;
            model[index].1 = *value;
        }
    }
    Some(())
}

fn transition() -> impl Strategy<Value = ListTransition<Atom<u8>>> {
    let any_id = || (0..10u8).prop_map(id);
    let place = move || {
        prop_oneof![
            Just(Place::First),
            Just(Place::Last),
            any_id().prop_map(Place::Before),
            any_id().prop_map(Place::After),
        ]
    };
    prop_oneof![
        3 => (any_id(), place(), any::<u8>())
            .prop_map(|(id, place, value)| List::insert(id, place, Atom::new(value))),
        3 => (any_id(), place()).prop_map(|(id, place)| List::move_to(id, place)),
        1 => any_id().prop_map(List::remove),
        1 => (any_id(), any::<u8>()).prop_map(|(id, value)| List::apply_to(id, Atom::set(value))),
    ]
}

fn id(number: u8) -> ItemId {
    ItemId::from_u128(number.into())
}

fn numbers(numbers: &[u8]) -> Numbers {
    List::try_from_iter(numbers.iter().map(|&n| (id(n), Atom::new(n)))).unwrap()
}

fn order(list: &Numbers) -> Vec<u128> {
    list.ids().map(ItemId::as_u128).collect()
}
