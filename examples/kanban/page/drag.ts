/**
 * Moving a card: by mouse, by finger on its grip, or by keyboard.
 *
 * While it is moved the card is *lifted*: the board is drawn as if it lay
 * where it would be dropped, and nothing is sent. Dropping submits one move,
 * which names the column that the card was taken from; if somebody else has
 * moved it meanwhile, the machine refuses, and the page says so.
 */

import type { State } from '@aper-examples/kanban';

import { toast } from '../../shared/toast.js';
import { arranged, type BoardPage, type Card, type Place } from './types.js';

export interface Drag extends Place {
  title: string;
  from: string;
  by: 'pointer' | 'keyboard';
}

/** A press becomes a drag when the pointer has gone this far, in pixels. */
const THRESHOLD = 5;

/** This near to its edge a list scrolls by itself, in pixels. */
const EDGE = 56;

export class Dragging {
  current: Drag | undefined;
  announcement = '';
  #page: BoardPage | undefined;
  #justDragged = false;

  attach(page: BoardPage): void {
    this.#page = page;
    document.addEventListener('keydown', (event) => this.#key(event), { capture: true });
  }

  /** To be called with each new state: ends the drag of a card that is gone. */
  follow(state: State): void {
    const { current } = this;
    if (!current) {
      return;
    }
    if (state.cards.every((card) => card.id !== current.card)) {
      this.#end();
      toast('Somebody else has removed that card.', 'refusal');
    } else if (state.columns.every((column) => column.id !== current.to)) {
      this.current = { ...current, to: current.from, before: null };
    }
  }

  /** Whether a click is a click, and not the end of a drag. */
  clicked(): boolean {
    return !this.#justDragged;
  }

  // By pointer

  /** A press on a card. A finger drags by the grip; elsewhere it scrolls. */
  press(down: PointerEvent, card: Card): void {
    const target = down.target as HTMLElement;
    const onGrip = target.closest('.grip') !== null;
    if (down.button !== 0 || !down.isPrimary || (down.pointerType !== 'mouse' && !onGrip)) {
      return;
    }
    const element = target.closest<HTMLElement>('[data-card]');
    if (element) {
      this.#justDragged = false;
      this.#drag(down, card, element);
    }
  }

  #drag(down: PointerEvent, card: Card, element: HTMLElement): void {
    const box = element.getBoundingClientRect();
    let ghost: HTMLElement | undefined;
    let at = { x: down.clientX, y: down.clientY };
    let frame = 0;

    const move = (event: PointerEvent) => {
      if (event.pointerId !== down.pointerId) {
        return;
      }
      at = { x: event.clientX, y: event.clientY };
      if (!ghost) {
        if (Math.hypot(at.x - down.clientX, at.y - down.clientY) < THRESHOLD) {
          return;
        }
        ghost = this.#lift(element, box, card);
        // To what stays: drawing replaces the card that was pressed.
        document.querySelector('.board')?.setPointerCapture(down.pointerId);
        frame = requestAnimationFrame(step);
      }
      ghost.style.translate = `${at.x - down.clientX}px ${at.y - down.clientY}px`;
      this.#aim(at.x, at.y);
    };
    // Also while the pointer rests: what is under it scrolls.
    const step = () => {
      scrollNear(at.x, at.y);
      this.#aim(at.x, at.y);
      frame = requestAnimationFrame(step);
    };
    const stop = (event: Event, drop: boolean) => {
      if (event instanceof PointerEvent && event.pointerId !== down.pointerId) {
        return;
      }
      listening.abort();
      cancelAnimationFrame(frame);
      ghost?.remove();
      if (ghost) {
        // The click that follows a mouse's release is not meant.
        this.#justDragged = true;
        setTimeout(() => (this.#justDragged = false));
      }
      if (drop) {
        this.#drop();
      } else {
        this.#cancel();
      }
    };
    const listening = new AbortController();
    const { signal } = listening;
    window.addEventListener('pointermove', move, { signal });
    window.addEventListener('pointerup', (event) => stop(event, true), { signal });
    window.addEventListener('pointercancel', (event) => stop(event, false), { signal });
    window.addEventListener('blur', (event) => stop(event, false), { signal });
    window.addEventListener(
      'keydown',
      (event) => {
        if (event.key === 'Escape') {
          stop(event, false);
        }
      },
      { signal },
    );
  }

  /** A picture of the card, which follows the pointer. */
  #lift(element: HTMLElement, box: DOMRect, card: Card): HTMLElement {
    const ghost = element.cloneNode(true) as HTMLElement;
    ghost.removeAttribute('data-card');
    ghost.classList.add('ghost');
    ghost.inert = true;
    Object.assign(ghost.style, {
      left: `${box.left}px`,
      top: `${box.top}px`,
      width: `${box.width}px`,
      height: `${box.height}px`,
    });
    document.body.append(ghost);
    this.#start(card, 'pointer');
    return ghost;
  }

  /** Takes the place under the pointer for the place to drop. */
  #aim(x: number, y: number): void {
    const column = columnAt(x);
    if (!column || !this.current) {
      return;
    }
    const others = [...column.querySelectorAll<HTMLElement>('[data-card]:not(.lifted)')];
    const below = others.find((other) => {
      const box = other.getBoundingClientRect();
      return y < box.top + box.height / 2;
    });
    this.#place(column.dataset['column'] ?? '', below?.dataset['card'] ?? null);
  }

