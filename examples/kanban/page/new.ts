/** A button that becomes a line to write in, for a new card or column. */

import { html, type TemplateResult } from 'lit-html';

import { icons } from '../../shared/icons.js';
import { newId } from '../../shared/session.js';

export interface NewOptions {
  /** Where the new thing would be: one line is open at a time. */
  where: string;
  button: string;
  placeholder: string;
  redraw: () => void;
  add: (id: string, title: string) => Promise<{ ok: boolean | null } | undefined>;
}

export class NewThing {
  #open: string | undefined;

  view(options: NewOptions): TemplateResult {
    return this.#open === options.where ? this.#form(options) : this.#button(options);
  }

  #button(options: NewOptions): TemplateResult {
    const open = () => {
      this.#open = options.where;
      options.redraw();
      document.querySelector<HTMLInputElement>('.new input')?.focus();
    };
    return html`<button type="button" class="quiet add" @click=${open}>
      ${icons.plus} ${options.button}
    </button>`;
  }

  #form(options: NewOptions): TemplateResult {
    const close = () => {
      this.#open = undefined;
      options.redraw();
    };
    const submit = async (event: SubmitEvent) => {
      event.preventDefault();
      const input = (event.currentTarget as HTMLFormElement).querySelector('input');
      const title = input?.value ?? '';
      if (input) {
        input.value = '';
      }
      const outcome = await options.add(newId(), title);
      if (outcome?.ok === false && input?.value === '') {
        // Refused: what was written is not lost.
        input.value = title;
      }
    };
    const leave = (event: FocusEvent) => {
      const form = event.currentTarget as HTMLFormElement;
      const stays = form.contains(event.relatedTarget as Node | null);
      if (!stays && form.isConnected && form.querySelector('input')?.value.trim() === '') {
        close();
      }
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key === 'Escape') {
        close();
      }
    };
    return html`<form class="new" @submit=${submit} @focusout=${leave} @keydown=${escape}>
      <input
        aria-label=${options.placeholder}
        placeholder=${options.placeholder}
        autocomplete="off"
      />
      <div class="actions">
        <button type="submit" class="primary">Add</button>
        <button type="button" class="quiet" @click=${close}>Close</button>
      </div>
    </form>`;
  }
}
