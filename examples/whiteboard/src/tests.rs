//! What a whiteboard does and refuses, and its invariants under any transitions.

use std::collections::BTreeSet;

use aper::limits::PRESENCE_BYTES;
use aper::protocol::encode;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn id(number: u128) -> ElementId {
    ElementId(Uuid::from_u128(number))
}

fn point(x: i32, y: i32) -> Point {
    Point { x, y }
}

fn rectangle(x: i32, y: i32) -> Shape {
    Shape::Rectangle(Frame { from: point(x, y), to: point(x + 10, y + 10) })
}

fn draw(number: u128, shape: Shape) -> Transition {
    Transition::Draw { id: id(number), shape, color: Color::Ink }
}

fn board(transitions: &[Transition]) -> Whiteboard {
    let mut board = Whiteboard::default();
    for transition in transitions {
        assert_eq!(apply(&mut board, transition), Ok(()));
    }
    board
}

fn apply(board: &mut Whiteboard, transition: &Transition) -> Result<(), Conflict> {
    board.apply(transition, &Context::for_test())
}

fn ids(board: &Whiteboard) -> Vec<ElementId> {
    board.elements.iter().map(|element| element.id).collect()
}

#[test]
fn what_is_drawn_last_is_in_front_until_another_is_raised() {
    let mut board = board(&[draw(1, rectangle(0, 0)), draw(2, rectangle(5, 5))]);
    assert_eq!(ids(&board), [id(1), id(2)]);
    apply(&mut board, &Transition::Raise { id: id(1) }).unwrap();
    assert_eq!(ids(&board), [id(2), id(1)]);
}

#[test]
fn two_moves_at_once_are_both_made() {
    let mut board = board(&[draw(1, rectangle(0, 0))]);
    for by in [point(10, 0), point(0, -7)] {
        apply(&mut board, &Transition::Move { id: id(1), by }).unwrap();
    }
    assert_eq!(board.elements[0].shape, rectangle(10, -7));
}

#[test]
fn an_element_has_another_colour_and_goes() {
    let mut board = board(&[draw(1, Shape::Stroke(vec![point(1, 2)]))]);
    apply(&mut board, &Transition::Recolor { id: id(1), color: Color::Red }).unwrap();
    assert_eq!(board.elements[0].color, Color::Red);
    apply(&mut board, &Transition::Erase { id: id(1) }).unwrap();
    assert_eq!(board, Whiteboard::default());
}

#[test]
fn each_refusal_has_its_reason_and_changes_nothing() {
    let before = board(&[draw(1, rectangle(FAR - 10, 0))]);
    let beyond = Conflict::BeyondTheEdge { far: FAR };
    let count = Conflict::PointCount { max: POINTS };
    let many = vec![Point::default(); POINTS as usize + 1];
    let cases = [
        (draw(1, rectangle(0, 0)), Conflict::RepeatedId),
        (draw(2, rectangle(FAR, 0)), beyond),
        (draw(2, rectangle(0, i32::MIN)), beyond),
        (draw(2, Shape::Stroke(vec![])), count),
        (draw(2, Shape::Stroke(many)), count),
        (Transition::Move { id: id(1), by: point(1, 0) }, beyond),
        (Transition::Move { id: id(1), by: point(i32::MAX, 0) }, beyond),
        (Transition::Move { id: id(9), by: point(1, 0) }, Conflict::NoSuchElement),
        (Transition::Recolor { id: id(9), color: Color::Red }, Conflict::NoSuchElement),
        (Transition::Raise { id: id(9) }, Conflict::NoSuchElement),
        (Transition::Erase { id: id(9) }, Conflict::NoSuchElement),
    ];
    for (transition, conflict) in cases {
        let mut board = before.clone();
        assert_eq!(apply(&mut board, &transition), Err(conflict), "{transition:?}");
        assert_eq!(board, before);
    }
}

#[test]
fn a_board_takes_so_many_elements_and_no_more() {
    let most = u128::from(ELEMENTS);
    let all: Vec<_> = (0..most).map(|number| draw(number, rectangle(0, 0))).collect();
    let mut board = board(&all);
    let refused = apply(&mut board, &draw(most, rectangle(0, 0)));
    assert_eq!(refused, Err(Conflict::BoardFull { max: ELEMENTS }));
}

