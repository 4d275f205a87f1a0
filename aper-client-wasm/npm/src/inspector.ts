import { panelStyle } from './inspector-style.js';
import { Seen, type Happening } from './inspector-log.js';
import { Tree, brief, oneLine } from './tree.js';

/** How something ended, for any machine. */
export type AnyOutcome =
  | { readonly ok: true | null; readonly version: number }
  | {
      readonly ok: false;
      readonly conflict: unknown;
      readonly error?: { readonly code: string; readonly text: string };
    };

/** What the inspector needs of a client; every client is one. */
export interface Inspectable {
  readonly state: unknown;
  readonly id: number | undefined;
  readonly version: number | undefined;
  readonly status: {
    readonly connection: string;
    readonly pending: number;
    readonly saved: boolean;
    readonly kept: boolean;
    readonly problem: { readonly code: string; readonly text: string } | null;
  };
  readonly presence: ReadonlyMap<number, unknown>;
  submit(transition: any): Promise<AnyOutcome>;
  undo(): Promise<AnyOutcome> | undefined;
  redo(): Promise<AnyOutcome> | undefined;
  subscribe(listener: () => void): () => void;
  subscribePresence(listener: () => void): () => void;
}

/** Between two drawings, in milliseconds: a look at the state costs a pass over it. */
const DRAW_AGAIN = 100;

type View = 'state' | 'log' | 'presence';

/**
 * Opens a panel in a corner of the page that shows what this client has and
 * does: how it stands, its state as a tree, what it submitted and how that
 * ended, what the others show. For development. Gives the function that closes
 * it, which its own button does as well.
 *
 * It sees what happens from now on: it stands in for the client's `submit`,
 * `undo` and `redo` until it is closed, and passes every call on.
 *
 * ```ts
 * if (import.meta.env.DEV) {
 *   const { openInspector } = await import('my-machine/inspector');
 *   openInspector(client);
 * }
 * ```
 */
export function openInspector(client: Inspectable): () => void {
  const panel = new Panel(client);
  return () => panel.close();
}

class Panel {
  readonly #client: Inspectable;
  readonly #seen: Seen;
  readonly #host = document.createElement('aper-inspector');
  readonly #tree = new Tree('State');
  readonly #ends: (() => void)[] = [];
  readonly #parts: Record<'status' | 'facts' | 'log' | 'presence' | 'at' | 'live', HTMLElement>;
  readonly #views: Record<View, HTMLElement>;
  readonly #tabs: Record<View, HTMLElement>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #chosen: Happening | undefined;
  #drawn: Pick<Happening, 'state' | 'before'> | undefined;

