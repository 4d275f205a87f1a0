use proptest::prelude::*;

use super::*;

const ADA: ClientId = ClientId(1);
const BEN: ClientId = ClientId(2);
const CY: ClientId = ClientId(3);

fn cx(client: ClientId, seconds: u64) -> Context {
    Context::for_test().by(client).at(Timestamp::from_millis(seconds * 1000))
}

/// A table and a clock, so that a test reads as what people do.
struct Table {
    state: DropFour,
    seconds: u64,
}

impl Table {
    /// Ada plays red and Ben yellow.
    fn of_two() -> Self {
        let mut table = Self { state: DropFour::default(), seconds: 0 };
        table.sit(ADA, Color::Red, "Ada").unwrap();
        table.sit(BEN, Color::Yellow, "Ben").unwrap();
        table
    }

    /// Applies to a copy, as the library does, and keeps it when accepted.
    fn try_apply(&mut self, client: ClientId, transition: Transition) -> Result<(), Conflict> {
        let mut next = self.state.clone();
        next.apply(&transition, &cx(client, self.seconds))?;
        self.state = next;
        Ok(())
    }

    fn sit(&mut self, client: ClientId, color: Color, name: &str) -> Result<(), Conflict> {
        self.try_apply(client, Transition::TakeSeat { color, name: name.to_owned() })
    }

    fn drop(&mut self, client: ClientId, column: u8) -> Result<(), Conflict> {
        self.try_apply(client, Transition::Drop { column })
    }

    /// Ada and Ben drop by turns, Ada first, into the columns of the digits.
    fn play(&mut self, columns: &str) {
        for (column, &client) in columns.bytes().zip([ADA, BEN].iter().cycle()) {
            self.drop(client, column - b'0').unwrap();
        }
    }

    /// What the server does when somebody comes or goes.
    fn connection(&mut self, event: ClientEvent) {
        if let Some(transition) = self.state.on_client(&event) {
            self.try_apply(ClientId::SERVER, transition).unwrap();
        }
    }

    fn leaves(&mut self, client: ClientId) {
        self.connection(ClientEvent::Left { client, user: None });
    }

    fn comes(&mut self, client: ClientId) {
        self.connection(ClientEvent::Joined { client, user: None });
    }
}

#[test]
fn red_wins_with_four_in_a_row() {
    let mut table = Table::of_two();
    table.play("0011223");
    let Some(Ending::Won { color, cells }) = &table.state.ending else { panic!("nobody won") };
    assert_eq!((*color, cells.len()), (Color::Red, 4));
    assert_eq!(table.state.red.as_ref().unwrap().wins, 1);
    assert_eq!(table.drop(BEN, 5), Err(Conflict::GameOver));
}

#[test]
fn turns_are_enforced() {
    let mut table = Table::of_two();
    assert_eq!(table.drop(BEN, 0), Err(Conflict::NotYourTurn));
    table.drop(ADA, 0).unwrap();
    assert_eq!(table.drop(ADA, 0), Err(Conflict::NotYourTurn));
    assert_eq!(table.drop(CY, 0), Err(Conflict::NotSeated));
    table.drop(BEN, 0).unwrap();
}

#[test]
fn a_disc_needs_room_and_an_opponent() {
    let mut table = Table::of_two();
    table.play("333333");
    assert_eq!(table.drop(ADA, 3), Err(Conflict::ColumnFull));
    assert_eq!(table.drop(ADA, 7), Err(Conflict::NoSuchColumn));
    table.try_apply(BEN, Transition::LeaveSeat).unwrap();
    assert_eq!(table.drop(ADA, 0), Err(Conflict::NoOpponent));
}

#[test]
fn a_full_board_without_four_in_a_row_is_a_draw() {
    let mut table = Table::of_two();
    // Three columns at a time so that no four of a colour meet.
    table.play("010101101010232323323232454545545454");
    assert_eq!(table.state.ending, None);
    table.play("666666");
    assert_eq!(table.state.ending, Some(Ending::Draw));
}

#[test]
fn the_opener_alternates_from_game_to_game() {
    let mut table = Table::of_two();
    assert_eq!(table.try_apply(ADA, Transition::Rematch), Err(Conflict::GameNotOver));
    table.play("0011223");
    assert_eq!(table.try_apply(CY, Transition::Rematch), Err(Conflict::NotSeated));
    table.try_apply(ADA, Transition::Rematch).unwrap();
    let state = &table.state;
    assert_eq!((state.turn, state.opener, state.game), (Color::Yellow, Color::Yellow, 2));
    assert_eq!((&state.board, &state.ending, state.last), (&Board::default(), &None, None));
    assert_eq!(state.red.as_ref().unwrap().wins, 1);
    // Both press the button: the second finds a game that has begun.
    assert_eq!(table.try_apply(BEN, Transition::Rematch), Err(Conflict::GameNotOver));
}

#[test]
fn a_seat_is_for_one_client() {
    let mut table = Table::of_two();
    assert_eq!(
        table.sit(CY, Color::Red, "Cy"),
        Err(Conflict::SeatTaken { name: "Ada".to_owned() })
    );
    assert_eq!(table.sit(ADA, Color::Yellow, "Ada"), Err(Conflict::AlreadySeated));
    assert_eq!(table.try_apply(CY, Transition::LeaveSeat), Err(Conflict::NotSeated));
}