/// What a page shows at most: a name of 40 characters, and the end of a stroke
/// of 300 points.
#[test]
fn all_that_a_page_shows_is_short_enough() {
    let stroke = vec![point(-FAR, FAR); 300];
    let pointer = Pointer {
        name: "ü".repeat(40),
        at: Some(point(FAR, FAR)),
        selected: Some(id(u128::MAX)),
        dragged: Some(point(-FAR, -FAR)),
        drawing: Some(Shape::Stroke(stroke)),
        color: Color::Violet,
    };
    assert!(encode(&pointer).unwrap().len() <= PRESENCE_BYTES);
}

fn any_point() -> impl Strategy<Value = Point> {
    let near = (-20..20, -20..20).prop_map(|(x, y)| point(x, y));
    prop_oneof![
        8 => near,
        1 => (any::<i32>(), any::<i32>()).prop_map(|(x, y)| point(x, y)),
    ]
}

fn any_shape() -> impl Strategy<Value = Shape> {
    let frame = || (any_point(), any_point()).prop_map(|(from, to)| Frame { from, to });
    prop_oneof![
        frame().prop_map(Shape::Rectangle),
        frame().prop_map(Shape::Ellipse),
        prop::collection::vec(any_point(), 0..8).prop_map(Shape::Stroke),
    ]
}

fn any_transition() -> impl Strategy<Value = Transition> {
    let id = || (0..6_u128).prop_map(id);
    prop_oneof![
        3 => (id(), any_shape()).prop_map(|(id, shape)| {
            Transition::Draw { id, shape, color: Color::Ink }
        }),
        3 => (id(), any_point()).prop_map(|(id, by)| Transition::Move { id, by }),
        1 => id().prop_map(|id| Transition::Recolor { id, color: Color::Blue }),
        1 => id().prop_map(|id| Transition::Raise { id }),
        1 => id().prop_map(|id| Transition::Erase { id }),
    ]
}

/// Without their order, which an erased element does not find again.
fn by_id(board: &Whiteboard) -> Vec<Element> {
    let mut elements: Vec<_> = board.elements.iter().cloned().collect();
    elements.sort_by_key(|element| element.id);
    elements
}

fn points(shape: &Shape) -> Vec<Point> {
    match shape {
        Shape::Rectangle(frame) | Shape::Ellipse(frame) => vec![frame.from, frame.to],
        Shape::Stroke(points) => points.clone(),
    }
}

proptest! {
    #[test]
    fn the_invariants_hold_whatever_happens(
        transitions in prop::collection::vec(any_transition(), 0..60)
    ) {
        let mut board = Whiteboard::default();
        for (number, transition) in transitions.iter().enumerate() {
            let before = board.clone();
            if apply(&mut board, transition).is_err() {
                prop_assert_eq!(&board, &before);
            } else if !matches!(transition, Transition::Raise { .. }) {
                let mut back = board.clone();
                for inverse in before.inverse(transition) {
                    prop_assert_eq!(apply(&mut back, &inverse), Ok(()));
                }
                prop_assert_eq!(by_id(&back), by_id(&before), "{:?} was taken back", transition);
            }
            let next = transitions.get(number + 1);
            if let Some(merged) = next.and_then(|next| Whiteboard::merge(transition, next)) {
                let (mut one, mut both) = (before.clone(), board.clone());
                if board != before && apply(&mut both, next.unwrap()).is_ok() {
                    prop_assert_eq!(apply(&mut one, &merged), Ok(()));
                    prop_assert_eq!(one, both);
                }
            }
            let distinct: BTreeSet<_> = ids(&board).into_iter().collect();
            prop_assert_eq!(distinct.len(), board.elements.len());
            let all = board.elements.iter().flat_map(|element| points(&element.shape));
            for Point { x, y } in all {
                prop_assert!((-FAR..=FAR).contains(&x) && (-FAR..=FAR).contains(&y));
            }
        }
    }
}
