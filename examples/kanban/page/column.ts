/** The dialog for a column: its title, its limit, its place, its end. */

import { html, render } from 'lit-html';

import { icons } from '../../shared/icons.js';
import type { BoardPage, Column } from './types.js';

export function openSettings(column: Column, page: BoardPage): void {
  const dialog = document.createElement('dialog');
  dialog.className = 'settings';
  dialog.setAttribute('aria-labelledby', 'settings-title');
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) {
      dialog.close();
    }
  });
  const { id } = column;

  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const title = String(fields.get('title'));
    const number = String(fields.get('limit')).trim();
    const limit = number === '' ? null : Math.max(0, Math.trunc(Number(number)));
    if (title !== column.title) {
      void page.send({ renameColumn: { id, title } });
    }
    if (limit !== column.limit) {
      void page.send({ limitColumn: { id, limit } });
    }
    dialog.close();
  };
  const move = (step: -1 | 1) => () => {
    const columns = page.client.state?.columns ?? [];
    const here = columns.findIndex((other) => other.id === id);
    const wanted = here + step;
    if (here >= 0 && wanted >= 0 && wanted < columns.length) {
      // Past the neighbour on the right is before the one after it.
      const before = columns[step < 0 ? wanted : wanted + 1]?.id ?? null;
      void page.send({ moveColumn: { id, before } });
    }
  };
  const remove = () => {
    void page.send({ removeColumn: { id } });
    dialog.close();
  };

  render(
    html`<form @submit=${save}>
      <h2 id="settings-title">Column</h2>
      <label>Title <input name="title" .value=${column.title} autocomplete="off" /></label>
      <label
        >Cards at a time, at most
        <input
          name="limit"
          type="number"
          inputmode="numeric"
          min="1"
          max="500"
          placeholder="No limit"
          .value=${column.limit === null ? '' : String(column.limit)}
      /></label>
      <div class="actions place">
        <button type="button" @click=${move(-1)}>${icons.left} Move left</button>
        <button type="button" @click=${move(1)}>Move right ${icons.right}</button>
      </div>
      <div class="actions">
        <button type="submit" class="primary">Save</button>
        <button type="button" class="quiet" @click=${() => dialog.close()}>Cancel</button>
        <button type="button" class="quiet danger end" @click=${remove}>
          ${icons.remove} Remove column
        </button>
      </div>
    </form>`,
    dialog,
  );
  document.body.append(dialog);
  dialog.showModal();
}
