mod recording;

use proptest::prelude::*;

use super::*;

const TODO: ColumnId = ColumnId(Uuid::from_u128(1));
const DOING: ColumnId = ColumnId(Uuid::from_u128(2));
const DONE: ColumnId = ColumnId(Uuid::from_u128(3));

/// A card named by a letter.
fn card(letter: char) -> CardId {
    CardId(Uuid::from_u128(u128::from(letter)))
}

fn apply(board: &mut Board, transition: Transition) -> Result<(), Conflict> {
    board.apply(&transition, &Context::for_test())
}

/// The default board with cards in its three columns, one letter each:
/// `"ab|c|"`.
fn board(columns: &str) -> Board {
    let mut board = Board::default();
    for (cards, column) in columns.split('|').zip([TODO, DOING, DONE]) {
        for letter in cards.chars() {
            let title = letter.to_string();
            apply(&mut board, Transition::AddCard { id: card(letter), column, title }).unwrap();
        }
    }
    board
}

/// The columns in order, each as the titles of its cards.
fn shown(board: &Board) -> String {
    let titles = |column: ColumnId| -> String {
        board.cards.iter().filter(|card| card.column == column).map(|c| c.title.as_str()).collect()
    };
    board.columns.iter().map(|column| titles(column.id)).collect::<Vec<_>>().join("|")
}

fn move_card(id: char, from: ColumnId, to: ColumnId, before: Option<char>) -> Transition {
    Transition::MoveCard { id: card(id), from, to, before: before.map(card) }
}

/// What one move makes of a board.
#[track_caller]
fn check_move(start: &str, transition: Transition, expected: &str) {
    let mut board = board(start);
    apply(&mut board, transition).unwrap();
    assert_eq!(shown(&board), expected);
}

#[test]
fn cards_move_within_and_between_columns() {
    check_move("abc||", move_card('c', TODO, TODO, Some('a')), "cab||");
    check_move("abc||", move_card('a', TODO, TODO, None), "bca||");
    check_move("abc||", move_card('a', TODO, TODO, Some('c')), "bac||");
    check_move("abc||", move_card('b', TODO, TODO, Some('b')), "abc||");
    check_move("abc|de|", move_card('b', TODO, DOING, Some('e')), "ac|dbe|");
    check_move("abc|de|", move_card('b', TODO, DOING, None), "ac|deb|");
    check_move("abc|de|", move_card('d', DOING, TODO, Some('a')), "dabc|e|");
    check_move("abc|de|", move_card('d', DOING, DONE, None), "abc|e|d");
}

#[test]
fn a_card_whose_place_is_gone_goes_to_the_bottom() {
    check_move("abc|de|", move_card('b', TODO, DOING, Some('a')), "ac|deb|");
    check_move("abc|de|", move_card('b', TODO, DOING, Some('x')), "ac|deb|");
}

#[test]
fn two_people_drag_the_same_card() {
    let mut board = board("ab||");
    apply(&mut board, move_card('a', TODO, DOING, None)).unwrap();
    assert_eq!(
        apply(&mut board, move_card('a', TODO, DONE, None)),
        Err(Conflict::CardMoved { card: "a".to_owned(), column: "Doing".to_owned() })
    );
    assert_eq!(shown(&board), "b|a|");
}

#[test]
fn two_people_drag_into_the_last_free_place() {
    let mut board = board("ab|cd|");
    apply(&mut board, move_card('a', TODO, DOING, None)).unwrap();
    assert_eq!(
        apply(&mut board, move_card('b', TODO, DOING, None)),
        Err(Conflict::ColumnFull { column: "Doing".to_owned(), limit: 3 })
    );
    assert_eq!(shown(&board), "b|cda|");
    // A full column can still be put in order.
    apply(&mut board, move_card('a', DOING, DOING, Some('c'))).unwrap();
    assert_eq!(shown(&board), "b|acd|");
}

#[test]
fn a_full_column_takes_no_new_card() {
    let mut board = board("|abc|");
    let add = Transition::AddCard { id: card('d'), column: DOING, title: "d".to_owned() };
    assert_eq!(
        apply(&mut board, add),
        Err(Conflict::ColumnFull { column: "Doing".to_owned(), limit: 3 })
    );
}

