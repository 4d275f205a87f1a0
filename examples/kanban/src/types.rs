//! What a board is made of, what can happen to it, and why it may be refused.

use imbl::Vector;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Names a column. Whoever adds a column makes one up
/// (`crypto.randomUUID()`), so that it can be filled before the server has
/// heard of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ColumnId(pub Uuid);

/// Names a card, as [`ColumnId`] does a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct CardId(pub Uuid);

/// The state.
///
/// All cards are in one list and each names its column, so that a card cannot
/// be in two columns or in none. The order of the cards of a column is their
/// order in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Board {
    /// The columns from left to right.
    #[cfg_attr(feature = "typescript", ts(as = "Vec<Column>"))]
    pub columns: Vector<Column>,
    /// The cards of all columns, those of one column from top to bottom.
    #[cfg_attr(feature = "typescript", ts(as = "Vec<Card>"))]
    pub cards: Vector<Card>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Column {
    /// Its name for machines.
    pub id: ColumnId,
    /// Its name for people.
    pub title: String,
    /// How many cards it may have at a time, if that is limited.
    pub limit: Option<u32>,
}

/// A card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Card {
    /// Its name for machines.
    pub id: CardId,
    /// Where it is.
    pub column: ColumnId,
    /// What is to be done, in a line.
    pub title: String,
    /// What there is to say about it; may be empty.
    pub notes: String,
    /// Counts the edits of title and notes: an edit names the one that it
    /// started from, so that nobody overwrites what they have not seen.
    pub revision: u32,
}

/// What can happen to a board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Transition {
    /// A new column at the right, without a limit.
    AddColumn {
        /// A new id.
        id: ColumnId,
        /// 1 to [`COLUMN_TITLE_CHARS`](crate::COLUMN_TITLE_CHARS) characters.
        title: String,
    },
    /// Another title for a column.
    RenameColumn {
        /// Which.
        id: ColumnId,
        /// As for a new column.
        title: String,
    },
    /// Limit a column, or lift its limit.
    LimitColumn {
        /// Which.
        id: ColumnId,
        /// 1 to [`CARDS`](crate::CARDS), and not below what the column has.
        limit: Option<u32>,
    },
    /// Move a column.
    MoveColumn {
        /// Which.
        id: ColumnId,
        /// To the left of which; to the right end when that is none, or gone.
        before: Option<ColumnId>,
    },
    /// Take an empty column away.
    RemoveColumn {
        /// Which.
        id: ColumnId,
    },
    /// A new card at the bottom of a column.
    AddCard {
        /// A new id.
        id: CardId,
        /// Where.
        column: ColumnId,
        /// 1 to [`CARD_TITLE_CHARS`](crate::CARD_TITLE_CHARS) characters.
        title: String,
    },
    /// Another title and other notes for a card.
    EditCard {
        /// Which.
        id: CardId,
        /// The [`Card::revision`] that the edit started from.
        revision: u32,
        /// As for a new card.
        title: String,
        /// Up to [`NOTES_CHARS`](crate::NOTES_CHARS) characters.
        notes: String,
    },
    /// Move a card within a column or to another.
    MoveCard {
        /// Which.
        id: CardId,
        /// The column that it is taken from: if somebody else has moved it
        /// elsewhere, this move is refused and theirs stands.
        from: ColumnId,
        /// The column that it goes to; may be the same.
        to: ColumnId,
        /// Above which card; to the bottom when that is none, or not in that
        /// column any more.
        before: Option<CardId>,
    },
    /// Take a card away.
    RemoveCard {
        /// Which.
        id: CardId,
    },
}

/// Why something did not happen. What is named is named by its title, because
/// the thing itself may be gone by the time that anybody reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub enum Conflict {
    /// The column has as many cards as it may have.
    #[error("“{column}” is full: it takes {limit} cards at a time")]
    ColumnFull {
        /// The title of the column.
        column: String,
        /// Its limit.
        limit: u32,
    },
    /// Somebody else has moved the card meanwhile.
    #[error("“{card}” has been moved to “{column}” meanwhile")]
    CardMoved {
        /// The title of the card.
        card: String,
        /// The title of the column where it is now.
        column: String,
    },
    /// Somebody else has edited the card meanwhile.
    #[error("“{card}” has been edited meanwhile")]
    CardEdited {
        /// The title of the card, as it is now.
        card: String,
    },
    /// Somebody has removed the card.
    #[error("that card has been removed")]
    NoSuchCard,
    /// Somebody has removed the column.
    #[error("that column has been removed")]
    NoSuchColumn,
    /// Only an empty column can be removed.
    #[error("“{column}” still has {cards} cards")]
    ColumnNotEmpty {
        /// The title of the column.
        column: String,
        /// How many.
        cards: u32,
    },
    /// The column has more cards than the limit would allow.
    #[error("“{column}” has {cards} cards already: the limit cannot be lower")]
    LimitBelowCards {
        /// The title of the column.
        column: String,
        /// How many.
        cards: u32,
    },
    /// A limit of none, or of more than a board can have.
    #[error("a limit is 1 to {max}")]
    LimitOutOfRange {
        /// [`CARDS`](crate::CARDS).
        max: u32,
    },
    /// A title has at least one character that is not a space.
    #[error("a title is needed")]
    TitleEmpty,
    /// A title has to fit.
    #[error("a title has at most {max} characters here")]
    TitleTooLong {
        /// How many.
        max: u32,
    },
    /// Notes have to fit.
    #[error("notes have at most {max} characters")]
    NotesTooLong {
        /// [`NOTES_CHARS`](crate::NOTES_CHARS).
        max: u32,
    },
    /// The board has as many columns as it can have.
    #[error("a board has at most {max} columns")]
    TooManyColumns {
        /// [`COLUMNS`](crate::COLUMNS).
        max: u32,
    },
    /// The board has as many cards as it can have.
    #[error("a board has at most {max} cards")]
    TooManyCards {
        /// [`CARDS`](crate::CARDS).
        max: u32,
    },
    /// An id is for one thing.
    #[error("there is something with that id already")]
    RepeatedId,
}
