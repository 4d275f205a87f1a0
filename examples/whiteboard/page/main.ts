/**
 * The whiteboard. What is drawn is the state, and drawn from it like any page;
 * what the others are doing just now is drawn by {@link Others}, each frame.
 */

import {
  connect,
  type Client,
  type Color,
  type Conflict,
  type Element,
  type Pointer,
  type Shape,
  type State,
  type Transition,
} from '@aper-examples/whiteboard';
import { html, nothing, svg, type SVGTemplateResult, type TemplateResult } from 'lit-html';
import { ref } from 'lit-html/directives/ref.js';
import { repeat } from 'lit-html/directives/repeat.js';

import { match } from '../../shared/match.js';
import { openPage, type Page } from '../../shared/page.js';
import { newId } from '../../shared/session.js';
import { Gestures, inTheMiddle, type Tool } from './gestures.js';
import { Others } from './others.js';
import { Self } from './self.js';
import { box, named, path } from './shapes.js';
import { people, toolbar, TOOLS } from './toolbar.js';
import { Viewport } from './viewport.js';

type BoardPage = Page<State, Transition, Conflict>;

/** How far an arrow key moves an element, and with Shift. */
const [STEP, SMALL_STEP] = [20, 2];

let client: Client | undefined;
/** The board, when it is on the page. */
let board: globalThis.Element | undefined;
/** Whom of the others the page shows. */
let known = '';

const viewport: Viewport = new Viewport(() => {
  board?.setAttribute('viewBox', viewport.box);
  others.show(viewport.box);
  others.wake();
});
const others = new Others(viewport);
const self = new Self((pointer) => client?.setPresence(pointer));
const gestures = new Gestures(viewport, self, {
  draw,
  move: (id, by) => void page.send({ move: { id, by } }),
  select,
});

const page: BoardPage = await openPage<State, Transition, Conflict>({
  machine: 'whiteboard',
  title: 'Whiteboard',
  connect: async (url) => (client = await connect(url)),
  explain,
  view,
  undo: true,
});
self.change({});
client!.subscribePresence(look);
look();
document.addEventListener('keydown', key);
Object.assign(globalThis, { whiteboard: { client, others, viewport } });

/** The others show something else. */
function look(): void {
  const presence: ReadonlyMap<number, Pointer> = client?.presence ?? new Map();
  others.update(presence);
  // Everything else of it is drawn frame by frame.
  const present = JSON.stringify([...presence].map(([id, { name }]) => [id, name]));
  if (present !== known) {
    known = present;
    page.draw();
  }
}

function explain(conflict: Conflict): string {
  return match(conflict, {
    noSuchElement: () => 'Somebody else has erased that.',
    repeatedId: () => 'That is there already.',
    beyondTheEdge: () => 'That would be beyond the edge of the board.',
    boardFull: ({ max }) => `A board takes ${max} elements at most. Erase some first.`,
    pointCount: ({ max }) => `A stroke has ${max} points at most.`,
  });
}

function view(state: State, page: BoardPage): TemplateResult {
  others.follow(state.elements);
  const { selected, color } = self.shown;
  const chosen = state.elements.find((element) => element.id === selected);
  return html`
    <div class="whiteboard" data-tool=${gestures.tool}>
      <svg
        id="board"
        tabindex="0"
        role="application"
        aria-label="The board. Tab goes from element to element, arrow keys move one."
        ${ref(attach)}
      >
        <g>
          ${repeat(
            state.elements,
            (element) => element.id,
            (element) => elementView(element),
          )}
        </g>
        <path class="draft" d=""></path>
        ${chosen === undefined ? nothing : selection(chosen)}
      </svg>
      <svg class="marks" aria-hidden="true"></svg>
      <div class="cursors" aria-hidden="true"></div>
      ${people(client?.presence ?? new Map(), self, page.draw)}
      ${toolbar({
        tool: gestures.tool,
        color: chosen?.color ?? color,
        isSelected: chosen !== undefined,
        choose,
        paint,
        erase,
        raise,
        zoom: (factor) => viewport.zoom(factor),
      })}
    </div>
  `;
}