  constructor(client: Inspectable) {
    this.#client = client;
    this.#seen = new Seen(client);
    const root = this.#host.attachShadow({ mode: 'open' });
    // Not a <style>, which a page's policy may forbid.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(panelStyle);
    root.adoptedStyleSheets = [sheet];

    const status = make('span', 'status');
    const closing = make('button', 'close', '×');
    closing.setAttribute('aria-label', 'Close the inspector');
    closing.addEventListener('click', () => this.close());
    const head = make('header', '', make('strong', '', 'Inspector'), status, closing);
    const facts = make('dl', 'facts');

    const at = make('span', 'at');
    const live = make('button', 'live', 'Live');
    live.addEventListener('click', () => this.#choose(undefined));
    const state = make('section', '', make('p', 'which', at, live), this.#tree.element);
    const log = make('ol', 'log');
    const presence = make('dl', 'presence');
    this.#views = { state, log: make('section', '', log), presence: make('section', '', presence) };
    this.#parts = { status, facts, log, presence, at, live };

    const tabs = make('nav', '');
    tabs.setAttribute('role', 'tablist');
    const tab = (view: View, text: string): HTMLElement => {
      const made = make('button', '', text);
      made.setAttribute('role', 'tab');
      made.addEventListener('click', () => this.#show(view));
      tabs.append(made);
      const shown = this.#views[view];
      shown.setAttribute('role', 'tabpanel');
      shown.setAttribute('aria-label', text);
      return made;
    };
    this.#tabs = { state: tab('state', 'State'), log: tab('log', 'Log'), presence: tab('presence', 'Presence') };
    tabs.addEventListener('keydown', (event) => this.#turn(event));

    const aside = make('aside', '', head, facts, tabs, ...Object.values(this.#views));
    aside.setAttribute('aria-label', 'Inspector');
    root.append(aside);
    document.body.append(this.#host);
    this.#ends.push(
      client.subscribe(() => this.#soon()),
      client.subscribePresence(() => this.#soon()),
      this.#seen.subscribe(() => this.#soon()),
    );
    this.#show('state');
    this.#draw();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#ends.splice(0).forEach((end) => end());
    this.#seen.close();
    this.#host.remove();
  }

  #show(view: View): void {
    for (const each of ['state', 'log', 'presence'] as const) {
      const shown = each === view;
      this.#views[each].hidden = !shown;
      this.#tabs[each].setAttribute('aria-selected', String(shown));
      this.#tabs[each].tabIndex = shown ? 0 : -1;
    }
  }

  /** Between tabs one goes with the arrow keys. */
  #turn(event: KeyboardEvent): void {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step !== undefined) {
      const views = ['state', 'log', 'presence'] as const;
      const at = views.findIndex((view) => !this.#views[view].hidden);
      const next = views[(at + step + views.length) % views.length]!;
      this.#show(next);
      this.#tabs[next].focus();
      event.preventDefault();
    }
  }

  #choose(happening: Happening | undefined): void {
    this.#chosen = happening;
    this.#draw();
    this.#show('state');
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#draw();
    }, DRAW_AGAIN);
  }

  #draw(): void {
    const { status, id, version, presence } = this.#client;
    const { status: badge, facts, at, live } = this.#parts;
    const pending = status.pending === 0 ? '' : ` · ${status.pending} pending`;
    badge.textContent = `${status.connection}${pending}`;
    badge.dataset['connection'] = status.connection;
    const saved = status.saved ? 'yes' : status.kept ? 'on this device' : 'not yet';
    const told: [string, string][] = [
      ['Client', id === undefined ? '—' : `#${id}`],
      ['Version', version === undefined ? '—' : String(version)],
      ['Saved', saved],
      ['Refused', String(this.#seen.refused)],
    ];
    if (status.problem !== null) {
      told.push(['Problem', `${status.problem.code}: ${status.problem.text}`]);
    }
    facts.replaceChildren(
      ...told.map(([name, value]) => make('div', '', make('dt', '', name), make('dd', '', value))),
    );

    const last = this.#seen.look();
    const { state, before } = this.#chosen ?? last;
    const drawn = this.#drawn;
    if (drawn === undefined || drawn.state !== state || drawn.before !== before) {
      this.#drawn = { state, before };
      this.#tree.show(state, before);
    }
    at.textContent = this.#chosen === undefined ? 'As it is seen now' : `As it was at ${this.#chosen.time}`;
    live.hidden = this.#chosen === undefined;
    this.#drawLog();
    this.#drawPresence(presence);
  }

  #drawLog(): void {
    const { log } = this.#parts;
    const rows = [...this.#seen.happenings].reverse().map((happening) => {
      const what = happening.transition === undefined ? happening.what : brief(happening.transition);
      const row = make(
        'button',
        '',
        make('time', '', happening.time),
        make('span', 'kind', happening.ended ?? 'pending'),
        make('code', '', what),
      );
      row.dataset['kind'] = happening.kind;
      row.setAttribute('aria-pressed', String(happening === this.#chosen));
      row.addEventListener('click', () => this.#choose(happening));
      return make('li', '', row);
    });
    log.replaceChildren(...(rows.length === 0 ? [make('li', 'nothing', 'Nothing has happened since the panel was opened.')] : rows));
  }

  #drawPresence(presence: ReadonlyMap<number, unknown>): void {
    const rows = [...presence].flatMap(([client, value]) => [
      make('dt', '', `#${client}`),
      make('dd', '', make('code', '', oneLine(value, 1000))),
    ]);
    this.#parts.presence.replaceChildren(...(rows.length === 0 ? [make('p', 'nothing', 'Nobody shows anything.')] : rows));
  }
}

/** What is given as text is only ever text. */
function make(tag: string, kind: string, ...content: (string | Node)[]): HTMLElement {
  const made = document.createElement(tag);
  if (kind !== '') {
    made.className = kind;
  }
  made.append(...content);
  return made;
}
