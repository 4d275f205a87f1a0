/** The few pictures that the pages use, drawn in the colour of the text. */

import { html, svg, type SVGTemplateResult, type TemplateResult } from 'lit-html';

const icon = (shape: SVGTemplateResult): TemplateResult =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${shape}</svg>`;

export const icons = {
  logo: icon(
    svg`<circle cx="7" cy="17" r="4" /><circle cx="17" cy="17" r="4" /><circle cx="12" cy="8" r="4" />`,
  ),
  invite: icon(
    svg`<circle cx="9" cy="8" r="4" /><path d="M2 21c0-4 3-6 7-6s7 2 7 6M19 8v6M16 11h6" />`,
  ),
  auto: icon(
    svg`<circle cx="12" cy="12" r="9" /><path d="M12 3a9 9 0 0 1 0 18z" fill="currentColor" />`,
  ),
  light: icon(
    svg`<circle cx="12" cy="12" r="4" /><path d="M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5" />`,
  ),
  dark: icon(svg`<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z" />`),
  plus: icon(svg`<path d="M12 5v14M5 12h14" />`),
  minus: icon(svg`<path d="M5 12h14" />`),
  pause: icon(svg`<path d="M9 5v14M15 5v14" />`),
  play: icon(svg`<path d="M7 4.5v15l12-7.5z" />`),
  restart: icon(svg`<path d="M4 12a8 8 0 1 0 2.6-5.9L4 8.5M4 4v4.5h4.5" />`),
  undo: icon(svg`<path d="M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3" />`),
  redo: icon(svg`<path d="m15 14 5-5-5-5M20 9H10a6 6 0 0 0 0 12h3" />`),
  remove: icon(svg`<path d="M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13" />`),
  close: icon(svg`<path d="M6 6l12 12M18 6 6 18" />`),
  sound: icon(svg`<path d="M4 9v6h4l5 4V5L8 9zM16.5 9a4 4 0 0 1 0 6M19 6.5a8 8 0 0 1 0 11" />`),
  silent: icon(svg`<path d="M4 9v6h4l5 4V5L8 9zM17 9.5l5 5M22 9.5l-5 5" />`),
  grip: icon(
    svg`<path d="M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01" stroke-width="3" />`,
  ),
  more: icon(svg`<path d="M5 12h.01M12 12h.01M19 12h.01" stroke-width="3" />`),
  left: icon(svg`<path d="M15 5l-7 7 7 7" />`),
  right: icon(svg`<path d="M9 5l7 7-7 7" />`),
  notes: icon(svg`<path d="M5 7h14M5 12h14M5 17h8" />`),
};
