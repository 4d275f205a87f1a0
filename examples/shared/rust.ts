/**
 * What a page whose application is in Rust has of the others: the bar, with a
 * place for what the application puts into it; the invitation, the theme and
 * the messages; and a word when the application has failed.
 */

import { html, render } from 'lit-html';

import type { Status } from './client.js';
import { banner, warnBeforeLoss } from './connection.js';
import { hue, rememberedName } from './name.js';
import { bar, element, waiting } from './page.js';
import { newId, serverUrl, session } from './session.js';
import { toast, toasts, type Kind } from './toast.js';
import { listenForUndo } from './undo.js';

/** The module, as wasm-bindgen makes it. */
export interface Application {
  /** Loads it. */
  default(): Promise<unknown>;
  /** Puts the application into `#own` (in the bar), `#banner` and `#app`. */
  start(url: string): void;
}

export interface Options {
  /** The machine's name, as in the address. */
  machine: string;
  /** The name for people. */
  title: string;
  application: Application;
}

/** Draws the empty page, loads the application, and starts it. */
export async function openRustPage({ machine, title, application }: Options): Promise<void> {
  toasts();
  const own = html`<span id="own" class="own"></span>`;
  const drawBar = (): void => {
    render(bar(title, own, drawBar), element('bar'));
  };
  drawBar();
  render(waiting(), element('app'));
  // What the module calls, by this name.
  Object.assign(globalThis, {
    page: { toast: (text: string, kind: Kind) => toast(text, kind), name: rememberedName, hue, newId },
  });
  addEventListener('error', ({ error }) => {
    // A panic ends the module; nothing of it can be relied upon any more.
    if (error instanceof WebAssembly.RuntimeError) {
      fail('crashed', error);
    }
  });
  listenForUndo((way) => document.querySelector<HTMLElement>(`#own [data-step=${way}]`)?.click());
  warnBeforeLoss(() => {
    const indicator = document.querySelector<HTMLElement>('#own .connection');
    return { ...CLOSED, saved: indicator?.dataset['saved'] !== 'false' };
  });
  try {
    await application.default();
  } catch (error) {
    fail('load', error);
    throw error;
  }
  element('app').replaceChildren();
  application.start(serverUrl(machine, session()));
}

const CLOSED: Status = {
  connection: 'closed',
  pending: 0,
  saved: true,
  kept: false,
  problem: null,
};

function fail(code: string, error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  // Beside what the application has there.
  const place = document.createElement('div');
  element('banner').append(place);
  render(
    banner({ ...CLOSED, problem: { code, text } }, () => location.reload()),
    place,
  );
}
