//! [`Grid`]: values in rows and columns.

use std::fmt::{self, Debug};

use imbl::Vector;
use serde::de::Error;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Value;
use crate::context::Context;
use crate::diff::{Diff, splice_chunks};
use crate::state_machine::StateMachine;

/// Values in rows and columns: a board, a canvas of pixels. The size is chosen
/// with the initial state and stays; column `x` counts from 0 at the left, row
/// `y` from 0 at the top.
///
/// *n* is the number of cells:
///
/// | operation | cost |
/// |---|---|
/// | clone, [`width`](Self::width), [`height`](Self::height) | O(1) |
/// | `Set`, [`get`](Self::get) | O(log n) |
/// | `Fill`, [`cells`](Self::cells), equality | O(n) |
/// | [`rows`](Self::rows) | O(log n) for each cell that is read |
///
/// ```
/// use aper::collections::{Grid, GridConflict};
/// use aper::{Context, StateMachine};
///
/// let mut board = Grid::new(3, 2, '.')?;
/// board.apply(&Grid::set(1, 0, 'x'), &Context::for_test())?;
/// let rows: Vec<String> = board.rows().map(|row| row.collect()).collect();
/// assert_eq!(rows, [".x.", "..."]);
///
/// let outside = board.apply(&Grid::set(3, 0, 'x'), &Context::for_test());
/// assert_eq!(outside, Err(GridConflict::OutOfRange { x: 3, y: 0, width: 3, height: 2 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Grid<T> {
    width: u32,
    height: u32,
    /// Row by row, `width * height` of them.
    cells: Vector<T>,
}

/// What can happen to a [`Grid`].
///
/// ```
/// use aper::collections::{Grid, GridTransition};
/// assert_eq!(Grid::set(2, 0, 'x'), GridTransition::Set { x: 2, y: 0, value: 'x' });
/// assert_eq!(Grid::fill('.'), GridTransition::Fill('.'));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GridTransition<T> {
    /// This is the value of one cell now.
    Set {
        /// Column, from 0.
        x: u32,
        /// Row, from 0.
        y: u32,
        /// The value.
        value: T,
    },
    /// This is the value of every cell now.
    Fill(T),
}

/// Why a [`Grid`] refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum GridConflict {
    /// There is no such cell.
    #[error("there is no cell at ({x}, {y}) in a grid of {width} by {height}")]
    OutOfRange {
        /// The column that was meant.
        x: u32,
        /// The row that was meant.
        y: u32,
        /// How many columns there are.
        width: u32,
        /// How many rows there are.
        height: u32,
    },
}

/// A size that no [`Grid`] can have, or cells that do not fit the size.
///
/// ```
/// use aper::collections::{Grid, InvalidGrid};
/// let too_big = InvalidGrid::TooBig { width: 3_000, height: 3_000 };
/// assert_eq!(Grid::new(3_000, 3_000, 0).err(), Some(too_big));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGrid {
    /// More than [`Grid::MAX_CELLS`] cells.
    #[error(
        "a grid has at most {} cells; {width} by {height} are too many",
        Grid::<()>::MAX_CELLS
    )]
    TooBig {
        /// How many columns were asked for.
        width: u32,
        /// How many rows were asked for.
        height: u32,
    },
    /// Fewer cells than the size says, or more.
    #[error("{cells} cells are not {width} by {height}")]
    WrongCount {
        /// How many columns there are to be.
        width: u32,
        /// How many rows there are to be.
        height: u32,
        /// How many cells there were.
        cells: usize,
    },
}

impl<T> Grid<T> {
    /// The most cells that a grid may have: as many as 2048 by 2048. A side of
    /// a grid without cells is no longer than that either.
    pub const MAX_CELLS: usize = 1 << 22;

    /// The transition that sets one cell.
    pub const fn set(x: u32, y: u32, value: T) -> GridTransition<T> {
        GridTransition::Set { x, y, value }
    }

    /// The transition that sets every cell.
    ///
    /// ```
    /// use aper::collections::Grid;
    /// use aper::{Context, StateMachine};
    ///
    /// let mut board = Grid::from_cells(2, 1, "ox".chars())?;
    /// board.apply(&Grid::fill('.'), &Context::for_test())?;
    /// assert!(board.cells().all(|&cell| cell == '.'));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn fill(value: T) -> GridTransition<T> {
        GridTransition::Fill(value)
    }

    /// How many columns there are.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// How many rows there are.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// The value of a cell; nothing outside of the grid.
    ///
    /// ```
    /// use aper::collections::Grid;
    /// let board = Grid::from_cells(3, 2, "abcdef".chars())?;
    /// assert_eq!((board.width(), board.height()), (3, 2));
    /// assert_eq!(board.get(0, 1), Some(&'d'));
    /// assert_eq!(board.get(0, 2), None);
    /// # Ok::<(), aper::collections::InvalidGrid>(())
    /// ```
    pub fn get(&self, x: u32, y: u32) -> Option<&T> {
        self.index(x, y).and_then(|index| self.cells.get(index))
    }

    /// The cells, row by row.
    pub fn cells(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.cells.iter()
    }

    /// The rows from the top, each from the left.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = impl DoubleEndedIterator<Item = &T>> {
        (0..self.height).map(move |y| (0..self.width).filter_map(move |x| self.get(x, y)))
    }

    /// Where a cell is among the cells. No product here is more than
    /// [`MAX_CELLS`](Self::MAX_CELLS).
    fn index(&self, x: u32, y: u32) -> Option<usize> {
        (x < self.width && y < self.height).then(|| y as usize * self.width as usize + x as usize)
    }
}

