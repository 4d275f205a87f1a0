/**
 * The table: two seats, the board, whose turn it is.
 *
 * The page decides nothing. Every column can be pressed at any time; whether
 * the disc may be dropped is the machine's to say, and its answer is shown.
 */

import {
  connect,
  type Cell,
  type Color,
  type Conflict,
  type Seat,
  type State,
  type Transition,
} from '@aper-examples/drop-four';
import { html, nothing, type TemplateResult } from 'lit-html';
import { live } from 'lit-html/directives/live.js';

import { match } from '../../shared/match.js';
import { openPage, type Page } from '../../shared/page.js';

type TablePage = Page<State, Transition, Conflict>;

const ROWS = 6;
const NAME_KEY = 'aper-player-name';
const YOUR_TURN = 'Your turn.';

/** Which seat's form for the name is open. */
let sitting: Color | undefined;

/** The disc that lay last when the page was first drawn: it does not fall again. */
let settled: string | undefined;

const page = await openPage<State, Transition, Conflict>({
  machine: 'drop-four',
  title: 'Drop Four',
  connect,
  explain,
  view,
});

document.addEventListener('keydown', (event) => {
  const column = Number(event.key) - 1;
  const typing = event.target instanceof HTMLInputElement;
  if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey && column >= 0 && column < 7) {
    drop(page, column);
  }
});

// How long a seat is still held changes by itself.
setInterval(() => {
  const state = page.client.state;
  if (state?.red?.awaySince || state?.yellow?.awaySince) {
    page.draw();
  }
}, 1_000);

function explain(conflict: Conflict, state: State | undefined): string {
  return match(conflict, {
    notSeated: () =>
      state === undefined || hasFreeSeat(state, page)
        ? 'You are watching. Take a seat to play.'
        : 'You are watching. Both seats are taken.',
    alreadySeated: () => 'You already have a seat.',
    seatTaken: ({ name }) => `${name} has that seat.`,
    seatHeld: ({ name }) => `${name} is away and keeps the seat for a minute.`,
    nameEmpty: () => 'Tell the others your name.',
    nameTooLong: ({ max }) => `That name is too long: ${max} characters at most.`,
    noOpponent: () => 'Nobody has taken the other seat yet. Invite somebody!',
    notYourTurn: () =>
      `It is not your turn: ${state?.[state.turn]?.name ?? 'somebody else'} is next.`,
    noSuchColumn: () => 'There is no such column.',
    columnFull: () => 'That column is full.',
    gameOver: () => 'The game is over. Start the next one!',
    gameNotOver: () => 'The game is not over yet.',
    serverOnly: () => 'Only the server can say who is here.',
  });
}

function view(state: State, page: TablePage): TemplateResult {
  settled ??= state.last ? key(state.last) : 'none';
  const mine = myColor(state, page);
  const said = sentence(state, mine);
  document.title = said === YOUR_TURN ? `● ${said}` : 'Drop Four · Aper';
  return html`
    <div class="table">
      <div class="seats">
        ${seat('red', state, mine, page)} ${seat('yellow', state, mine, page)}
      </div>
      <div class="say">
        <p class="turn" role="status" data-mine=${said === YOUR_TURN}>${said}</p>
        ${
          state.ending && mine
            ? html`<button type="button" class="primary" @click=${() => void page.send('rematch')}>
                Play again
              </button>`
            : nothing
        }
      </div>
      ${board(state, mine, page)}
      <p class="hint">
        ${
          mine
            ? html`Press a column, or <kbd>1</kbd> to <kbd>7</kbd>.`
            : hasFreeSeat(state, page)
              ? html`You are watching. Anybody with the link can take a free seat.`
              : html`You are watching. Both seats are taken.`
        }
      </p>
    </div>
  `;
}

function myColor(state: State, page: TablePage): Color | undefined {
  const { id } = page.client;
  return (['red', 'yellow'] as const).find((color) => state[color] && state[color].client === id);
}

function sentence(state: State, mine: Color | undefined): string {
  if (state.ending) {
    return match(state.ending, {
      draw: () => 'The board is full: a draw.',
      won: ({ color }) =>
        color === mine ? 'You win!' : `${state[color]?.name ?? nameOf(color)} wins!`,
    });
  }
  if (!state.red || !state.yellow) {
    return mine ? 'Waiting for somebody to take the other seat.' : 'Take a seat to play.';
  }
  return state.turn === mine ? YOUR_TURN : `${state[state.turn]?.name ?? ''} is next.`;
}

function nameOf(color: Color): string {
  return color === 'red' ? 'Red' : 'Yellow';
}

// Seats

function seat(
  color: Color,
  state: State,
  mine: Color | undefined,
  page: TablePage,
): TemplateResult {
  const player = state[color];
  const next = state.turn === color && !state.ending && state.red && state.yellow;
  return html`<section
    class="seat"
    data-color=${color}
    data-next=${Boolean(next)}
    aria-label=${nameOf(color)}
  >
    <span class="token" aria-hidden="true"></span>
    <div class="who">${player ? occupied(player, color, mine, page) : free(color, mine, page)}</div>
    ${
      player
        ? html`<span class="wins" title="Games won"
            ><span class="hidden-text">Games won: </span>${player.wins}</span
          >`
        : nothing
    }
  </section>`;
}

function hasFreeSeat({ red, yellow }: State, page: TablePage): boolean {
  return [red, yellow].some((player) => player === null || isLongAway(player, page));
}