#[test]
fn a_limit_is_never_below_what_is_there() {
    let mut board = board("abc||");
    let limit = |limit| Transition::LimitColumn { id: TODO, limit };
    assert_eq!(
        apply(&mut board, limit(Some(2))),
        Err(Conflict::LimitBelowCards { column: "To do".to_owned(), cards: 3 })
    );
    assert_eq!(apply(&mut board, limit(Some(0))), Err(Conflict::LimitOutOfRange { max: CARDS }));
    apply(&mut board, limit(Some(3))).unwrap();
    assert_eq!(board.columns[0].limit, Some(3));
    apply(&mut board, limit(None)).unwrap();
    assert_eq!(board.columns[0].limit, None);
}

#[test]
fn columns_are_added_renamed_moved_and_removed() {
    let review = ColumnId(Uuid::from_u128(4));
    let titles =
        |board: &Board| board.columns.iter().map(|c| c.title.clone()).collect::<Vec<_>>().join("|");
    let mut board = board("a||");
    apply(&mut board, Transition::AddColumn { id: review, title: "Check".to_owned() }).unwrap();
    apply(&mut board, Transition::RenameColumn { id: review, title: " Review ".to_owned() })
        .unwrap();
    assert_eq!(titles(&board), "To do|Doing|Done|Review");
    apply(&mut board, Transition::MoveColumn { id: review, before: Some(DONE) }).unwrap();
    assert_eq!(titles(&board), "To do|Doing|Review|Done");
    apply(&mut board, Transition::MoveColumn { id: TODO, before: None }).unwrap();
    assert_eq!(titles(&board), "Doing|Review|Done|To do");
    apply(&mut board, Transition::MoveColumn { id: DONE, before: Some(DONE) }).unwrap();
    assert_eq!(titles(&board), "Doing|Review|Done|To do");
    assert_eq!(
        apply(&mut board, Transition::RemoveColumn { id: TODO }),
        Err(Conflict::ColumnNotEmpty { column: "To do".to_owned(), cards: 1 })
    );
    apply(&mut board, Transition::RemoveColumn { id: review }).unwrap();
    assert_eq!(titles(&board), "Doing|Done|To do");
}

#[test]
fn nobody_overwrites_an_edit_they_have_not_seen() {
    let edit = |revision, title: &str| Transition::EditCard {
        id: card('a'),
        revision,
        title: title.to_owned(),
        notes: "notes".to_owned(),
    };
    let mut board = board("a||");
    apply(&mut board, edit(0, "first")).unwrap();
    assert_eq!(
        apply(&mut board, edit(0, "second")),
        Err(Conflict::CardEdited { card: "first".to_owned() })
    );
    apply(&mut board, edit(1, "third")).unwrap();
    let card = &board.cards[0];
    assert_eq!((card.title.as_str(), card.notes.as_str(), card.revision), ("third", "notes", 2));
}

#[test]
fn what_is_gone_is_refused() {
    let mut board = board("ab||");
    apply(&mut board, Transition::RemoveCard { id: card('a') }).unwrap();
    assert_eq!(
        apply(&mut board, Transition::RemoveCard { id: card('a') }),
        Err(Conflict::NoSuchCard)
    );
    assert_eq!(apply(&mut board, move_card('a', TODO, DONE, None)), Err(Conflict::NoSuchCard));
    apply(&mut board, Transition::RemoveColumn { id: DONE }).unwrap();
    assert_eq!(apply(&mut board, move_card('b', TODO, DONE, None)), Err(Conflict::NoSuchColumn));
}

#[test]
fn everything_has_a_limit() {
    let mut board = board("");
    let add = |number: u32, title: String| Transition::AddCard {
        id: CardId(Uuid::from_u128(number.into())),
        column: TODO,
        title,
    };
    assert_eq!(apply(&mut board, add(1, "  ".to_owned())), Err(Conflict::TitleEmpty));
    assert_eq!(
        apply(&mut board, add(1, "ä".repeat(121))),
        Err(Conflict::TitleTooLong { max: 120 })
    );
    for number in 0..CARDS {
        apply(&mut board, add(number, "ä".repeat(120))).unwrap();
    }
    assert_eq!(
        apply(&mut board, add(CARDS, "one more".to_owned())),
        Err(Conflict::TooManyCards { max: CARDS })
    );
    let notes = "ä".repeat(2_001);
    let edit =
        Transition::EditCard { id: CardId(Uuid::nil()), revision: 0, title: "a".to_owned(), notes };
    assert_eq!(apply(&mut board, edit), Err(Conflict::NotesTooLong { max: 2_000 }));

    let add = |number: u32| Transition::AddColumn {
        id: ColumnId(Uuid::from_u128(number.into())),
        title: "column".to_owned(),
    };
    assert_eq!(apply(&mut board, add(3)), Err(Conflict::RepeatedId));
    for number in 4..=COLUMNS {
        apply(&mut board, add(number)).unwrap();
    }
    assert_eq!(apply(&mut board, add(COLUMNS + 1)), Err(Conflict::TooManyColumns { max: COLUMNS }));
}

