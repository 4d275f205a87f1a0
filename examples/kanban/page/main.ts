/**
 * The board: columns side by side, cards in them.
 *
 * A move is shown at once and decided by the server. When somebody else was
 * quicker, the card goes to where it really is, and a message says why.
 */

import { connect, type Conflict, type State, type Transition } from '@aper-examples/kanban';
import { html, nothing, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';

import { icons } from '../../shared/icons.js';
import { match } from '../../shared/match.js';
import { openPage } from '../../shared/page.js';
import { cardView, Editing } from './card.js';
import { openSettings } from './column.js';
import { Dragging } from './drag.js';
import { glide } from './glide.js';
import { NewThing } from './new.js';
import { arranged, type BoardPage, type Card, type Column } from './types.js';

const editing = new Editing();
const dragging = new Dragging();
const newCard = new NewThing();
const newColumn = new NewThing();

const page = await openPage<State, Transition, Conflict>({
  machine: 'kanban',
  title: 'Kanban',
  connect,
  explain,
  view,
  undo: true,
});
dragging.attach(page);

if (new URL(location.href).searchParams.has('inspect')) {
  // Nobody else loads it.
  const { openInspector } = await import('@aper-examples/kanban/inspector');
  openInspector(page.client);
}

function explain(conflict: Conflict): string {
  return match(conflict, {
    columnFull: ({ column, limit }) =>
      `“${column}” is full: it takes ${limit === 1 ? '1 card' : `${limit} cards`} at a time.`,
    cardMoved: ({ card, column }) => `Somebody else has moved “${card}” to “${column}” meanwhile.`,
    cardEdited: ({ card }) => `Somebody else has edited “${card}” meanwhile.`,
    noSuchCard: () => 'Somebody else has removed that card.',
    noSuchColumn: () => 'Somebody else has removed that column.',
    columnNotEmpty: ({ column, cards }) =>
      `“${column}” still has ${cards === 1 ? 'a card' : `${cards} cards`}. Move them first.`,
    limitBelowCards: ({ column, cards }) =>
      `“${column}” has ${cards} cards already: the limit cannot be lower.`,
    limitOutOfRange: ({ max }) => `A limit is a number from 1 to ${max}.`,
    titleEmpty: () => 'A title is needed.',
    titleTooLong: ({ max }) => `That title is too long: ${max} characters at most.`,
    notesTooLong: ({ max }) => `Those notes are too long: ${max} characters at most.`,
    tooManyColumns: ({ max }) => `A board has ${max} columns at most.`,
    tooManyCards: ({ max }) => `A board has ${max} cards at most. Remove some first.`,
    repeatedId: () => 'That is there already.',
  });
}

function view(state: State, page: BoardPage): TemplateResult {
  dragging.follow(state);
  editing.follow(state, page);
  glide();
  const { current } = dragging;
  const byColumn = arranged(state, current);
  return html`
    <div class="board" data-dragging=${current?.by ?? 'no'}>
      ${repeat(
        state.columns,
        (column) => column.id,
        (column) => columnView(column, byColumn.get(column.id) ?? [], page),
      )}
      <div class="add-column">
        ${newColumn.view({
          where: 'board',
          button: 'Add column',
          placeholder: 'Title of the column',
          redraw: page.draw,
          add: (id, title) => page.send({ addColumn: { id, title } }),
        })}
      </div>
    </div>
    <p class="hidden-text" role="status" aria-live="assertive">${dragging.announcement}</p>
  `;
}

function columnView(column: Column, cards: Card[], page: BoardPage): TemplateResult {
  const { current } = dragging;
  const full = column.limit !== null && cards.length >= column.limit;
  const over = column.limit !== null && cards.length > column.limit;
  return html`<section
    class="column"
    data-column=${column.id}
    data-full=${full}
    data-over=${over}
    data-target=${current?.to === column.id}
    aria-label=${column.title}
  >
    <header>
      <h2>${column.title}</h2>
      <span class="count" title=${countTitle(column, cards.length)}
        >${cards.length}${column.limit === null ? nothing : html`<span>/${column.limit}</span>`}</span
      >
      <button
        type="button"
        class="icon quiet"
        aria-label="Settings of “${column.title}”"
        @click=${() => openSettings(column, page)}
      >
        ${icons.more}
      </button>
    </header>
    <ol class="cards">
      ${repeat(
        cards,
        (card) => card.id,
        (card) => cardView(card, page, dragging, editing),
      )}
      ${cards.length === 0 ? html`<li class="nothing">No cards</li>` : nothing}
    </ol>
    ${newCard.view({
      where: column.id,
      button: 'Add card',
      placeholder: 'What is to be done?',
      redraw: page.draw,
      add: (id, title) => page.send({ addCard: { id, column: column.id, title } }),
    })}
  </section>`;
}

function countTitle(column: Column, cards: number): string {
  return column.limit === null
    ? `${cards} cards, no limit`
    : `${cards} of at most ${column.limit} cards`;
}
