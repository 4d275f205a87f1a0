import { html, nothing, render } from 'lit-html';
import { live } from 'lit-html/directives/live.js';

import { createClient, type Conflict, type Poll, type Transition } from './machine/index.js';
import { session } from './session.js';

// The server's address: the one that this page has come from.
const client = createClient({ url: '/', session: session() });

client.subscribe(draw);
draw();

function draw(): void {
  render(client.state === undefined ? waiting() : poll(client.state), element('app'));
}

function waiting() {
  return html`<p class="soft">${client.status.problem?.text ?? 'Waiting for the server…'}</p>`;
}

function poll({ question, choices, open }: Poll) {
  const votes = choices.reduce((sum, { voters }) => sum + voters.length, 0);
  return html`
    <form class="question" @submit=${ask}>
      <h1>
        <input
          name="text"
          aria-label="Question"
          autocomplete="off"
          .value=${live(question)}
          @change=${ask}
        />
      </h1>
    </form>
    <ul>
      ${choices.map(({ text, voters }, index) => choice(text, voters, index, votes, open))}
    </ul>
    <form class="new" @submit=${add}>
      <input name="text" aria-label="New choice" placeholder="Something else…" autocomplete="off" />
      <button>Add</button>
    </form>
    <footer>
      <span>${votes === 1 ? '1 vote' : `${votes} votes`} · ${connection()}</span>
      <button type="button" @click=${() => send(open ? 'close' : 'reopen')}>
        ${open ? 'Close the poll' : 'Open the poll again'}
      </button>
    </footer>
  `;
}

function choice(text: string, voters: number[], index: number, votes: number, open: boolean) {
  const mine = client.id !== undefined && voters.includes(client.id);
  const share = votes === 0 ? 0 : Math.round((100 * voters.length) / votes);
  const change = (): void => void send(mine ? 'withdraw' : { vote: { choice: index } });
  return html`<li>
    <button
      type="button"
      class="choice"
      style="--share: ${share}%"
      aria-pressed=${mine}
      ?disabled=${!open}
      @click=${change}
    >
      <span class="text">${text}</span>
      ${mine ? html`<span class="mine">your vote</span>` : nothing}
      <span class="share">${share} %</span>
    </button>
  </li>`;
}

/** Whether what this page's user did is safe. */
function connection(): string {
  const { connection, saved, problem } = client.status;
  if (problem !== null) {
    return problem.text;
  }
  return connection === 'online' ? (saved ? 'saved' : 'saving…') : 'offline: changes are kept';
}

function ask(event: Event): void {
  event.preventDefault();
  const { question } = client.state ?? {};
  const field = textField(event);
  if (field.value !== question) {
    void send({ ask: { question: field.value } });
  }
}

async function add(event: Event): Promise<void> {
  event.preventDefault();
  const field = textField(event);
  if (await send({ add: { text: field.value } })) {
    field.value = '';
  }
}

/** Submits, tells why it was refused, and whether it was not. */
async function send(transition: Transition): Promise<boolean> {
  tell('');
  const outcome = await client.submit(transition);
  if (outcome.ok === false) {
    tell(outcome.conflict === null ? outcome.error.text : reason(outcome.conflict));
    // A field goes back to what is true.
    draw();
  }
  return outcome.ok !== false;
}

/** A new conflict in Rust does not compile here before it has a sentence. */
function reason(conflict: Conflict): string {
  switch (conflict) {
    case 'empty':
      return 'There is nothing to read in that.';
    case 'noSuchChoice':
      return 'There is no such choice.';
    case 'closed':
      return 'The poll is closed.';
  }
  if ('tooLong' in conflict) {
    return `That is longer than ${conflict.tooLong.max} characters.`;
  }
  if ('repeated' in conflict) {
    return `There is “${conflict.repeated.text}” already.`;
  }
  if ('tooManyChoices' in conflict) {
    return `There is room for ${conflict.tooManyChoices.max} choices.`;
  }
  return `There is room for ${conflict.tooManyVoters.max} votes.`;
}

function tell(text: string): void {
  element('told').textContent = text;
}

function textField(event: Event): HTMLInputElement {
  const form = (event.currentTarget as Element).closest('form');
  return form?.elements.namedItem('text') as HTMLInputElement;
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`the page has no element “${id}”`);
  }
  return found;
}