  // By keyboard

  /** A press of a card's grip by keyboard: lifts the card, or drops it. */
  toggle(event: MouseEvent, card: Card): void {
    // A click of the keyboard has no place; one of a screen reader neither.
    if (event.detail !== 0) {
      return;
    }
    if (this.current?.by === 'keyboard') {
      this.#drop();
    } else {
      this.#start(card, 'keyboard');
      this.#announce('Lifted. Arrow keys move it, Enter drops it, Escape puts it back.');
    }
    this.#focus(card.id);
  }

  #key(event: KeyboardEvent): void {
    if (this.current?.by !== 'keyboard') {
      return;
    }
    const { card } = this.current;
    const steps: Record<string, () => void> = {
      ArrowUp: () => this.#step(0, -1),
      ArrowDown: () => this.#step(0, 1),
      ArrowLeft: () => this.#step(-1, 0),
      ArrowRight: () => this.#step(1, 0),
      Escape: () => this.#cancel(),
      Tab: () => this.#cancel(),
    };
    const step = steps[event.key];
    if (step) {
      if (event.key !== 'Tab') {
        event.preventDefault();
      }
      step();
      this.#focus(card);
    }
  }

  #step(columns: number, rows: number): void {
    const state = this.#page?.client.state;
    const { current } = this;
    if (!state || !current) {
      return;
    }
    const here = state.columns.findIndex((column) => column.id === current.to);
    const column = state.columns[Math.min(Math.max(here + columns, 0), state.columns.length - 1)];
    const byColumn = arranged(state, current);
    const row = (byColumn.get(current.to) ?? []).findIndex((card) => card.id === current.card);
    if (!column) {
      return;
    }
    const others = (byColumn.get(column.id) ?? []).filter((card) => card.id !== current.card);
    const wanted = Math.min(Math.max(row + rows, 0), others.length);
    this.#place(column.id, others[wanted]?.id ?? null);
    this.#announce(`${column.title}, place ${wanted + 1} of ${others.length + 1}.`);
  }

  #focus(card: string): void {
    const grip = document.querySelector<HTMLElement>(`[data-card="${CSS.escape(card)}"] .grip`);
    grip?.focus();
    grip?.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'smooth' });
  }

  // Both

  #start(card: Card, by: Drag['by']): void {
    const state = this.#page?.client.state;
    if (!state) {
      return;
    }
    const siblings = state.cards.filter((other) => other.column === card.column);
    const next = siblings[siblings.findIndex((other) => other.id === card.id) + 1];
    this.current = {
      card: card.id,
      title: card.title,
      from: card.column,
      to: card.column,
      before: next?.id ?? null,
      by,
    };
    this.#page?.draw();
  }

  #place(to: string, before: string | null): void {
    if (this.current && (this.current.to !== to || this.current.before !== before)) {
      this.current = { ...this.current, to, before };
      this.#page?.draw();
    }
  }

  #drop(): void {
    const { current } = this;
    const page = this.#page;
    const state = page?.client.state;
    if (!current || !page || !state) {
      return;
    }
    const { card: id, from, to, before, title } = current;
    const order = (place?: Place) => (arranged(state, place).get(to) ?? []).map((card) => card.id);
    const moved = order().join() !== order(current).join();
    this.#end();
    if (moved) {
      // Shown at once by the prediction, so the card does not jump back between.
      void page.send({ moveCard: { id, from, to, before } });
    }
    this.#announce(`“${title}” dropped.`);
    page.draw();
  }

  #cancel(): void {
    if (this.current) {
      this.#end();
      this.#announce('Put back.');
      this.#page?.draw();
    }
  }

  #end(): void {
    this.current = undefined;
  }

  #announce(text: string): void {
    this.announcement = text;
    this.#page?.draw();
  }
}

/** The column at a place, or the nearest to it. */
function columnAt(x: number): HTMLElement | undefined {
  const distance = (column: HTMLElement) => {
    const box = column.getBoundingClientRect();
    return Math.max(box.left - x, x - box.right, 0);
  };
  const columns = [...document.querySelectorAll<HTMLElement>('[data-column]')];
  return columns.reduce<HTMLElement | undefined>(
    (nearest, column) => (!nearest || distance(column) < distance(nearest) ? column : nearest),
    undefined,
  );
}

/** Scrolls the board, and the column under the pointer, when it is near an edge. */
function scrollNear(x: number, y: number): void {
  const board = document.querySelector<HTMLElement>('.board');
  const list = columnAt(x)?.querySelector<HTMLElement>('.cards');
  if (board) {
    board.scrollLeft += pull(
      x,
      board.getBoundingClientRect().left,
      board.getBoundingClientRect().right,
    );
  }
  if (list) {
    list.scrollTop += pull(
      y,
      list.getBoundingClientRect().top,
      list.getBoundingClientRect().bottom,
    );
  }
}

/** How far to scroll: the nearer to the edge, the faster. */
function pull(at: number, start: number, end: number): number {
  if (at < start + EDGE) {
    return -Math.min((start + EDGE - at) / 4, 14);
  }
  return at > end - EDGE ? Math.min((at - end + EDGE) / 4, 14) : 0;
}
