/**
 * The connection indicator in the bar, and the banner for what does not mend
 * itself.
 */

import { html, nothing, type TemplateResult } from 'lit-html';

import type { Status } from './client.js';

/** A change that is saved sooner than this is not worth a flicker. */
const SAVING_AFTER = 500;

/** Says "saving" only of what takes its time. */
export class SlowSaving {
  #since: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Whether saving has taken a while; `redraw` is called when it will have. */
  shows(status: Status, redraw: () => void): boolean {
    if (status.saved) {
      clearTimeout(this.#timer);
      this.#since = undefined;
      return false;
    }
    if (this.#since === undefined) {
      this.#since = performance.now();
      this.#timer = setTimeout(redraw, SAVING_AFTER);
    }
    return performance.now() - this.#since >= SAVING_AFTER;
  }
}

export function indicator(status: Status, saving: boolean): TemplateResult {
  return html`<output
    class="connection"
    data-connection=${status.connection}
    data-saving=${saving}
    data-pending=${status.pending}
    data-saved=${status.saved}
    data-kept=${status.kept}
    title=${hint(status)}
    ><span class="dot"></span><span>${label(status, saving)}</span></output
  >`;
}

function label(status: Status, saving: boolean): TemplateResult | string {
  const { connection, saved } = status;
  if (connection === 'online') {
    return saving ? 'Saving…' : 'All saved';
  }
  // A phone has room for one of the two; the dot tells the other.
  return saved
    ? LINKS[connection]
    : html`<span class="link">${LINKS[connection]} · </span>${unsaved(status)}`;
}

const LINKS = { connecting: 'Connecting…', offline: 'Offline', closed: 'Disconnected' };

/** How many changes the server does not have, and whether they can be lost. */
function unsaved({ kept, pending }: Status): string {
  return kept ? `${pending} saved on this device` : `${pending} not saved`;
}

function hint(status: Status): string {
  switch (status.connection) {
    case 'connecting':
      return `Connecting to the server. ${fate(status)}`;
    case 'online':
      return status.saved ? 'All changes are saved and seen by everybody' : fate(status);
    case 'offline':
      return `No connection. You can go on: changes are sent when it is back. ${fate(status)}`;
    case 'closed':
      return `The connection is closed. ${fate(status)}`;
  }
}

/** What becomes of the changes that the server does not have. */
function fate({ saved, kept }: Status): string {
  if (saved) {
    return '';
  }
  return kept
    ? 'Yours are saved on this device until the server has them, also if you close this page.'
    : 'If you close this page before the server has yours, they are lost.';
}

/** Asks before a page is left with changes that are nowhere else. */
export function warnBeforeLoss(status: () => Status): void {
  addEventListener('beforeunload', (event) => {
    const { saved, kept } = status();
    if (!saved && !kept) {
      event.preventDefault();
    }
  });
}

/** What stands in the way, with what a visitor can do about it. */
export function banner(status: Status, reconnect: () => void): TemplateResult | typeof nothing {
  const { problem } = status;
  // Who was forgotten is told so once, and goes on.
  if (!problem || problem.code === 'forgotten') {
    return nothing;
  }
  const { headline, remedy } = problems[problem.code] ?? unknownProblem;
  const run = remedy === RELOAD ? () => location.reload() : reconnect;
  return html`<div class="banner" role="alert" data-problem=${problem.code}>
    <p><strong>${headline}</strong> ${sentence(problem.text)}</p>
    <button type="button" @click=${run}>${remedy}</button>
  </div>`;
}

const RELOAD = 'Reload the page';
const TRY_NOW = 'Try again now';

const problems: Record<string, { headline: string; remedy: string }> = {
  reload: { headline: 'This page is out of date.', remedy: RELOAD },
  crashed: { headline: 'This page has failed.', remedy: RELOAD },
  refused: { headline: 'The server does not let this page in.', remedy: RELOAD },
  replaced: { headline: 'This is open somewhere else.', remedy: 'Use it here' },
  'session-full': { headline: 'This session is full.', remedy: TRY_NOW },
  'session-failed': { headline: 'This session has failed.', remedy: TRY_NOW },
  shutdown: { headline: 'The server is restarting.', remedy: TRY_NOW },
  load: { headline: 'This page could not be loaded.', remedy: RELOAD },
};

const unknownProblem = { headline: 'Something is wrong with the connection.', remedy: TRY_NOW };

/** Errors begin small and end without a full stop; sentences do not. */
function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
