/** The page's own types, and the order of the cards. */

import type { Card, Column, Conflict, State, Transition } from '@aper-examples/kanban';

import type { Page } from '../../shared/page.js';

export type BoardPage = Page<State, Transition, Conflict>;
export type { Card, Column };

/** Where a card would be dropped. */
export interface Place {
  /** Which card. */
  card: string;
  /** In which column. */
  to: string;
  /** Above which card; at the bottom when null. */
  before: string | null;
}

/** The cards of each column in order, with one of them at `place` if there is one. */
export function arranged(state: State, place?: Place): Map<string, Card[]> {
  const byColumn = new Map(state.columns.map((column) => [column.id, [] as Card[]]));
  let moved: Card | undefined;
  for (const card of state.cards) {
    if (card.id === place?.card) {
      moved = card;
    } else {
      byColumn.get(card.column)?.push(card);
    }
  }
  if (place && moved) {
    const cards = byColumn.get(place.to);
    const index = cards?.findIndex((card) => card.id === place.before) ?? -1;
    cards?.splice(index < 0 ? cards.length : index, 0, moved);
  }
  return byColumn;
}
