//! A board of columns and cards, with work-in-progress limits that hold.
//!
//! Invariants, whatever several people do at once:
//!
//! 1. A card is in exactly one column. There is one place that says which
//!    ([`Card::column`]), and it always names a column of the board.
//! 2. A column never has more cards than its limit.
//! 3. Ids are distinct, titles are not empty, and nothing is longer or more
//!    than the constants of this module say.
//! 4. A refused transition changes nothing.
//!
//! Two people who drag the same card at the same moment both see it move. The
//! server takes one move first. The other then names a column where the card
//! no longer is ([`Transition::MoveCard`]'s `from`), is refused with
//! [`Conflict::CardMoved`], and vanishes from the screen of whoever made it.
//! Two people who drag different cards into the last free place of a column
//! likewise: the second is refused with [`Conflict::ColumnFull`].

mod types;
mod undo;

use aper::diff::{Diff, diff_chunks};
use aper::{Context, StateMachine};
use imbl::Vector;
use uuid::Uuid;

pub use types::{Board, Card, CardId, Column, ColumnId, Conflict, Transition};

/// Most columns of a board.
pub const COLUMNS: u32 = 12;

/// Most cards of a board.
pub const CARDS: u32 = 500;

/// Longest title of a column, in characters.
pub const COLUMN_TITLE_CHARS: u32 = 40;

/// Longest title of a card, in characters.
pub const CARD_TITLE_CHARS: u32 = 120;

/// Longest notes of a card, in characters.
pub const NOTES_CHARS: u32 = 2_000;

impl Default for Board {
    /// Three empty columns, of which the middle one is limited to three cards.
    fn default() -> Self {
        let column = |number, title: &str, limit| Column {
            id: ColumnId(Uuid::from_u128(number)),
            title: title.to_owned(),
            limit,
        };
        let columns =
            [column(1, "To do", None), column(2, "Doing", Some(3)), column(3, "Done", None)];
        Self { columns: columns.into_iter().collect(), cards: Vector::new() }
    }
}

impl StateMachine for Board {
    const NAME: &'static str = "kanban";
    /// Every method below checks first and changes then.
    const ATOMIC: bool = true;
    type Transition = Transition;
    type Conflict = Conflict;

    fn apply(&mut self, transition: &Transition, _: &Context) -> Result<(), Conflict> {
        match transition {
            Transition::AddColumn { id, title } => self.add_column(*id, title),
            Transition::RenameColumn { id, title } => self.rename_column(*id, title),
            Transition::LimitColumn { id, limit } => self.limit_column(*id, *limit),
            Transition::MoveColumn { id, before } => self.move_column(*id, *before),
            Transition::RemoveColumn { id } => self.remove_column(*id),
            Transition::AddCard { id, column, title } => self.add_card(*id, *column, title),
            Transition::EditCard { id, revision, title, notes } => {
                self.edit_card(*id, *revision, title, notes)
            }
            Transition::MoveCard { id, from, to, before } => {
                self.move_card(*id, *from, *to, *before)
            }
            Transition::RemoveCard { id } => self.remove_card(*id),
        }
    }

    fn inverse(&self, transition: &Transition) -> Vec<Transition> {
        undo::inverse(self, transition)
    }

    /// By the card, so that a page draws what moved and not the board.
    fn diff<D: Diff>(&self, earlier: &Self, diff: &mut D) -> Result<(), D::Error> {
        let Self { columns, cards } = earlier;
        diff.field("columns", |diff| diff_chunks(self.columns.leaves(), columns.leaves(), diff))?;
        diff.field("cards", |diff| diff_chunks(self.cards.leaves(), cards.leaves(), diff))
    }
}

/// What happens to columns.
impl Board {
    fn add_column(&mut self, id: ColumnId, title: &str) -> Result<(), Conflict> {
        let title = checked_title(title, COLUMN_TITLE_CHARS)?;
        if self.columns.len() >= COLUMNS as usize {
            return Err(Conflict::TooManyColumns { max: COLUMNS });
        }
        if self.column_index(id).is_ok() {
            return Err(Conflict::RepeatedId);
        }
        self.columns.push_back(Column { id, title, limit: None });
        Ok(())
    }

    fn rename_column(&mut self, id: ColumnId, title: &str) -> Result<(), Conflict> {
        let title = checked_title(title, COLUMN_TITLE_CHARS)?;
        let index = self.column_index(id)?;
        self.columns[index].title = title;
        Ok(())
    }

    fn limit_column(&mut self, id: ColumnId, limit: Option<u32>) -> Result<(), Conflict> {
        let index = self.column_index(id)?;
        if let Some(limit) = limit {
            if !(1..=CARDS).contains(&limit) {
                return Err(Conflict::LimitOutOfRange { max: CARDS });
            }
            let cards = self.count(id);
            if cards > limit {
                let column = self.columns[index].title.clone();
                return Err(Conflict::LimitBelowCards { column, cards });
            }
        }
        self.columns[index].limit = limit;
        Ok(())
    }