function elementView(element: Element): SVGTemplateResult {
  return svg`<path
    class="element"
    d=${path(element.shape)}
    data-element=${element.id}
    data-color=${element.color}
    data-kind=${'stroke' in element.shape ? 'stroke' : 'area'}
    tabindex="0"
    role="img"
    aria-label=${named(element)}
    @focus=${() => select(element.id)}
  ></path>`;
}

function selection(element: Element): SVGTemplateResult {
  const { x, y, width, height } = box(element.shape);
  return svg`<rect
    class="own selection"
    x=${x - 8}
    y=${y - 8}
    width=${width + 16}
    height=${height + 16}
  ></rect>`;
}

/** The board is on the page now. */
function attach(found: globalThis.Element | undefined): void {
  if (found === undefined || found === board) {
    return;
  }
  board = found;
  // What is in it and around it is there after this drawing.
  queueMicrotask(() => {
    const root = found.closest('.whiteboard')!;
    others.attach(root.querySelector('.cursors')!, root.querySelector('.marks')!);
    others.show(viewport.box);
    gestures.attach(found as SVGSVGElement, found.querySelector('.draft')!);
    new ResizeObserver(([entry]) => {
      const { width = 1, height = 1 } = entry?.contentRect ?? {};
      viewport.resize(width, height);
    }).observe(found);
    others.update(client?.presence ?? new Map());
  });
}

function draw(shape: Shape): void {
  void page.send({ draw: { id: newId(), shape, color: self.shown.color } });
}

function choose(tool: Tool): void {
  gestures.cancel();
  gestures.tool = tool;
  if (tool !== 'select') {
    self.change({ selected: null });
  }
  page.draw();
}

function select(id: string | null): void {
  if (self.shown.selected !== id) {
    self.change({ selected: id });
    page.draw();
  }
}

function paint(color: Color): void {
  self.change({ color });
  const { selected } = self.shown;
  if (selected !== null) {
    void page.send({ recolor: { id: selected, color } });
  }
  page.draw();
}

function erase(): void {
  const { selected } = self.shown;
  if (selected !== null) {
    select(null);
    void page.send({ erase: { id: selected } });
  }
}

function raise(): void {
  const { selected } = self.shown;
  if (selected !== null) {
    void page.send({ raise: { id: selected } });
  }
}

function key(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input, dialog')) {
    return;
  }
  const tool = TOOLS.find(({ key }) => key === event.key.toLowerCase())?.tool;
  if (tool !== undefined) {
    choose(tool);
  } else if (event.key === 'Delete' || event.key === 'Backspace') {
    erase();
  } else if (event.key === 'Escape') {
    gestures.cancel();
    select(null);
  } else if (event.key === '+' || event.key === '-') {
    viewport.zoom(event.key === '+' ? 1.25 : 0.8);
  } else if (event.key === 'Enter' && target.id === 'board') {
    const { x, y } = viewport.middle;
    const shape = inTheMiddle(gestures.tool, { x: Math.round(x), y: Math.round(y) });
    if (shape !== undefined) {
      draw(shape);
    }
  } else if (event.key.startsWith('Arrow') && target.closest('#board')) {
    arrow(event.key, event.shiftKey ? SMALL_STEP : STEP);
  } else {
    return;
  }
  event.preventDefault();
}

/** Moves what is selected, or what is seen. */
function arrow(key: string, step: number): void {
  const by = {
    x: key === 'ArrowLeft' ? -step : key === 'ArrowRight' ? step : 0,
    y: key === 'ArrowUp' ? -step : key === 'ArrowDown' ? step : 0,
  };
  const { selected } = self.shown;
  if (selected === null) {
    viewport.pan(-by.x * viewport.scale, -by.y * viewport.scale);
  } else {
    void page.send({ move: { id: selected, by } });
  }
}
