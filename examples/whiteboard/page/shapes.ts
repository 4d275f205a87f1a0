/** What elements look like, and where they are. */

import type { Color, Element, Point, Shape } from '@aper-examples/whiteboard';

import { match } from '../../shared/match.js';

export const COLORS: readonly Color[] = ['ink', 'red', 'yellow', 'green', 'blue', 'violet'];

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

// What did not change in the state is the same object, so it is worked out once.
const paths = new WeakMap<Shape, string>();
const boxes = new WeakMap<Shape, Box>();

/** The outline, for the `d` of a path. */
export function path(shape: Shape): string {
  return remembered(paths, shape, outline);
}

/** The rectangle that it fills. */
export function box(shape: Shape): Box {
  return remembered(boxes, shape, (shape) => around(corners(shape)));
}

/** What a screen reader calls it. */
export function named({ shape, color }: Element): string {
  const kind = 'rectangle' in shape ? 'Rectangle' : 'ellipse' in shape ? 'Ellipse' : 'Stroke';
  return `${kind}, ${color}`;
}

function outline(shape: Shape): string {
  return match(shape, {
    rectangle: () => {
      const { x, y, width, height } = box(shape);
      return `M${x} ${y}h${width}v${height}h${-width}z`;
    },
    ellipse: () => {
      const { x, y, width, height } = box(shape);
      const [rx, ry] = [width / 2, height / 2];
      return `M${x} ${y + ry}a${rx} ${ry} 0 1 0 ${width} 0a${rx} ${ry} 0 1 0 ${-width} 0z`;
    },
    stroke: (points) => smooth(points),
  });
}

/** Through the middles between the points, so that it has no corners. */
function smooth(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) {
    return '';
  }
  let d = `M${first.x} ${first.y}`;
  let last = first;
  for (const point of rest) {
    d += `Q${last.x} ${last.y} ${(last.x + point.x) / 2} ${(last.y + point.y) / 2}`;
    last = point;
  }
  // A line of no length has round ends, and so is a dot.
  return `${d}L${last.x} ${last.y}`;
}

function corners(shape: Shape): readonly Point[] {
  return match(shape, {
    rectangle: ({ from, to }) => [from, to],
    ellipse: ({ from, to }) => [from, to],
    stroke: (points) => points,
  });
}

function around(points: readonly Point[]): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

function remembered<T>(made: WeakMap<Shape, T>, shape: Shape, make: (shape: Shape) => T): T {
  const known = made.get(shape);
  if (known !== undefined) {
    return known;
  }
  const fresh = make(shape);
  made.set(shape, fresh);
  return fresh;
}
