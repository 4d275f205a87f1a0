/** Which part of the board is seen. */

import type { Point } from '@aper-examples/whiteboard';

/** How far the board goes from its middle. */
export const FAR = 10_000;

const [SMALLEST, LARGEST] = [0.1, 8];

/** A place in the window, in CSS pixels from the corner of the board. */
export interface Pixel {
  x: number;
  y: number;
}

export class Viewport {
  /** Pixels for each unit of the board. */
  scale = 1;
  /** The unit that is in the middle of the window. */
  middle: Pixel = { x: 0, y: 0 };
  #size = { width: 1, height: 1 };
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** The board has so much room now. */
  resize(width: number, height: number): void {
    this.#size = { width: Math.max(1, width), height: Math.max(1, height) };
    this.#changed();
  }

  get box(): string {
    const [width, height] = [this.#size.width / this.scale, this.#size.height / this.scale];
    return `${this.middle.x - width / 2} ${this.middle.y - height / 2} ${width} ${height}`;
  }

  /** What is at a pixel. */
  at(pixel: Pixel): Point {
    const { width, height } = this.#size;
    return {
      x: within(Math.round(this.middle.x + (pixel.x - width / 2) / this.scale)),
      y: within(Math.round(this.middle.y + (pixel.y - height / 2) / this.scale)),
    };
  }

  /** Where a place is. */
  pixel(place: Pixel): Pixel {
    const { width, height } = this.#size;
    return {
      x: (place.x - this.middle.x) * this.scale + width / 2,
      y: (place.y - this.middle.y) * this.scale + height / 2,
    };
  }

  pan(x: number, y: number): void {
    this.middle = {
      x: within(this.middle.x - x / this.scale),
      y: within(this.middle.y - y / this.scale),
    };
    this.#changed();
  }

  /** So much larger, around a pixel that stays where it is. */
  zoom(factor: number, around: Pixel = { x: this.#size.width / 2, y: this.#size.height / 2 }): void {
    const scale = Math.min(LARGEST, Math.max(SMALLEST, this.scale * factor));
    const { width, height } = this.#size;
    const change = 1 / this.scale - 1 / scale;
    this.middle = {
      x: within(this.middle.x + (around.x - width / 2) * change),
      y: within(this.middle.y + (around.y - height / 2) * change),
    };
    this.scale = scale;
    this.#changed();
  }
}

function within(unit: number): number {
  return Math.min(FAR, Math.max(-FAR, unit));
}