impl<T: Clone> Grid<T> {
    /// A grid of this size, with the same value in every cell.
    ///
    /// # Errors
    ///
    /// [`InvalidGrid::TooBig`].
    pub fn new(width: u32, height: u32, value: T) -> Result<Self, InvalidGrid> {
        let count = cell_count(width, height)?;
        Ok(Self { width, height, cells: std::iter::repeat_n(value, count).collect() })
    }

    /// A grid of this size with these cells, row by row.
    ///
    /// # Errors
    ///
    /// When the size is too big, or the cells are not as many as it says.
    ///
    /// ```
    /// use aper::collections::{Grid, InvalidGrid};
    /// let board = Grid::from_cells(3, 1, [7, 8, 9])?;
    /// assert_eq!(board.cells().copied().max(), Some(9));
    /// let short = Grid::from_cells(3, 1, [7, 8]);
    /// assert_eq!(short.err(), Some(InvalidGrid::WrongCount { width: 3, height: 1, cells: 2 }));
    /// # Ok::<(), InvalidGrid>(())
    /// ```
    pub fn from_cells(
        width: u32,
        height: u32,
        cells: impl IntoIterator<Item = T>,
    ) -> Result<Self, InvalidGrid> {
        let count = cell_count(width, height)?;
        // One more than fits is enough to see that they are too many.
        let cells: Vector<T> = cells.into_iter().take(count + 1).collect();
        if cells.len() == count {
            Ok(Self { width, height, cells })
        } else {
            Err(InvalidGrid::WrongCount { width, height, cells: cells.len() })
        }
    }
}

fn cell_count(width: u32, height: u32) -> Result<usize, InvalidGrid> {
    let limit = Grid::<()>::MAX_CELLS as u64;
    let [width_64, height_64] = [width, height].map(u64::from);
    // No side alone is longer either: to go through rows without cells takes
    // its time, too.
    if width_64.max(1) * height_64.max(1) > limit {
        return Err(InvalidGrid::TooBig { width, height });
    }
    Ok(width as usize * height as usize)
}

impl<T: Value> StateMachine for Grid<T> {
    const NAME: &'static str = "grid";
    const ATOMIC: bool = true;
    type Transition = GridTransition<T>;
    type Conflict = GridConflict;

    fn apply(&mut self, transition: &GridTransition<T>, _: &Context) -> Result<(), GridConflict> {
        match transition {
            GridTransition::Set { x, y, value } => {
                let (x, y, width, height) = (*x, *y, self.width, self.height);
                let cell = self.index(x, y).and_then(|index| self.cells.get_mut(index));
                cell.ok_or(GridConflict::OutOfRange { x, y, width, height })?.clone_from(value);
            }
            GridTransition::Fill(value) => {
                self.cells = std::iter::repeat_n(value, self.cells.len()).cloned().collect();
            }
        }
        Ok(())
    }

    fn merge(earlier: &GridTransition<T>, later: &GridTransition<T>) -> Option<GridTransition<T>> {
        let is_undone = match (earlier, later) {
            (_, GridTransition::Fill(_)) => true,
            (GridTransition::Fill(_), GridTransition::Set { .. }) => false,
            (
                GridTransition::Set { x: x1, y: y1, .. },
                GridTransition::Set { x: x2, y: y2, .. },
            ) => (x1, y1) == (x2, y2),
        };
        is_undone.then(|| later.clone())
    }

    /// Of a fill, one transition for each cell.
    fn inverse(&self, transition: &GridTransition<T>) -> Vec<GridTransition<T>> {
        match transition {
            GridTransition::Set { x, y, .. } => {
                let was = self.get(*x, *y).cloned();
                was.map(|was| Self::set(*x, *y, was)).into_iter().collect()
            }
            GridTransition::Fill(_) => {
                let places = (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y)));
                let cells = places.zip(self.cells().cloned());
                cells.map(|((x, y), was)| Self::set(x, y, was)).collect()
            }
        }
    }

    /// Cost: O(1) if nothing changed; otherwise a look at every 64 cells, and a
    /// comparison of those 64 that a change was among.
    fn diff<D: Diff>(&self, earlier: &Self, diff: &mut D) -> Result<(), D::Error> {
        if (self.width, self.height) != (earlier.width, earlier.height) {
            return diff.replace(self);
        }
        if self.cells.ptr_eq(&earlier.cells) {
            return Ok(());
        }
        diff.field("cells", |diff| {
            let (cells, before) = (self.cells.leaves(), earlier.cells.leaves());
            splice_chunks(cells, before, diff, |diff, one, other| diff.is_same(one, other))
        })
    }
}

