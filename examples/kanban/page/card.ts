/** A card, and the form that it becomes while somebody edits it. */

import type { State } from '@aper-examples/kanban';
import { html, nothing, type TemplateResult } from 'lit-html';

import { icons } from '../../shared/icons.js';
import { newId } from '../../shared/session.js';
import { toast } from '../../shared/toast.js';
import type { Dragging } from './drag.js';
import type { BoardPage, Card } from './types.js';

/** What somebody writes and has not saved. */
interface Draft {
  card: string;
  /** Where the card was last. */
  column: string;
  /** The revision that the draft started from. */
  revision: number;
  title: string;
  notes: string;
  /** Whether somebody else has saved another text meanwhile. */
  overtaken: boolean;
}

/** The one card that is being edited here, if any. */
export class Editing {
  draft: Draft | undefined;

  start(card: Card, page: BoardPage): void {
    const { id, column, revision, title, notes } = card;
    this.draft = { card: id, column, revision, title, notes, overtaken: false };
    page.draw();
    focusOn('.card-form [name=title]');
  }

  stop(page: BoardPage): void {
    const card = this.draft?.card;
    this.draft = undefined;
    page.draw();
    if (card !== undefined) {
      focusOn(`[data-card="${CSS.escape(card)}"] .open`);
    }
  }

  /** To be called with each new state, before it is drawn. */
  follow(state: State, page: BoardPage): void {
    const { draft } = this;
    if (!draft) {
      return;
    }
    const card = state.cards.find((card) => card.id === draft.card);
    if (card) {
      draft.column = card.column;
      keepFocus();
    } else {
      this.draft = undefined;
      toast('Somebody else has removed the card that you were editing.', 'refusal', {
        label: 'Keep my text',
        run: () => addAgain(draft, page),
      });
    }
  }

  async save(page: BoardPage): Promise<void> {
    const { draft } = this;
    if (!draft) {
      return;
    }
    const { card: id, column, revision, title, notes } = draft;
    const outcome = page.send({ editCard: { id, revision, title, notes } });
    this.stop(page);
    const result = await outcome;
    if (result?.ok === false && this.draft === undefined) {
      // What was written is not lost: it is there again, to be saved or not.
      const now = page.client.state?.cards.find((card) => card.id === id);
      if (now) {
        const overtaken = now.revision !== revision;
        this.draft = { card: id, column, revision: now.revision, title, notes, overtaken };
        page.draw();
      }
    }
  }
}

/** A new card with the text of a draft whose card is gone. */
function addAgain({ column, title, notes }: Draft, page: BoardPage): void {
  const id = newId();
  void page.send({ addCard: { id, column, title } });
  if (notes !== '') {
    // Sent at once, without waiting for the card: the server gets both in order.
    void page.send({ editCard: { id, revision: 0, title, notes } });
  }
}

/** When somebody else moves the card that is edited here, writing goes on. */
function keepFocus(): void {
  const field = document.activeElement;
  if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) {
    const { name, selectionStart, selectionEnd } = field;
    if (field.closest('.card-form')) {
      queueMicrotask(() => {
        if (!field.isConnected) {
          const again = document.querySelector<typeof field>(`.card-form [name=${name}]`);
          again?.focus();
          again?.setSelectionRange(selectionStart, selectionEnd);
        }
      });
    }
  }
}

function focusOn(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.focus();
}

export function cardView(
  card: Card,
  page: BoardPage,
  dragging: Dragging,
  editing: Editing,
): TemplateResult {
  if (editing.draft?.card === card.id) {
    return form(card, editing.draft, editing, page);
  }
  const lifted = dragging.current?.card === card.id;
  return html`<li
    class="card ${lifted ? 'lifted' : ''}"
    data-card=${card.id}
    @pointerdown=${(event: PointerEvent) => dragging.press(event, card)}
  >
    <button
      type="button"
      class="open"
      aria-label="Edit “${card.title}”"
      @click=${() => dragging.clicked() && editing.start(card, page)}
    >
      <span class="title">${card.title}</span>
      ${card.notes === '' ? nothing : html`<span class="notes">${card.notes}</span>`}
    </button>
    <button
      type="button"
      class="grip quiet"
      aria-label="Move “${card.title}”"
      aria-pressed=${lifted && dragging.current?.by === 'keyboard'}
      title="Drag, or press Enter and use the arrow keys"
      @click=${(event: MouseEvent) => dragging.toggle(event, card)}
    >
      ${icons.grip}
    </button>
  </li>`;
}

function form(card: Card, draft: Draft, editing: Editing, page: BoardPage): TemplateResult {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void editing.save(page);
  };
  const write = (event: InputEvent) => {
    const field = event.target as HTMLInputElement | HTMLTextAreaElement;
    draft[field.name === 'title' ? 'title' : 'notes'] = field.value;
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      editing.stop(page);
    } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      (event.currentTarget as HTMLFormElement).requestSubmit();
    }
  };
  const remove = () => {
    editing.stop(page);
    void page.send({ removeCard: { id: card.id } });
  };
  return html`<li class="card" data-card=${card.id}>
    <form
      class="card-form"
      aria-label="Edit card"
      @submit=${submit}
      @input=${write}
      @keydown=${keys}
    >
      ${
        draft.overtaken
          ? html`<p class="overtaken">
              Now it says “${card.title}”. This is your text: save it to replace theirs.
            </p>`
          : nothing
      }
      <input name="title" aria-label="Title" .defaultValue=${draft.title} autocomplete="off" />
      <textarea
        name="notes"
        aria-label="Notes"
        placeholder="Notes"
        rows="4"
        .defaultValue=${draft.notes}
      ></textarea>
      <div class="actions">
        <button type="submit" class="primary">Save</button>
        <button type="button" class="quiet" @click=${() => editing.stop(page)}>Cancel</button>
        <button
          type="button"
          class="icon quiet danger"
          aria-label="Remove the card"
          title="Remove the card"
          @click=${remove}
        >
          ${icons.remove}
        </button>
      </div>
    </form>
  </li>`;
}
