//! Four in a row for two players and any number of spectators.
//!
//! The rules are in the machine, so nobody can break them, whatever a page
//! does: who may move, when, where, and when the game is over. A page shows
//! what the state says and sends what its user wants.
//!
//! - A **seat** belongs to the client that took it until that client gives it
//!   up. Closing the window is not giving it up: the player is *away*, and
//!   finds the seat as they left it. Only after [`AWAY_TOO_LONG`] may somebody
//!   else take it, and play on.
//! - **Somebody new at an empty table** (nobody in either seat) finds an empty
//!   board.
//! - **After the end** either player can ask for the next game. Red opens the
//!   first game, yellow the second, and so on by turns.
//!
//! Invariants: a client has at most one seat; red and yellow have dropped
//! equally many discs, or the opener one more; a game with a line of four has
//! an [`Ending`], and nothing is dropped after it.

mod board;

use std::time::Duration;

use aper::{ClientEvent, ClientId, Context, StateMachine, Timestamp};
use serde::{Deserialize, Serialize};

pub use board::{Board, COLUMNS, CannotDrop, Cell, Color, IN_A_ROW, ROWS};

/// Longest name of a player, in characters.
pub const NAME_CHARS: u32 = 20;

/// Time after which the seat of a player who is away may be taken.
pub const AWAY_TOO_LONG: Duration = Duration::from_secs(60);

/// The table: two seats, a board, and whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct DropFour {
    /// Who plays red.
    pub red: Option<Seat>,
    /// Who plays yellow.
    pub yellow: Option<Seat>,
    /// Each column from the left as a pile of discs from the bottom.
    pub board: Board,
    /// Who may drop the next disc, while the game is not over.
    pub turn: Color,
    /// Who dropped, or drops, the first disc of this game.
    pub opener: Color,
    /// Where the last disc came to lie.
    pub last: Option<Cell>,
    /// How the game ended; `None` while it goes on.
    pub ending: Option<Ending>,
    /// Which game this is, from 1.
    pub game: u32,
}

/// A player in a seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Seat {
    /// Whose it is.
    pub client: ClientId,
    /// The name they gave.
    pub name: String,
    /// How many games they have won in this seat.
    pub wins: u32,
    /// Since when they are away; `None` while they are here.
    pub away_since: Option<Timestamp>,
}

/// How a game ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Ending {
    /// Four in a row, or more.
    Won {
        /// Whose.
        color: Color,
        /// The winning places, the one that decided it first.
        cells: Vec<Cell>,
    },
    /// The board is full and nobody has four in a row.
    Draw,
}

/// What can happen at the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Transition {
    /// Sit down in a free seat, or in one whose player is away too long.
    TakeSeat {
        /// Which.
        color: Color,
        /// Under what name: 1 to [`NAME_CHARS`] characters.
        name: String,
    },
    /// Give the seat up.
    LeaveSeat,
    /// Drop a disc.
    Drop {
        /// Into which column, from 0 at the left.
        column: u8,
    },
    /// Begin the next game.
    Rematch,
    /// A player's connection is gone. Only the server says so.
    Away {
        /// Whose.
        client: ClientId,
    },
    /// A player is here again. Only the server says so.
    Back {
        /// Who.
        client: ClientId,
    },
}

/// Why something did not happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Conflict {
    /// Only a player can do this.
    #[error("you are watching: take a seat to play")]
    NotSeated,
    /// One client cannot play both colours.
    #[error("you already have a seat")]
    AlreadySeated,
    /// Somebody else sits there.
    #[error("{name} has that seat")]
    SeatTaken {
        /// Who.
        name: String,
    },
    /// Somebody else has the seat and is away, but not for long.
    #[error("{name} is away and keeps the seat for a minute")]
    SeatHeld {
        /// Who.
        name: String,
        /// When the seat may be taken, if they have not come back.
        until: Timestamp,
    },
    /// A name has at least one character that is not a space.
    #[error("a player needs a name")]
    NameEmpty,
    /// A name has to fit.
    #[error("a name has at most {max} characters")]
    NameTooLong {
        /// [`NAME_CHARS`].
        max: u32,
    },
    /// Nobody sits opposite.
    #[error("nobody has taken the other seat yet")]
    NoOpponent,
    /// It is the other player's turn.
    #[error("it is not your turn")]
    NotYourTurn,
    /// The board has no such column.
    #[error("there is no such column")]
    NoSuchColumn,
    /// The column has no room.
    #[error("that column is full")]
    ColumnFull,
    /// Nothing is dropped after the end.
    #[error("the game is over")]
    GameOver,
    /// A game that goes on cannot be begun anew.
    #[error("the game is not over yet")]
    GameNotOver,
    /// Only the server says who is here and who is not.
    #[error("only the server can say who is here")]
    ServerOnly,
}

impl Default for DropFour {
    fn default() -> Self {
        Self {
            red: None,
            yellow: None,
            board: Board::default(),
            turn: Color::Red,
            opener: Color::Red,
            last: None,
            ending: None,
            game: 1,
        }
    }
}

impl StateMachine for DropFour {
    const NAME: &'static str = "drop-four";
    type Transition = Transition;
    type Conflict = Conflict;

