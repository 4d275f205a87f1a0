/**
 * What fingers, mouse and pen do on the board. One of them draws, selects and
 * moves, by the tool; two pan and zoom, whatever the tool.
 */

import type { Point, Shape } from '@aper-examples/whiteboard';

import { SHOWN_POINTS, type Self } from './self.js';
import { path } from './shapes.js';
import type { Pixel, Viewport } from './viewport.js';

export type Tool = 'select' | 'pen' | 'rectangle' | 'ellipse' | 'hand';

/** What a gesture comes to. */
export interface Deeds {
  draw(shape: Shape): void;
  move(id: string, by: Point): void;
  select(id: string | null): void;
}

/** Most points of a stroke: the machine takes no more. */
const POINTS = 2_000;

type Doing =
  | { kind: 'nothing' }
  | { kind: 'draw'; from: Point; points: Point[]; shape: Shape | undefined }
  | { kind: 'move'; id: string; from: Point; by: Point; node: globalThis.Element }
  | { kind: 'pan' }
  | { kind: 'pinch' };

export class Gestures {
  tool: Tool = 'pen';
  readonly #viewport: Viewport;
  readonly #self: Self;
  readonly #deeds: Deeds;
  readonly #fingers = new Map<number, Pixel>();
  #doing: Doing = { kind: 'nothing' };
  #board: SVGSVGElement | undefined;
  #draft: SVGPathElement | undefined;

  constructor(viewport: Viewport, self: Self, deeds: Deeds) {
    this.#viewport = viewport;
    this.#self = self;
    this.#deeds = deeds;
  }

  attach(board: SVGSVGElement, draft: SVGPathElement): void {
    this.#board = board;
    this.#draft = draft;
    board.addEventListener('pointerdown', this.#down);
    board.addEventListener('pointermove', this.#move);
    board.addEventListener('pointerup', this.#up);
    board.addEventListener('pointercancel', this.#cancel);
    board.addEventListener('pointerleave', () => this.#self.change({ at: null }));
    board.addEventListener('wheel', this.#wheel, { passive: false });
  }

  /** Gives up what is being done. */
  readonly cancel = (): void => {
    if (this.#doing.kind === 'move') {
      this.#shift(this.#doing.node, { x: 0, y: 0 });
    }
    this.#doing = { kind: 'nothing' };
    this.#show(undefined);
  };

  readonly #down = (event: PointerEvent): void => {
    if (event.button !== 0 && event.button !== 1) {
      return;
    }
    const pixel = this.#pixel(event);
    this.#board?.setPointerCapture(event.pointerId);
    this.#fingers.set(event.pointerId, pixel);
    if (this.#fingers.size === 2) {
      this.cancel();
      this.#doing = { kind: 'pinch' };
      return;
    }
    if (this.#fingers.size > 2) {
      return;
    }
    const at = this.#viewport.at(pixel);
    const node = (event.target as globalThis.Element).closest('[data-element]');
    if (this.tool === 'hand' || event.button === 1) {
      this.#doing = { kind: 'pan' };
    } else if (this.tool === 'select') {
      const id = node?.getAttribute('data-element') ?? null;
      this.#deeds.select(id);
      this.#doing =
        node === null || id === null
          ? { kind: 'pan' }
          : { kind: 'move', id, from: at, by: { x: 0, y: 0 }, node };
    } else {
      this.#doing = { kind: 'draw', from: at, points: [at], shape: undefined };
      this.#draw(at);
    }
    this.#self.change({ at });
  };

  readonly #move = (event: PointerEvent): void => {
    const pixel = this.#pixel(event);
    const at = this.#viewport.at(pixel);
    const before = this.#fingers.get(event.pointerId);
    if (before === undefined) {
      this.#self.change({ at });
      return;
    }
    const doing = this.#doing;
    if (doing.kind === 'pinch') {
      this.#pinch(event.pointerId, before, pixel);
    } else if (doing.kind === 'pan') {
      this.#viewport.pan(pixel.x - before.x, pixel.y - before.y);
    } else if (doing.kind === 'draw') {
      // What came between two frames is part of the stroke as well.
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length > 0 ? events : [event]) {
        this.#draw(this.#viewport.at(this.#pixel(each)));
      }
    } else if (doing.kind === 'move') {
      doing.by = { x: at.x - doing.from.x, y: at.y - doing.from.y };
      this.#shift(doing.node, doing.by);
      this.#self.change({ dragged: doing.by });
    }
    this.#fingers.set(event.pointerId, pixel);
    this.#self.change({ at });
  };

  readonly #up = (event: PointerEvent): void => {
    this.#fingers.delete(event.pointerId);
    const doing = this.#doing;
    if (doing.kind === 'pinch') {
      // The finger that is left does not begin to draw.
      this.#doing = this.#fingers.size > 0 ? doing : { kind: 'nothing' };
      return;
    }
    if (doing.kind === 'draw' && doing.shape !== undefined) {
      this.#deeds.draw(doing.shape);
    } else if (doing.kind === 'move' && (doing.by.x !== 0 || doing.by.y !== 0)) {
      this.#deeds.move(doing.id, doing.by);
    }
    this.cancel();
    if (event.pointerType === 'touch') {
      this.#self.change({ at: null });
    }
  };

  readonly #cancel = (event: PointerEvent): void => {
    this.#fingers.delete(event.pointerId);
    this.cancel();
  };

  #draw(at: Point): void {
    const doing = this.#doing;
    if (doing.kind !== 'draw') {
      return;
    }
    if (this.tool === 'pen') {
      const last = doing.points.at(-1);
      const far = last === undefined || Math.hypot(at.x - last.x, at.y - last.y) >= 2;
      if (far && doing.points.length < POINTS) {
        doing.points.push(at);
      }
      doing.shape = { stroke: [...doing.points] };
      const end = doing.points.slice(-SHOWN_POINTS);
      this.#show(doing.shape, { stroke: end });
      return;
    }
    const frame = { from: doing.from, to: at };
    const small = Math.abs(at.x - doing.from.x) < 3 && Math.abs(at.y - doing.from.y) < 3;
    if (small) {
      doing.shape = undefined;
    } else {
      doing.shape = this.tool === 'ellipse' ? { ellipse: frame } : { rectangle: frame };
    }
    this.#show(doing.shape, doing.shape);
  }

