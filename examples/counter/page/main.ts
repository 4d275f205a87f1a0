/** One number, two big buttons. */

import { connect, type Conflict, type State, type Transition } from '@aper-examples/counter';
import { html } from 'lit-html';
import { keyed } from 'lit-html/directives/keyed.js';

import { icons } from '../../shared/icons.js';
import { match } from '../../shared/match.js';
import { openPage, type Page } from '../../shared/page.js';

const keys: Record<string, Transition> = {
  ArrowUp: 'increment',
  '+': 'increment',
  ArrowDown: 'decrement',
  '-': 'decrement',
};

const page = await openPage<State, Transition, Conflict>({
  machine: 'counter',
  title: 'Counter',
  connect,
  view,
  explain: (conflict) =>
    match(conflict, {
      atZero: () => 'The counter is at zero and does not go below.',
      atMax: ({ max }) => `The counter is full: it goes up to ${max}.`,
    }),
});

document.addEventListener('keydown', (event) => {
  const transition = keys[event.key];
  if (transition && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    void page.send(transition);
  }
});

function view(state: State, page: Page<State, Transition, Conflict>) {
  const send = (transition: Transition) => () => void page.send(transition);
  return html`
    <div class="counter">
      <button type="button" class="step" aria-label="One less" @click=${send('decrement')}>
        ${icons.minus}
      </button>
      <output class="value" aria-live="polite" aria-label="Count"
        >${keyed(state.value, html`<span>${state.value.toLocaleString('en')}</span>`)}</output
      >
      <button type="button" class="step primary" aria-label="One more" @click=${send('increment')}>
        ${icons.plus}
      </button>
    </div>
    <div class="below">
      <button type="button" class="quiet" @click=${send('reset')} ?disabled=${state.value === 0}>
        Back to zero
      </button>
      <p>
        Everybody with the invitation link counts the same number. It never goes below zero, also
        when two people take the last one away at once. <kbd>↑</kbd> and <kbd>↓</kbd> count, too.
      </p>
    </div>
  `;
}