impl<T: PartialEq> PartialEq for Grid<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.width, self.height) == (other.width, other.height) && self.cells().eq(other.cells())
    }
}

impl<T: Eq> Eq for Grid<T> {}

impl<T: Debug> Debug for Grid<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = f.debug_list();
        for y in 0..self.height {
            rows.entry(&(0..self.width).filter_map(|x| self.get(x, y)).collect::<Vec<_>>());
        }
        rows.finish()
    }
}

impl<T: Serialize> Serialize for Grid<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut grid = serializer.serialize_struct("Grid", 3)?;
        grid.serialize_field("width", &self.width)?;
        grid.serialize_field("height", &self.height)?;
        grid.serialize_field("cells", &Cells(&self.cells))?;
        grid.end()
    }
}

struct Cells<'a, T>(&'a Vector<T>);

impl<T: Serialize> Serialize for Cells<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0)
    }
}

/// Refuses a number of cells that is not that of the size.
impl<'de, T: Clone + Deserialize<'de>> Deserialize<'de> for Grid<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "Grid")]
        struct Encoded<T> {
            width: u32,
            height: u32,
            cells: Vec<T>,
        }

        let Encoded { width, height, cells } = Encoded::deserialize(deserializer)?;
        Self::from_cells(width, height, cells).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::collections::testing::{check, check_inverses, decode, encode, json};

    #[test]
    fn in_javascript_it_has_a_size_and_cells() {
        let grid = Grid::from_cells(2, 1, [7, 8]).unwrap();
        assert_eq!(json(&grid), r#"{"width":2,"height":1,"cells":[7,8]}"#);
    }

    #[test]
    fn another_number_of_cells_is_no_state() {
        let wrong = |width, height, cells| Err(InvalidGrid::WrongCount { width, height, cells });
        assert_eq!(Grid::from_cells(2, 2, [1, 2, 3]), wrong(2, 2, 3));
        assert_eq!(Grid::from_cells(1, 1, 0..), wrong(1, 1, 2));
        let cells: [u8; 3] = [1, 2, 3];
        assert!(decode::<Grid<u8>>(&encode(&(2u32, 2u32, cells.as_slice()))).is_err());
        assert!(decode::<Grid<u8>>(&encode(&(1u32, 3u32, cells.as_slice()))).is_ok());
        let text = r#"{"width":4294967295,"height":4294967295,"cells":[]}"#;
        assert!(serde_json::from_str::<Grid<u8>>(text).is_err());
    }

    #[test]
    fn a_size_is_at_most_the_limit() {
        let too_big = |width, height| Err(InvalidGrid::TooBig { width, height });
        assert_eq!(Grid::new(u32::MAX, u32::MAX, 0), too_big(u32::MAX, u32::MAX));
        assert_eq!(Grid::new(2048, 2049, 0), too_big(2048, 2049));
        assert_eq!(cell_count(2048, 2048), Ok(Grid::<u8>::MAX_CELLS));
        assert_eq!(Grid::new(0, u32::MAX, 0), too_big(0, u32::MAX));
        let empty = Grid::new(0, 3, 0).unwrap();
        assert_eq!((empty.get(0, 0), empty.rows().count()), (None, 3));
    }

    proptest! {
        #[test]
        fn it_is_rows_of_cells(
            (width, height) in (0..5u32, 0..5u32),
            script in prop::collection::vec(transition(), 0..40),
        ) {
            let mut model = vec![vec![0; width as usize]; height as usize];
            let mut refusals = 0;
            for transition in &script {
                match *transition {
                    GridTransition::Set { x, y, value } => {
                        match model.get_mut(y as usize).and_then(|row| row.get_mut(x as usize)) {
                            Some(cell) => *cell = value,
                            None => refusals += 1,
                        }
                    }
                    GridTransition::Fill(value) => {
                        model.iter_mut().for_each(|row| row.fill(value));
                    }
                }
            }
            let (grid, refused) = check(&Grid::new(width, height, 0).unwrap(), &script);
            check_inverses(&Grid::new(width, height, 0).unwrap(), &script);
            let rows: Vec<Vec<u8>> = grid.rows().map(|row| row.copied().collect()).collect();
            prop_assert_eq!(rows, model);
            prop_assert!(grid.cells().eq(grid.rows().flatten()));
            prop_assert_eq!(refused, refusals);
        }
    }

    fn transition() -> impl Strategy<Value = GridTransition<u8>> {
        prop_oneof![
            9 => (0..6u32, 0..6u32, any::<u8>()).prop_map(|(x, y, value)| Grid::set(x, y, value)),
            1 => any::<u8>().prop_map(Grid::fill),
        ]
    }
}
