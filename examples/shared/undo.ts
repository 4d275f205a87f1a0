/** Undo and redo of a page: two buttons, and the keys that everybody knows. */

import { html, type TemplateResult } from 'lit-html';

import { icons } from './icons.js';

export type Way = 'undo' | 'redo';

/** What of a client is asked. */
interface Undoing {
  readonly canUndo: boolean;
  readonly canRedo: boolean;
}

export function undoButtons(client: Undoing, step: (way: Way) => void): TemplateResult {
  const button = (way: Way, label: string, can: boolean): TemplateResult =>
    html`<button
      type="button"
      class="icon quiet"
      data-step=${way}
      aria-label=${label}
      title=${label}
      ?disabled=${!can}
      @click=${() => step(way)}
    >
      ${icons[way]}
    </button>`;
  return html`<span class="undo"
    >${button('undo', 'Undo', client.canUndo)}${button('redo', 'Redo', client.canRedo)}</span
  >`;
}

/** Ctrl+Z and Ctrl+Shift+Z or Ctrl+Y, or with the command key; a field has its own. */
export function listenForUndo(step: (way: Way) => void): void {
  document.addEventListener('keydown', (event) => {
    const { key, target } = event;
    const inField =
      target instanceof HTMLElement && target.closest('input, textarea, [contenteditable]') !== null;
    if (!(event.ctrlKey || event.metaKey) || event.altKey || inField) {
      return;
    }
    const letter = key.toLowerCase();
    if (letter === 'z' || letter === 'y') {
      event.preventDefault();
      step(letter === 'z' && !event.shiftKey ? 'undo' : 'redo');
    }
  });
}
