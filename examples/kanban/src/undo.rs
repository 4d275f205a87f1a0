//! Taking back what was done to a board.

use crate::types::{Board, Card, CardId, ColumnId, Transition};

/// What takes the transition back. It asks the same of the board as any other
/// transition: a card that somebody has moved on meanwhile stays where it is,
/// and a full column takes none back.
pub(crate) fn inverse(board: &Board, transition: &Transition) -> Vec<Transition> {
    board.inverse_of(transition).unwrap_or_default()
}

impl Board {
    fn inverse_of(&self, transition: &Transition) -> Option<Vec<Transition>> {
        Some(match *transition {
            Transition::AddColumn { id, .. } => vec![Transition::RemoveColumn { id }],
            Transition::RenameColumn { id, .. } => {
                vec![Transition::RenameColumn { id, title: self.column(id).ok()?.title.clone() }]
            }
            Transition::LimitColumn { id, .. } => {
                vec![Transition::LimitColumn { id, limit: self.column(id).ok()?.limit }]
            }
            Transition::MoveColumn { id, .. } => {
                vec![Transition::MoveColumn { id, before: self.column_after(id) }]
            }
            Transition::RemoveColumn { id } => {
                let column = self.column(id).ok()?;
                vec![
                    Transition::AddColumn { id, title: column.title.clone() },
                    Transition::LimitColumn { id, limit: column.limit },
                    Transition::MoveColumn { id, before: self.column_after(id) },
                ]
            }
            Transition::AddCard { id, .. } => vec![Transition::RemoveCard { id }],
            Transition::EditCard { id, revision, .. } => {
                let Card { title, notes, .. } = self.card(id)?.clone();
                vec![Transition::EditCard { id, revision: revision.wrapping_add(1), title, notes }]
            }
            Transition::MoveCard { id, from, to, .. } => {
                let before = self.card_after(id);
                vec![Transition::MoveCard { id, from: to, to: from, before }]
            }
            Transition::RemoveCard { id } => {
                let Card { column, title, notes, .. } = self.card(id)?.clone();
                let before = self.card_after(id);
                vec![
                    Transition::AddCard { id, column, title: title.clone() },
                    Transition::EditCard { id, revision: 0, title, notes },
                    Transition::MoveCard { id, from: column, to: column, before },
                ]
            }
        })
    }

    fn card(&self, id: CardId) -> Option<&Card> {
        self.cards.iter().find(|card| card.id == id)
    }

    /// The card below one, in its column.
    fn card_after(&self, id: CardId) -> Option<CardId> {
        let column = self.card(id)?.column;
        let mut below = self.cards.iter().skip_while(|card| card.id != id).skip(1);
        below.find(|card| card.column == column).map(|card| card.id)
    }

    fn column_after(&self, id: ColumnId) -> Option<ColumnId> {
        self.columns.iter().skip_while(|column| column.id != id).nth(1).map(|column| column.id)
    }
}