function isLongAway(player: Seat, page: TablePage): boolean {
  return player.awaySince !== null && secondsHeld(player.awaySince, page) <= 0;
}

function secondsHeld(awaySince: number, page: TablePage): number {
  return Math.ceil((awaySince + 60_000 - page.client.now()) / 1_000);
}

function occupied(
  player: Seat,
  color: Color,
  mine: Color | undefined,
  page: TablePage,
): TemplateResult {
  return html`
    <strong class="name">${player.name}</strong>
    <span class="note">${note(player, color, mine, page)}</span>
  `;
}

function note(
  player: Seat,
  color: Color,
  mine: Color | undefined,
  page: TablePage,
): TemplateResult {
  if (color === mine) {
    return html`You ·
      <button
        type="button"
        class="link"
        aria-label="Leave the seat"
        @click=${() => void page.send('leaveSeat')}
      >
        Leave
      </button>`;
  }
  if (player.awaySince === null) {
    return html`${nameOf(color)}`;
  }
  const held = secondsHeld(player.awaySince, page);
  if (mine) {
    return html`Away`;
  }
  return held > 0
    ? html`Away · seat held ${held} s`
    : sitting === color
      ? nameForm(color, page)
      : takeButton(color, page, 'Away · take over');
}

function free(color: Color, mine: Color | undefined, page: TablePage): TemplateResult {
  if (mine) {
    return html`<span class="name empty">Free seat</span
      ><span class="note">${nameOf(color)}</span>`;
  }
  return sitting === color ? nameForm(color, page) : takeButton(color, page, `Play ${color}`);
}

function takeButton(color: Color, page: TablePage, label: string): TemplateResult {
  const open = async () => {
    sitting = color;
    page.draw();
    const input = document.querySelector<HTMLInputElement>('.name-form input');
    input?.focus();
    input?.select();
  };
  return html`<button type="button" class="take" @click=${open}>${label}</button>`;
}

function nameForm(color: Color, page: TablePage): TemplateResult {
  const sit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const name = String(new FormData(form).get('name') ?? '').trim();
    const outcome = page.send({ takeSeat: { color, name } });
    // With the guess that it works, unless the machine has refused at once.
    if ((await outcome)?.ok !== false) {
      remember(name);
      sitting = undefined;
      page.draw();
    }
  };
  const cancel = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      sitting = undefined;
      page.draw();
    }
  };
  return html`<form class="name-form" @submit=${sit} @keydown=${cancel}>
    <input
      name="name"
      aria-label="Your name"
      placeholder="Your name"
      maxlength="20"
      autocomplete="nickname"
      .value=${live(remembered())}
    />
    <button type="submit" class="primary">Sit</button>
  </form>`;
}

function remembered(): string {
  try {
    return localStorage.getItem(NAME_KEY) ?? '';
  } catch {
    return '';
  }
}

function remember(name: string): void {
  try {
    localStorage.setItem(NAME_KEY, name);
  } catch {
    // No storage: the name is asked for again.
  }
}

// The board

function board(state: State, mine: Color | undefined, page: TablePage): TemplateResult {
  const winning = new Set(
    state.ending && state.ending !== 'draw' ? state.ending.won.cells.map(key) : [],
  );
  return html`<div
    class="board"
    role="group"
    aria-label="Board"
    data-mine=${mine ?? 'none'}
    data-open=${mine === state.turn && !state.ending && Boolean(state.red && state.yellow)}
    data-over=${Boolean(state.ending)}
    @keydown=${walk}
  >
    ${state.board.map((pile, index) => column(pile, index, state, winning, page))}
  </div>`;
}

function column(
  pile: Color[],
  index: number,
  state: State,
  winning: Set<string>,
  page: TablePage,
): TemplateResult {
  const rows = [...Array(ROWS).keys()].reverse();
  return html`<button
    type="button"
    class="column"
    aria-label=${columnLabel(pile, index)}
    @click=${() => drop(page, index)}
  >
    <span class="ghost" aria-hidden="true"></span>
    ${rows.map((row) => {
      const color = pile[row];
      const cell = { column: index, row };
      return html`<span class="cell" style="--fall: ${ROWS - row}">
        ${color ? disc(color, cell, state, winning) : nothing}
      </span>`;
    })}
  </button>`;
}

function disc(color: Color, cell: Cell, state: State, winning: Set<string>): TemplateResult {
  const last = state.last && key(state.last) === key(cell);
  const classes = [
    'disc',
    last ? 'last' : '',
    last && key(cell) !== settled ? 'falls' : '',
    winning.has(key(cell)) ? 'wins' : '',
  ];
  return html`<span class=${classes.join(' ')} data-color=${color}></span>`;
}

function columnLabel(pile: Color[], index: number): string {
  const top = pile.at(-1);
  const discs = pile.length === 1 ? '1 disc' : `${pile.length} discs`;
  return `Column ${index + 1}: ${top ? `${discs}, ${top} on top` : 'empty'}`;
}

function key(cell: Cell): string {
  return `${cell.column},${cell.row}`;
}

function drop(page: TablePage, column: number): void {
  settled = 'none';
  void page.send({ drop: { column } });
}

/** The arrow keys go from column to column. */
function walk(event: KeyboardEvent): void {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const columns = [...document.querySelectorAll<HTMLElement>('.column')];
  const here = columns.indexOf(document.activeElement as HTMLElement);
  if (step !== undefined && here >= 0) {
    event.preventDefault();
    columns[(here + step + columns.length) % columns.length]?.focus();
  }
}