    fn move_column(&mut self, id: ColumnId, before: Option<ColumnId>) -> Result<(), Conflict> {
        let index = self.column_index(id)?;
        if before == Some(id) {
            return Ok(());
        }
        let column = self.columns.remove(index);
        let place = before.and_then(|before| self.column_index(before).ok());
        self.columns.insert(place.unwrap_or(self.columns.len()), column);
        Ok(())
    }

    fn remove_column(&mut self, id: ColumnId) -> Result<(), Conflict> {
        let index = self.column_index(id)?;
        let cards = self.count(id);
        if cards > 0 {
            let column = self.columns[index].title.clone();
            return Err(Conflict::ColumnNotEmpty { column, cards });
        }
        self.columns.remove(index);
        Ok(())
    }

    fn column_index(&self, id: ColumnId) -> Result<usize, Conflict> {
        self.columns.iter().position(|column| column.id == id).ok_or(Conflict::NoSuchColumn)
    }

    fn column(&self, id: ColumnId) -> Result<&Column, Conflict> {
        self.columns.iter().find(|column| column.id == id).ok_or(Conflict::NoSuchColumn)
    }

    fn count(&self, id: ColumnId) -> u32 {
        let cards = self.cards.iter().filter(|card| card.column == id).count();
        u32::try_from(cards).expect("a board has at most 500 cards")
    }

    fn check_room(&self, id: ColumnId) -> Result<(), Conflict> {
        let column = self.column(id)?;
        match column.limit {
            Some(limit) if self.count(id) >= limit => {
                Err(Conflict::ColumnFull { column: column.title.clone(), limit })
            }
            _ => Ok(()),
        }
    }
}

/// What happens to cards.
impl Board {
    fn add_card(&mut self, id: CardId, column: ColumnId, title: &str) -> Result<(), Conflict> {
        let title = checked_title(title, CARD_TITLE_CHARS)?;
        if self.cards.len() >= CARDS as usize {
            return Err(Conflict::TooManyCards { max: CARDS });
        }
        if self.card_index(id).is_ok() {
            return Err(Conflict::RepeatedId);
        }
        self.check_room(column)?;
        self.cards.push_back(Card { id, column, title, notes: String::new(), revision: 0 });
        Ok(())
    }

    fn edit_card(
        &mut self,
        id: CardId,
        revision: u32,
        title: &str,
        notes: &str,
    ) -> Result<(), Conflict> {
        let title = checked_title(title, CARD_TITLE_CHARS)?;
        let notes = notes.trim();
        if longer_than(notes, NOTES_CHARS) {
            return Err(Conflict::NotesTooLong { max: NOTES_CHARS });
        }
        let index = self.card_index(id)?;
        let card = &mut self.cards[index];
        if card.revision != revision {
            return Err(Conflict::CardEdited { card: card.title.clone() });
        }
        card.title = title;
        card.notes = notes.to_owned();
        card.revision = revision.wrapping_add(1);
        Ok(())
    }

    fn move_card(
        &mut self,
        id: CardId,
        from: ColumnId,
        to: ColumnId,
        before: Option<CardId>,
    ) -> Result<(), Conflict> {
        let index = self.card_index(id)?;
        let card = &self.cards[index];
        if card.column != from {
            let column = self.column(card.column)?.title.clone();
            return Err(Conflict::CardMoved { card: card.title.clone(), column });
        }
        if to != from {
            self.check_room(to)?;
        }
        if before == Some(id) {
            self.cards[index].column = to;
            return Ok(());
        }
        let card = self.cards.remove(index);
        let place = self.cards.iter().position(|c| Some(c.id) == before && c.column == to);
        self.cards.insert(place.unwrap_or(self.cards.len()), Card { column: to, ..card });
        Ok(())
    }

    fn remove_card(&mut self, id: CardId) -> Result<(), Conflict> {
        self.cards.remove(self.card_index(id)?);
        Ok(())
    }

    fn card_index(&self, id: CardId) -> Result<usize, Conflict> {
        self.cards.iter().position(|card| card.id == id).ok_or(Conflict::NoSuchCard)
    }
}

/// A title without the spaces around it.
fn checked_title(title: &str, max: u32) -> Result<String, Conflict> {
    let title = title.trim();
    if title.is_empty() {
        return Err(Conflict::TitleEmpty);
    }
    if longer_than(title, max) {
        return Err(Conflict::TitleTooLong { max });
    }
    Ok(title.to_owned())
}

fn longer_than(text: &str, chars: u32) -> bool {
    text.chars().count() > chars as usize
}

#[cfg(test)]
mod tests;