fn any_transition() -> impl Strategy<Value = Transition> {
    let card = || (0..20u128).prop_map(|id| CardId(Uuid::from_u128(id)));
    let column = || (1..8u128).prop_map(|id| ColumnId(Uuid::from_u128(id)));
    let title = || "[a-z ]{0,4}";
    prop_oneof![
        1 => (column(), title()).prop_map(|(id, title)| Transition::AddColumn { id, title }),
        1 => (column(), title()).prop_map(|(id, title)| Transition::RenameColumn { id, title }),
        2 => (column(), prop::option::of(0..5u32))
            .prop_map(|(id, limit)| Transition::LimitColumn { id, limit }),
        1 => (column(), prop::option::of(column()))
            .prop_map(|(id, before)| Transition::MoveColumn { id, before }),
        1 => column().prop_map(|id| Transition::RemoveColumn { id }),
        6 => (card(), column(), title())
            .prop_map(|(id, column, title)| Transition::AddCard { id, column, title }),
        1 => (card(), 0..3u32, title(), title()).prop_map(|(id, revision, title, notes)| {
            Transition::EditCard { id, revision, title, notes }
        }),
        12 => (card(), column(), column(), prop::option::of(card()))
            .prop_map(|(id, from, to, before)| Transition::MoveCard { id, from, to, before }),
        1 => card().prop_map(|id| Transition::RemoveCard { id }),
    ]
}

proptest! {
    /// Who submits makes no difference to this machine, so one script stands
    /// for the order in which the server takes what several clients do.
    #[test]
    fn invariants_hold_and_a_refusal_changes_nothing(
        script in prop::collection::vec(any_transition(), 1..200)
    ) {
        let mut board = Board::default();
        for transition in script {
            let before = board.clone();
            let result = apply(&mut board, transition.clone());
            if result.is_err() {
                assert_eq!(board, before);
                continue;
            }
            let mut back = board.clone();
            for inverse in before.inverse(&transition) {
                let taken = apply(&mut back, inverse.clone());
                prop_assert!(taken.is_ok(), "{:?}: {:?}", inverse, taken);
            }
            prop_assert_eq!(seen(&back), seen(&before), "{:?} was taken back", &transition);
            if matches!(transition, Transition::MoveCard { .. }) {
                assert_eq!(ids(&board), ids(&before), "a move loses no card and makes none");
            }
            assert_invariants(&board);
        }
    }
}

/// All that anybody sees of a board: not in which order the cards of different
/// columns came, nor how often one was edited.
fn seen(board: &Board) -> Board {
    let cards = board.cards.iter().map(|card| Card { revision: 0, ..card.clone() });
    let mut cards: Vec<Card> = cards.collect();
    cards.sort_by_key(|card| card.column);
    Board { columns: board.columns.clone(), cards: cards.into() }
}

fn ids(board: &Board) -> Vec<CardId> {
    let mut ids: Vec<_> = board.cards.iter().map(|card| card.id).collect();
    ids.sort();
    ids
}

/// Those of the module's documentation.
fn assert_invariants(board: &Board) {
    let mut cards = ids(board);
    cards.dedup();
    assert_eq!(cards.len(), board.cards.len());
    for card in &board.cards {
        assert!(board.column(card.column).is_ok());
        assert!(!card.title.is_empty());
    }
    for (index, column) in board.columns.iter().enumerate() {
        assert_eq!(board.column_index(column.id), Ok(index));
        assert!(!column.title.is_empty());
        assert!(column.limit.is_none_or(|limit| board.count(column.id) <= limit));
    }
}