#[test]
fn names_are_trimmed_and_bounded() {
    let mut table = Table { state: DropFour::default(), seconds: 0 };
    assert_eq!(table.sit(ADA, Color::Red, " \t"), Err(Conflict::NameEmpty));
    assert_eq!(table.sit(ADA, Color::Red, &"ä".repeat(21)), Err(Conflict::NameTooLong { max: 20 }));
    table.sit(ADA, Color::Red, &format!("  {} ", "ä".repeat(20))).unwrap();
    assert_eq!(table.state.red.unwrap().name, "ä".repeat(20));
}

#[test]
fn a_player_who_leaves_and_returns_keeps_the_seat() {
    let mut table = Table::of_two();
    table.play("33");
    table.seconds = 10;
    table.leaves(ADA);
    assert_eq!(table.state.red.as_ref().unwrap().away_since, Some(Timestamp::from_millis(10_000)));
    table.seconds = 1_000;
    table.comes(ADA);
    assert_eq!(table.state.red.as_ref().unwrap().away_since, None);
    table.drop(ADA, 3).unwrap();
}

#[test]
fn the_seat_of_somebody_away_is_held_for_a_minute() {
    let mut table = Table::of_two();
    table.play("3");
    table.seconds = 10;
    table.leaves(BEN);
    table.seconds = 69;
    assert_eq!(
        table.sit(CY, Color::Yellow, "Cy"),
        Err(Conflict::SeatHeld { name: "Ben".to_owned(), until: Timestamp::from_millis(70_000) })
    );
    table.seconds = 70;
    table.sit(CY, Color::Yellow, "Cy").unwrap();
    table.drop(CY, 3).unwrap();
    // Ben comes back as a spectator.
    table.comes(BEN);
    assert_eq!(table.drop(BEN, 3), Err(Conflict::NotSeated));
}

#[test]
fn an_empty_table_is_cleared_for_who_comes_next() {
    let mut table = Table::of_two();
    table.play("0011223");
    table.try_apply(ADA, Transition::LeaveSeat).unwrap();
    table.sit(CY, Color::Red, "Cy").unwrap();
    assert!(table.state.ending.is_some(), "Ben still sits before the finished game");
    table.try_apply(CY, Transition::LeaveSeat).unwrap();
    table.try_apply(BEN, Transition::LeaveSeat).unwrap();
    table.sit(CY, Color::Yellow, "Cy").unwrap();
    assert_eq!(table.state.board, Board::default());
    assert_eq!((table.state.ending, table.state.game), (None, 1));
}

#[test]
fn only_the_server_says_who_is_here() {
    let mut table = Table::of_two();
    assert_eq!(table.try_apply(ADA, Transition::Away { client: BEN }), Err(Conflict::ServerOnly));
    assert_eq!(table.try_apply(BEN, Transition::Back { client: BEN }), Err(Conflict::ServerOnly));
}

#[test]
fn a_spectator_who_comes_and_goes_changes_nothing() {
    let table = Table::of_two();
    assert_eq!(table.state.on_client(&ClientEvent::Joined { client: CY, user: None }), None);
    assert_eq!(table.state.on_client(&ClientEvent::Left { client: CY, user: None }), None);
    assert_eq!(table.state.on_client(&ClientEvent::Joined { client: ADA, user: None }), None);
}

fn any_transition() -> impl Strategy<Value = Transition> {
    let color = prop_oneof![Just(Color::Red), Just(Color::Yellow)];
    prop_oneof![
        3 => color.prop_map(|color| Transition::TakeSeat { color, name: "Somebody".to_owned() }),
        1 => Just(Transition::LeaveSeat),
        40 => (0..8u8).prop_map(|column| Transition::Drop { column }),
        3 => Just(Transition::Rematch),
        1 => (1..4u64).prop_map(|id| Transition::Away { client: ClientId(id) }),
        1 => (1..4u64).prop_map(|id| Transition::Back { client: ClientId(id) }),
    ]
}

proptest! {
    #[test]
    fn invariants_hold_whatever_three_clients_do(
        script in prop::collection::vec((0..4u64, any_transition(), 0..40u64), 1..200)
    ) {
        let mut table = Table { state: DropFour::default(), seconds: 0 };
        for (client, transition, pause) in script {
            table.seconds += pause;
            let _ = table.try_apply(ClientId(client), transition);
            assert_invariants(&table.state);
        }
    }
}

/// Those of the module's documentation.
fn assert_invariants(state: &DropFour) {
    if let (Some(red), Some(yellow)) = (&state.red, &state.yellow) {
        assert_ne!(red.client, yellow.client);
    }
    let places =
        (0..COLUMNS as u8).flat_map(|column| (0..ROWS as u8).map(move |row| Cell { column, row }));
    let count = |color| places.clone().filter(|&cell| state.board.get(cell) == Some(color)).count();
    let ahead = count(state.opener) - count(state.opener.other());
    assert!(ahead <= 1);
    let to_move = if ahead == 0 { state.opener } else { state.opener.other() };
    assert_eq!(state.turn, to_move);

    let won = places.clone().any(|cell| !state.board.lines_through(cell).is_empty());
    match &state.ending {
        Some(Ending::Won { color, cells }) => {
            assert!(won && cells.len() >= IN_A_ROW);
            assert!(cells.iter().all(|&cell| state.board.get(cell) == Some(*color)));
        }
        Some(Ending::Draw) => assert!(!won && state.board.is_full()),
        None => assert!(!won && !state.board.is_full()),
    }
}