    fn apply(&mut self, transition: &Transition, cx: &Context) -> Result<(), Conflict> {
        match transition {
            Transition::TakeSeat { color, name } => self.take_seat(*color, name, cx),
            Transition::LeaveSeat => self.leave_seat(cx.client()),
            Transition::Drop { column } => self.drop_disc(*column, cx.client()),
            Transition::Rematch => self.rematch(cx.client()),
            Transition::Away { client } => self.note_presence(*client, Some(cx.now()), cx),
            Transition::Back { client } => self.note_presence(*client, None, cx),
        }
    }

    /// Only players are noted: a spectator who comes and goes changes nothing.
    fn on_client(&self, event: &ClientEvent) -> Option<Transition> {
        match *event {
            ClientEvent::Joined { client, .. } => {
                self.seat_of(client)?.away_since?;
                Some(Transition::Back { client })
            }
            ClientEvent::Left { client, .. } => {
                self.seat_of(client)?.away_since.is_none().then_some(Transition::Away { client })
            }
        }
    }
}

impl DropFour {
    /// The seat of a colour, if somebody has it.
    #[must_use]
    pub fn seat(&self, color: Color) -> Option<&Seat> {
        match color {
            Color::Red => self.red.as_ref(),
            Color::Yellow => self.yellow.as_ref(),
        }
    }

    /// The colour that a client plays, if any.
    #[must_use]
    pub fn color_of(&self, client: ClientId) -> Option<Color> {
        [Color::Red, Color::Yellow]
            .into_iter()
            .find(|&color| self.seat(color).is_some_and(|seat| seat.client == client))
    }

    fn seat_of(&self, client: ClientId) -> Option<&Seat> {
        self.seat(self.color_of(client)?)
    }

    fn seat_mut(&mut self, color: Color) -> &mut Option<Seat> {
        match color {
            Color::Red => &mut self.red,
            Color::Yellow => &mut self.yellow,
        }
    }

    fn take_seat(&mut self, color: Color, name: &str, cx: &Context) -> Result<(), Conflict> {
        let name = checked_name(name)?;
        if self.color_of(cx.client()).is_some() {
            return Err(Conflict::AlreadySeated);
        }
        if let Some(seat) = self.seat(color) {
            let holder = seat.name.clone();
            let Some(away_since) = seat.away_since else {
                return Err(Conflict::SeatTaken { name: holder });
            };
            let until = away_since + AWAY_TOO_LONG;
            if cx.now() < until {
                return Err(Conflict::SeatHeld { name: holder, until });
            }
        }
        if self.red.is_none() && self.yellow.is_none() {
            self.clear();
        }
        *self.seat_mut(color) = Some(Seat { client: cx.client(), name, wins: 0, away_since: None });
        Ok(())
    }

    fn leave_seat(&mut self, client: ClientId) -> Result<(), Conflict> {
        let color = self.color_of(client).ok_or(Conflict::NotSeated)?;
        *self.seat_mut(color) = None;
        Ok(())
    }

    fn drop_disc(&mut self, column: u8, client: ClientId) -> Result<(), Conflict> {
        let color = self.color_of(client).ok_or(Conflict::NotSeated)?;
        if self.ending.is_some() {
            return Err(Conflict::GameOver);
        }
        if self.seat(color.other()).is_none() {
            return Err(Conflict::NoOpponent);
        }
        if color != self.turn {
            return Err(Conflict::NotYourTurn);
        }
        let cell = self.board.drop(column, color).map_err(|why| match why {
            CannotDrop::NoSuchColumn => Conflict::NoSuchColumn,
            CannotDrop::ColumnFull => Conflict::ColumnFull,
        })?;
        self.last = Some(cell);
        self.turn = color.other();

        let cells = self.board.lines_through(cell);
        if !cells.is_empty() {
            if let Some(seat) = self.seat_mut(color) {
                seat.wins = seat.wins.saturating_add(1);
            }
            self.ending = Some(Ending::Won { color, cells });
        } else if self.board.is_full() {
            self.ending = Some(Ending::Draw);
        }
        Ok(())
    }

    fn rematch(&mut self, client: ClientId) -> Result<(), Conflict> {
        self.color_of(client).ok_or(Conflict::NotSeated)?;
        if self.ending.is_none() {
            return Err(Conflict::GameNotOver);
        }
        let opener = self.opener.other();
        let game = self.game.saturating_add(1);
        self.clear();
        (self.opener, self.turn, self.game) = (opener, opener, game);
        Ok(())
    }

    /// Everything but the seats as at the beginning.
    fn clear(&mut self) {
        *self = Self { red: self.red.take(), yellow: self.yellow.take(), ..Self::default() };
    }

    fn note_presence(
        &mut self,
        client: ClientId,
        away_since: Option<Timestamp>,
        cx: &Context,
    ) -> Result<(), Conflict> {
        if !cx.client().is_server() {
            return Err(Conflict::ServerOnly);
        }
        let color = self.color_of(client).ok_or(Conflict::NotSeated)?;
        if let Some(seat) = self.seat_mut(color) {
            seat.away_since = away_since;
        }
        Ok(())
    }
}

/// A name without the spaces around it.
fn checked_name(name: &str) -> Result<String, Conflict> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Conflict::NameEmpty);
    }
    if name.chars().count() > NAME_CHARS as usize {
        return Err(Conflict::NameTooLong { max: NAME_CHARS });
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests;
