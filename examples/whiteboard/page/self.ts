/** What this person shows to the others. */

import type { Pointer } from '@aper-examples/whiteboard';

import { newName, rememberedName, rememberName } from '../../shared/name.js';

/** Longest name, in characters. */
export const NAME_CHARS = 40;

/** Most points of what is shown of a stroke that is being drawn. */
export const SHOWN_POINTS = 300;

export class Self {
  #shown: Pointer = {
    name: rememberedName(),
    at: null,
    selected: null,
    dragged: null,
    drawing: null,
    color: 'ink',
  };
  readonly #show: (pointer: Pointer) => void;

  constructor(show: (pointer: Pointer) => void) {
    this.#show = show;
    show(this.#shown);
  }

  get shown(): Pointer {
    return this.#shown;
  }

  /** Shows this as well from now on. As often as one likes: it is sent as often as it may be. */
  change(changes: Partial<Pointer>): void {
    this.#shown = { ...this.#shown, ...changes };
    this.#show(this.#shown);
  }

  rename(name: string): void {
    const short = [...name.trim()].slice(0, NAME_CHARS).join('') || newName();
    rememberName(short);
    this.change({ name: short });
  }
}
