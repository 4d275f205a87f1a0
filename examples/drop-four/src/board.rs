//! The board: seven columns of up to six discs, and where four are in a row.
//! Knows nothing of players, turns or seats.

use serde::{Deserialize, Serialize};

/// How many columns there are.
pub const COLUMNS: usize = 7;

/// How many discs a column holds.
pub const ROWS: usize = 6;

/// As many in a line win.
pub const IN_A_ROW: usize = 4;

/// The colour of a disc, and of the seat that it is dropped from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Color {
    /// Begins the first game.
    Red,
    /// Begins the second.
    Yellow,
}

impl Color {
    /// The opponent's.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Red => Self::Yellow,
            Self::Yellow => Self::Red,
        }
    }
}

/// One place on the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Cell {
    /// From 0, at the left.
    pub column: u8,
    /// From 0, at the bottom.
    pub row: u8,
}

/// The discs. A column is a pile, so no disc can hang in the air.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Board([Vec<Color>; COLUMNS]);

/// Why a disc cannot be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotDrop {
    /// The board has no such column.
    NoSuchColumn,
    /// The column has no room.
    ColumnFull,
}

impl Board {
    /// Drops a disc; the place where it came to lie.
    ///
    /// # Errors
    ///
    /// When there is no such column, or no room in it. The board is then as it
    /// was.
    pub fn drop(&mut self, column: u8, color: Color) -> Result<Cell, CannotDrop> {
        let pile = self.0.get_mut(usize::from(column)).ok_or(CannotDrop::NoSuchColumn)?;
        if pile.len() >= ROWS {
            return Err(CannotDrop::ColumnFull);
        }
        let row = u8::try_from(pile.len()).expect("a pile is at most six high");
        pile.push(color);
        Ok(Cell { column, row })
    }

    /// The disc in a place, if there is one.
    #[must_use]
    pub fn get(&self, cell: Cell) -> Option<Color> {
        self.0.get(usize::from(cell.column))?.get(usize::from(cell.row)).copied()
    }

    /// Whether no column has room.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.iter().all(|pile| pile.len() >= ROWS)
    }

    /// Every place of every line of four or more that goes through `cell`, each
    /// once, `cell` first; empty when there is no such line.
    #[must_use]
    pub fn lines_through(&self, cell: Cell) -> Vec<Cell> {
        const DIRECTIONS: [(i8, i8); 4] = [(1, 0), (0, 1), (1, 1), (1, -1)];
        let mut cells = Vec::new();
        for (dx, dy) in DIRECTIONS {
            let mut others = self.same_color_from(cell, dx, dy);
            others.extend(self.same_color_from(cell, -dx, -dy));
            if others.len() + 1 >= IN_A_ROW {
                cells.extend(others);
            }
        }
        if !cells.is_empty() {
            cells.insert(0, cell);
        }
        cells
    }

    /// The places next to `cell` in one direction that have its colour, until
    /// the first that has not. Empty when `cell` is empty.
    fn same_color_from(&self, cell: Cell, dx: i8, dy: i8) -> Vec<Cell> {
        let color = self.get(cell);
        let step = |at: &Cell| {
            let next = Cell {
                column: at.column.checked_add_signed(dx)?,
                row: at.row.checked_add_signed(dy)?,
            };
            (color.is_some() && self.get(next) == color).then_some(next)
        };
        std::iter::successors(step(&cell), step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Drops discs into the columns named by the digits, red first and by
    /// turns; `-` is a turn without a disc. Gives the board and the last place.
    fn played(moves: &str) -> (Board, Cell) {
        let mut board = Board::default();
        let mut color = Color::Red;
        let mut last = Cell { column: 0, row: 0 };
        for place in moves.chars() {
            if let Some(column) = place.to_digit(10) {
                last = board.drop(u8::try_from(column).unwrap(), color).unwrap();
            }
            color = color.other();
        }
        (board, last)
    }

    /// The winning line of the last of `moves`, as sorted `column,row` pairs.
    fn check(moves: &str, expected: &str) {
        let (board, last) = played(moves);
        let mut cells: Vec<_> =
            board.lines_through(last).iter().map(|c| format!("{},{}", c.column, c.row)).collect();
        cells.sort();
        assert_eq!(cells.join(" "), expected, "after {moves}");
    }

    #[test]
    fn finds_lines_in_every_direction() {
        check("0-1-2-3", "0,0 1,0 2,0 3,0");
        check("3-4-6-5", "3,0 4,0 5,0 6,0");
        check("2-2-2-2", "2,0 2,1 2,2 2,3");
        check("01122-2-333-3", "0,0 1,1 2,2 3,3");
        check("65544-4-333-3", "3,3 4,2 5,1 6,0");
    }

    #[test]
    fn finds_no_line_where_there_is_none() {
        check("0", "");
        check("0-1-2", "");
        check("00000", "");
        check("0-1-23", "");
        check("0-1-3-4-5", "");
        // Around the edge is no neighbour: the columns at either end.
        check("5-6-0-1", "");
    }

    #[test]
    fn finds_long_and_crossing_lines_once() {
        check("0-1-2-4-5-6-3", "0,0 1,0 2,0 3,0 4,0 5,0 6,0");
        // One disc that completes a row and a diagonal.
        check("1-1-2-2-2-333-3-0", "0,0 1,0 1,1 2,0 2,2 3,0 3,3");
    }

    #[test]
    fn a_full_column_takes_no_more() {
        let (mut board, last) = played("111111");
        assert_eq!(last, Cell { column: 1, row: 5 });
        assert_eq!(board.drop(1, Color::Red), Err(CannotDrop::ColumnFull));
        assert_eq!(board.drop(7, Color::Red), Err(CannotDrop::NoSuchColumn));
        assert!(!board.is_full());
    }

    #[test]
    fn forty_two_discs_fill_the_board() {
        let mut board = Board::default();
        for disc in 0..42 {
            assert!(!board.is_full());
            board.drop(disc % 7, Color::Red).unwrap();
        }
        assert!(board.is_full());
    }
}
