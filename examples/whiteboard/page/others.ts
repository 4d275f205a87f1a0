/**
 * What the others are doing: their cursors with their names, what they have
 * selected, and what they are just drawing or moving.
 *
 * It changes far more often than the board, so it is not drawn with it: each
 * person has a few nodes of their own, and each frame moves those that are not
 * yet where they should be. Between two values that came a cursor glides.
 */

import type { Element, Pointer } from '@aper-examples/whiteboard';

import { hue } from '../../shared/name.js';
import { box, path } from './shapes.js';
import type { Pixel, Viewport } from './viewport.js';

/** In what time a cursor has gone most of its way, in milliseconds. */
const GLIDE = 45;

interface Person {
  readonly cursor: HTMLElement;
  readonly name: HTMLElement;
  readonly selection: SVGRectElement;
  readonly ghost: SVGPathElement;
  pointer: Pointer;
  /** Where the cursor is shown, on the board. */
  place: Pixel | undefined;
}

export class Others {
  readonly #viewport: Viewport;
  readonly #people = new Map<number, Person>();
  #cursors: HTMLElement | null = null;
  /** Lies over the board: what moves in it does not have the board drawn again. */
  #marks: SVGSVGElement | null = null;
  #elements = new Map<string, Element>();
  #frame = 0;
  #last = 0;
  /** Frames that were drawn, for tests and the curious. */
  frames = 0;

  constructor(viewport: Viewport) {
    this.#viewport = viewport;
  }

  /** Where to draw. */
  attach(cursors: HTMLElement, marks: SVGSVGElement): void {
    this.#cursors = cursors;
    this.#marks = marks;
  }

  /** Which part of the board is seen, as a `viewBox`. */
  show(box: string): void {
    this.#marks?.setAttribute('viewBox', box);
  }

  /** The board is another one. */
  follow(elements: readonly Element[]): void {
    this.#elements = new Map(elements.map((element) => [element.id, element]));
    this.wake();
  }

  /** The others show something else. */
  update(presence: ReadonlyMap<number, Pointer>): void {
    for (const [client, person] of this.#people) {
      if (!presence.has(client)) {
        this.#people.delete(client);
        [person.cursor, person.selection, person.ghost].forEach((node) => node.remove());
      }
    }
    for (const [client, pointer] of presence) {
      const person = this.#people.get(client) ?? this.#meet(client, pointer);
      if (person !== undefined && person.pointer !== pointer) {
        person.pointer = pointer;
        if (person.name.textContent !== pointer.name) {
          person.name.textContent = pointer.name;
        }
      }
    }
    this.wake();
  }

  /** Draws the next frame, and those after it as long as something moves. */
  readonly wake = (): void => {
    if (this.#frame === 0) {
      this.#frame = requestAnimationFrame(this.#draw);
    }
  };

  #meet(client: number, pointer: Pointer): Person | undefined {
    if (this.#cursors === null || this.#marks === null) {
      return undefined;
    }
    const cursor = document.createElement('div');
    cursor.className = 'cursor';
    cursor.style.setProperty('--hue', String(hue(client)));
    cursor.innerHTML =
      '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 3l7 18 2.6-7.4L21 11z"/></svg>';
    const name = document.createElement('span');
    name.textContent = pointer.name;
    cursor.append(name);
    const selection = svg('rect', 'selection');
    const ghost = svg('path', 'ghost');
    for (const node of [selection, ghost]) {
      node.style.setProperty('--hue', String(hue(client)));
    }
    this.#marks.append(selection, ghost);
    this.#cursors.append(cursor);
    const person = { cursor, name, selection, ghost, pointer, place: undefined };
    this.#people.set(client, person);
    return person;
  }

  readonly #draw = (now: number): void => {
    this.#frame = 0;
    this.frames += 1;
    // After a rest the first step is a short one.
    const step = 1 - Math.exp(-Math.min(now - this.#last, 50) / GLIDE);
    this.#last = now;
    let moves = false;
    for (const person of this.#people.values()) {
      moves = this.#drawCursor(person, step) || moves;
      this.#drawMarks(person);
    }
    if (moves) {
      this.wake();
    }
  };

  /** Whether it is still on its way. */
  #drawCursor(person: Person, step: number): boolean {
    const { at } = person.pointer;
    person.cursor.hidden = at === null;
    if (at === null) {
      person.place = undefined;
      return false;
    }
    const from = person.place ?? at;
    const place = { x: from.x + (at.x - from.x) * step, y: from.y + (at.y - from.y) * step };
    const left = Math.hypot(at.x - place.x, at.y - place.y) * this.#viewport.scale;
    const arrived = left < 0.3;
    person.place = arrived ? at : place;
    const { x, y } = this.#viewport.pixel(person.place);
    person.cursor.style.transform = `translate3d(${x.toFixed(1)}px, ${y.toFixed(1)}px, 0)`;
    return !arrived;
  }

  #drawMarks({ pointer, selection, ghost }: Person): void {
    const { selected, dragged, drawing } = pointer;
    const element = selected === null ? undefined : this.#elements.get(selected);
    const by = dragged ?? { x: 0, y: 0 };
    set(selection, 'display', element === undefined ? 'none' : 'inline');
    if (element !== undefined) {
      const { x, y, width, height } = box(element.shape);
      set(selection, 'x', x + by.x - 8);
      set(selection, 'y', y + by.y - 8);
      set(selection, 'width', width + 16);
      set(selection, 'height', height + 16);
    }
    const moved = element !== undefined && dragged !== null;
    const shape = drawing ?? (moved ? element.shape : undefined);
    set(ghost, 'display', shape === undefined ? 'none' : 'inline');
    if (shape !== undefined) {
      set(ghost, 'd', path(shape));
      const offset = drawing === null ? by : { x: 0, y: 0 };
      set(ghost, 'transform', `translate(${offset.x} ${offset.y})`);
      set(ghost, 'data-color', drawing === null && moved ? element.color : pointer.color);
      set(ghost, 'data-kind', 'stroke' in shape ? 'stroke' : 'area');
    }
  }
}

/** What is the same is not touched: the browser would draw it again. */
function set(node: globalThis.Element, name: string, value: string | number): void {
  const text = String(value);
  if (node.getAttribute(name) !== text) {
    node.setAttribute(name, text);
  }
}

function svg<K extends keyof SVGElementTagNameMap>(
  name: K,
  className: string,
): SVGElementTagNameMap[K] {
  const node = document.createElementNS('http://www.w3.org/2000/svg', name);
  node.setAttribute('class', className);
  return node;
}
