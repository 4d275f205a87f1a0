/** The tools and colours, and who is here. */

import type { Color, Pointer } from '@aper-examples/whiteboard';
import { html, nothing, svg, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';

import { icons } from '../../shared/icons.js';
import { hue } from '../../shared/name.js';
import type { Tool } from './gestures.js';
import { NAME_CHARS, type Self } from './self.js';
import { COLORS } from './shapes.js';

export const TOOLS: readonly { tool: Tool; name: string; key: string }[] = [
  { tool: 'select', name: 'Select and move', key: 'v' },
  { tool: 'hand', name: 'Move the board', key: 'h' },
  { tool: 'pen', name: 'Pen', key: 'p' },
  { tool: 'rectangle', name: 'Rectangle', key: 'r' },
  { tool: 'ellipse', name: 'Ellipse', key: 'o' },
];

const pictures: Record<Tool, TemplateResult> = {
  select: picture(svg`<path d="M5 4l6 15 2.3-6.2L19.5 10.5z" />`),
  hand: picture(
    svg`<path d="M12 4v16M4 12h16M12 4l-2.5 2.5M12 4l2.5 2.5M12 20l-2.5-2.5M12 20l2.5-2.5M4 12l2.5-2.5M4 12l2.5 2.5M20 12l-2.5-2.5M20 12l-2.5 2.5" />`,
  ),
  pen: picture(svg`<path d="M4 20l1-5L16.5 3.5a2.1 2.1 0 0 1 4 4L9 19z" />`),
  rectangle: picture(svg`<rect x="4" y="6" width="16" height="12" rx="1" />`),
  ellipse: picture(svg`<ellipse cx="12" cy="12" rx="9" ry="7" />`),
};

const front = picture(svg`<path d="M8 8V4h12v12h-4" /><rect x="4" y="8" width="12" height="12" fill="currentColor" />`);

/** What the toolbar shows and does. */
export interface Tools {
  tool: Tool;
  color: Color;
  isSelected: boolean;
  choose: (tool: Tool) => void;
  paint: (color: Color) => void;
  erase: () => void;
  raise: () => void;
  zoom: (factor: number) => void;
}

export function toolbar(tools: Tools): TemplateResult {
  return html`<div class="toolbar" role="toolbar" aria-label="Tools">
    <div class="group">
      ${TOOLS.map(
        ({ tool, name, key }) =>
          html`<button
            type="button"
            class="icon quiet"
            data-choose=${tool}
            aria-pressed=${tools.tool === tool}
            aria-label=${name}
            title="${name} (${key.toUpperCase()})"
            @click=${() => tools.choose(tool)}
          >
            ${pictures[tool]}
          </button>`,
      )}
    </div>
    <div class="group" role="group" aria-label="Colours">
      ${COLORS.map(
        (color) =>
          html`<button
            type="button"
            class="icon quiet color"
            data-color=${color}
            aria-pressed=${tools.color === color}
            aria-label=${`Colour: ${color}`}
            title=${color}
            @click=${() => tools.paint(color)}
          >
            <span></span>
          </button>`,
      )}
    </div>
    <div class="group">
      ${
        tools.isSelected
          ? html`${action('To the front', front, tools.raise)}
            ${action('Erase', icons.remove, tools.erase)}`
          : html`${action('Smaller', icons.minus, () => tools.zoom(0.8))}
            ${action('Larger', icons.plus, () => tools.zoom(1.25))}`
      }
    </div>
  </div>`;
}

/** Most people whose initials are shown. */
const INITIALS = 5;

export function people(
  presence: ReadonlyMap<number, Pointer>,
  self: Self,
  redraw: () => void,
): TemplateResult {
  const all = [...presence];
  const rename = (event: Event): void => {
    self.rename((event.target as HTMLInputElement).value);
    redraw();
  };
  return html`<div class="people">
    <label>
      <span class="hidden-text">Your name, as the others see it</span>
      <input
        class="name"
        maxlength=${NAME_CHARS}
        .value=${self.shown.name}
        @change=${rename}
        @keydown=${(event: KeyboardEvent) => {
          if (event.key === 'Enter') {
            (event.target as HTMLInputElement).blur();
          }
        }}
      />
    </label>
    <ul aria-label="Who else is here" data-count=${all.length}>
      ${repeat(
        all.slice(0, INITIALS),
        ([client]) => client,
        ([client, { name }]) =>
          html`<li style="--hue: ${hue(client)}" title=${name}>
            <span aria-hidden="true">${initials(name)}</span>
            <span class="hidden-text">${name}</span>
          </li>`,
      )}
      ${
        all.length > INITIALS
          ? html`<li class="more">+${all.length - INITIALS}</li>`
          : nothing
      }
    </ul>
  </div>`;
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => word !== '');
  return words
    .slice(0, 2)
    .map((word) => [...word][0]?.toUpperCase() ?? '')
    .join('');
}

function action(name: string, icon: TemplateResult, act: () => void): TemplateResult {
  return html`<button
    type="button"
    class="icon quiet"
    aria-label=${name}
    title=${name}
    @click=${act}
  >
    ${icon}
  </button>`;
}

function picture(shape: ReturnType<typeof svg>): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${shape}</svg>`;
}
