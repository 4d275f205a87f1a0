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
    title=${hint(status)}
    ><span class="dot"></span><span>${label(status, saving)}</span></output
  >`;
}

function label(status: Status, saving: boolean): string {
  switch (status.connection) {
    case 'connecting':
      return 'Connecting…';
    case 'online':
      return saving ? 'Saving…' : 'All saved';
    case 'offline':
      return status.pending === 0 ? 'Offline' : `Offline · ${status.pending} unsaved`;
    case 'closed':
      return 'Disconnected';
  }
}

function hint(status: Status): string {
  switch (status.connection) {
    case 'connecting':
      return 'Connecting to the server';
    case 'online':
      return 'All changes are saved and seen by everybody';
    case 'offline':
      return 'No connection. You can go on: changes are sent when it is back';
    case 'closed':
      return 'The connection is closed';
  }
}

/** What does not mend itself, with what a visitor can do. */
export function banner(status: Status): TemplateResult | typeof nothing {
  const { problem } = status;
  if (!problem) {
    return nothing;
  }
  return html`<div class="banner" role="alert" data-problem=${problem.code}>
    <p><strong>${headline(problem.code)}</strong> ${problem.text}</p>
    <button type="button" @click=${() => location.reload()}>Reload the page</button>
  </div>`;
}

function headline(code: string): string {
  switch (code) {
    case 'reload':
      return 'This page is out of date.';
    case 'session-full':
      return 'This session is full.';
    case 'refused':
      return 'The server does not let this page in.';
    case 'session-failed':
      return 'This session has failed.';
    case 'shutdown':
      return 'The server is restarting.';
    case 'expired':
      return 'You were away too long.';
    default:
      return 'Something is wrong with the connection.';
  }
}
