/**
 * What every example page has: the bar with the connection indicator, the
 * invitation and the theme; the banner for problems; the place for the view;
 * and one way to submit a transition and tell why it was refused.
 *
 * A page brings its `view`, a function of the state. It is drawn anew, by
 * difference, whenever the client says that something changed.
 */

import { html, nothing, render, type TemplateResult } from 'lit-html';

import type { Client, Outcome, Status } from './client.js';
import { banner, indicator, SlowSaving, warnBeforeLoss } from './connection.js';
import { icons } from './icons.js';
import { invite } from './invite.js';
import { serverUrl, session } from './session.js';
import { nextTheme, theme } from './theme.js';
import { toast, toasts } from './toast.js';
import { listenForUndo, undoButtons, type Way } from './undo.js';

export interface Options<State, Transition, Conflict> {
  /** The machine's name, as in the address. */
  machine: string;
  /** The name for people. */
  title: string;
  /** The package's `connect`. */
  connect: (url: string) => Promise<Client<State, Transition, Conflict>>;
  /** Why a transition was refused, in a sentence for people. */
  explain: (conflict: Conflict, state: State | undefined) => string;
  /** Whether what a visitor does can be taken back: by buttons, and by Ctrl+Z. */
  undo?: boolean;
  /** What to show. */
  view: (state: State, page: Page<State, Transition, Conflict>) => TemplateResult;
}

export class Page<State, Transition, Conflict> {
  readonly client: Client<State, Transition, Conflict>;
  readonly #options: Options<State, Transition, Conflict>;
  readonly #bar = element('bar');
  readonly #banner = element('banner');
  readonly #main = element('app');
  readonly #saving = new SlowSaving();
  #forgotten = false;
  #drawing = false;
  #again = false;

  constructor(
    client: Client<State, Transition, Conflict>,
    options: Options<State, Transition, Conflict>,
  ) {
    this.client = client;
    this.#options = options;
    client.subscribe(() => this.draw());
    this.draw();
    warnBeforeLoss(() => client.status);
    if (options.undo) {
      listenForUndo((way) => void this.step(way));
    }
    this.#tellOfEarlier();
  }

  /** Draws everything anew, by difference: after a change that is the page's own. */
  readonly draw = (): void => {
    // Drawing may itself call a listener: what is removed loses the focus.
    this.#again = true;
    if (this.#drawing) {
      return;
    }
    this.#drawing = true;
    try {
      while (this.#again) {
        this.#again = false;
        this.#drawOnce();
      }
    } finally {
      this.#drawing = false;
    }
  };

  #drawOnce(): void {
    const { state, status } = this.client;
    this.#tellWhoIsForgotten(status);
    const saving = this.#saving.shows(status, this.draw);
    const undo = this.#options.undo ? undoButtons(this.client, (way) => void this.step(way)) : nothing;
    render(bar(this.#options.title, indicator(status, saving), this.draw, undo), this.#bar);
    render(
      banner(status, () => this.client.reconnect()),
      this.#banner,
    );
    render(state === undefined ? waiting() : this.#options.view(state, this), this.#main);
  }

  /** Submits, and tells the visitor when and why it was refused. */
  send(transition: Transition): Promise<Outcome<Conflict> | undefined> {
    return this.#tellHow(() => this.client.submit(transition));
  }

  /** Takes back, or does again, and tells when that was refused. */
  step(way: Way): Promise<Outcome<Conflict> | undefined> {
    return this.#tellHow(() => (way === 'undo' ? this.client.undo() : this.client.redo()));
  }

  async #tellHow(
    submit: () => Promise<Outcome<Conflict>> | undefined,
  ): Promise<Outcome<Conflict> | undefined> {
    let outcome: Outcome<Conflict> | undefined;
    try {
      outcome = await submit();
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), 'refusal');
      return undefined;
    }
    if (outcome?.ok === false) {
      toast(this.#reason(outcome), 'refusal');
    }
    return outcome;
  }

  /** What was done on this device before the page was opened is told here. */
  #tellOfEarlier(): void {
    const { client } = this;
    if (client.discarded > 0) {
      const changes = client.discarded === 1 ? 'A change' : `${client.discarded} changes`;
      toast(`${changes} of yours could not be sent: this page has been updated since.`, 'refusal');
    }
    client.onRestored((outcome) => {
      if (outcome.ok === false) {
        toast(this.#reason(outcome), 'refusal');
      }
    });
  }

  #tellWhoIsForgotten({ problem }: Status): void {
    const forgotten = problem?.code === 'forgotten';
    if (forgotten && !this.#forgotten) {
      toast('The server has started anew and did not know this page any more.');
    }
    this.#forgotten = forgotten;
  }

  #reason(outcome: Extract<Outcome<Conflict>, { ok: false }>): string {
    if (outcome.conflict === null) {
      return 'error' in outcome ? outcome.error.text : 'The server refused this.';
    }
    const reason = this.#options.explain(outcome.conflict, this.client.state);
    const affected = 'affected' in outcome ? outcome.affected : 0;
    if (affected === 0) {
      return reason;
    }
    const changes = affected === 1 ? 'A later change' : `${affected} later changes`;
    return `${reason} ${changes} of yours depended on it and went with it.`;
  }
}

/** Draws the empty page, connects, and draws the page. */
export async function openPage<State, Transition, Conflict>(
  options: Options<State, Transition, Conflict>,
): Promise<Page<State, Transition, Conflict>> {
  toasts();
  const status: Status = {
    connection: 'connecting',
    pending: 0,
    saved: true,
    kept: false,
    problem: null,
  };
  const drawBar = (): void => {
    render(bar(options.title, indicator(status, false), drawBar), element('bar'));
  };
  drawBar();
  render(waiting(), element('app'));
  try {
    const client = await options.connect(serverUrl(options.machine, session()));
    return new Page(client, options);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const problem = { code: 'load', text };
    const closed: Status = { ...status, connection: 'closed', problem };
    render(
      banner(closed, () => location.reload()),
      element('banner'),
    );
    throw error;
  }
}

/** The bar: the way home, the title, how the connection is, and what every page offers. */
export function bar(
  title: string,
  connection: TemplateResult,
  redraw: () => void,
  more: TemplateResult | typeof nothing = nothing,
): TemplateResult {
  return html`
    <a class="home" href="/" aria-label="All examples" title="All examples">${icons.logo}</a>
    <h1>${title}</h1>
    ${more} ${connection}
    <button type="button" class="invite" @click=${() => invite(title)} aria-label="Invite">
      ${icons.invite}<span>Invite</span>
    </button>
    ${themeButton(redraw)}
  `;
}

const themeNames = { auto: 'as the system', light: 'light', dark: 'dark' };

function themeButton(redraw: () => void): TemplateResult {
  const chosen = theme();
  const change = () => {
    nextTheme();
    redraw();
  };
  const label = `Theme: ${themeNames[chosen]}`;
  return html`<button
    type="button"
    class="icon quiet theme"
    aria-label=${label}
    title=${label}
    @click=${change}
  >
    ${icons[chosen]}
  </button>`;
}

/** What is shown before there is a state. */
export function waiting(): TemplateResult {
  return html`<div class="waiting">
    <div class="spinner"></div>
    <p>Waiting for the server…</p>
  </div>`;
}

/** A part of the page that its HTML has. */
export function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) {
    throw new Error(`the page has no element “${id}”`);
  }
  return found;
}