  /** Shows an element, and what says that it is selected, somewhere else. */
  #shift(node: globalThis.Element, { x, y }: Point): void {
    for (const each of [node, this.#board?.querySelector('.own.selection')]) {
      each?.setAttribute('transform', `translate(${x} ${y})`);
    }
  }

  /** Shows what is being drawn, here, and to the others. */
  #show(shape: Shape | undefined, shown: Shape | undefined = undefined): void {
    this.#draft?.setAttribute('d', shape === undefined ? '' : path(shape));
    this.#draft?.setAttribute('data-color', this.#self.shown.color);
    this.#draft?.setAttribute('data-kind', this.tool === 'pen' ? 'stroke' : 'area');
    this.#self.change({ drawing: shown ?? null, dragged: null });
  }

  #pinch(moved: number, before: Pixel, now: Pixel): void {
    const other = [...this.#fingers].find(([finger]) => finger !== moved)?.[1];
    if (other === undefined) {
      return;
    }
    const distance = (pixel: Pixel) => Math.hypot(pixel.x - other.x, pixel.y - other.y);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    this.#viewport.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    this.#viewport.zoom(distance(now) / Math.max(1, distance(before)), middle);
  }

  readonly #wheel = (event: WheelEvent): void => {
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    // A touchpad's pinch comes as a wheel with Control.
    if (event.ctrlKey || event.metaKey) {
      this.#viewport.zoom(Math.exp((-event.deltaY * unit) / 300), this.#pixel(event));
    } else {
      this.#viewport.pan(-event.deltaX * unit, -event.deltaY * unit);
    }
  };

  #pixel(event: MouseEvent): Pixel {
    const { left = 0, top = 0 } = this.#board?.getBoundingClientRect() ?? {};
    return { x: event.clientX - left, y: event.clientY - top };
  }
}

/** The middle of what is seen, for whoever draws by the keyboard. */
export function inTheMiddle(tool: Tool, { x, y }: Point): Shape | undefined {
  const frame = { from: { x: x - 60, y: y - 40 }, to: { x: x + 60, y: y + 40 } };
  return tool === 'rectangle'
    ? { rectangle: frame }
    : tool === 'ellipse'
      ? { ellipse: frame }
      : undefined;
}

