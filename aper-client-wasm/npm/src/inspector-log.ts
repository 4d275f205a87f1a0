import type { AnyOutcome, Inspectable } from './inspector.js';
import { oneLine } from './tree.js';

/** Happenings that are remembered. At it: the oldest go. */
const HAPPENINGS = 200;

/** Something that was seen of a client. */
export interface Happening {
  /** At what time of day. */
  readonly time: string;
  /** By whom: this client, or somebody else. */
  readonly what: string;
  /** What this client submitted, if it did. */
  readonly transition?: unknown;
  /** What became of it; undefined while it has no answer. */
  ended: string | undefined;
  kind: 'pending' | 'confirmed' | 'refused' | 'state';
  /** What the user saw after it, and before. */
  readonly state: unknown;
  readonly before: unknown;
}

type Submits = Pick<Inspectable, 'submit' | 'undo' | 'redo'>;
type Submit = keyof Submits;

/**
 * What a client was seen doing. Its methods are stood in for until this is
 * closed, by properties of the object's own: what is under them stays.
 */
export class Seen {
  happenings: Happening[] = [];
  refused = 0;
  readonly #client: Inspectable;
  readonly #listeners = new Set<() => void>();
  readonly #ends: (() => void)[] = [];
  #state: unknown;
  #version: number | undefined;

  constructor(client: Inspectable) {
    this.#client = client;
    this.#state = client.state;
    this.#version = client.version;
    this.#standIn('submit', (original) => (transition) => {
      const outcome = original(transition);
      this.#submitted(transition, 'submitted', outcome);
      return outcome;
    });
    for (const way of ['undo', 'redo'] as const) {
      this.#standIn(way, (original) => () => {
        const outcome = original();
        if (outcome !== undefined) {
          this.#submitted(undefined, way, outcome);
        }
        return outcome;
      });
    }
    this.#ends.push(client.subscribe(() => void this.look()));
  }

  /** Calls the listener when something of it is new. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#ends.splice(0).forEach((end) => end());
    this.#listeners.clear();
  }

  /** Notes the state if it is another; gives what is seen now. */
  look(): Pick<Happening, 'state' | 'before'> {
    const { state, version } = this.#client;
    const before = this.#state;
    const moved = version !== this.#version;
    this.#state = state;
    this.#version = version;
    if (state !== before && before !== undefined) {
      const [what, ended] = moved
        ? ['the state is another', `v${version ?? '?'}`]
        : ['what is shown is another', 'no new version'];
      return this.#add({ time: clock(), what, ended, kind: 'state', state, before });
    }
    const last = this.happenings.at(-1);
    return last !== undefined && last.state === state ? last : { state, before: undefined };
  }

  #submitted(transition: unknown, what: string, outcome: Promise<AnyOutcome>): void {
    const before = this.#state;
    let state = before;
    try {
      state = this.#client.state;
    } catch {
      // A state that cannot be shown is told of where it is asked for.
    }
    this.#state = state;
    const happening = this.#add({
      time: clock(),
      what,
      transition,
      ended: undefined,
      kind: 'pending',
      state,
      before,
    });
    const end = (kind: Happening['kind'], ended: string): void => {
      happening.kind = kind;
      happening.ended = ended;
      this.refused += kind === 'refused' ? 1 : 0;
      this.#tell();
    };
    outcome.then(
      (outcome) => {
        if (outcome.ok === false) {
          const why = outcome.error?.code ?? oneLine(outcome.conflict, 200);
          end('refused', `refused: ${why}`);
        } else {
          end('confirmed', outcome.ok ? `v${outcome.version}` : `settled by v${outcome.version}`);
        }
      },
      // The application is told by its own promise.
      (error: unknown) => end('refused', `failed: ${String(error)}`),
    );
  }

  #add(happening: Happening): Happening {
    this.happenings = [...this.happenings.slice(1 - HAPPENINGS), happening];
    this.#tell();
    return happening;
  }

  #standIn<K extends Submit>(name: K, make: (original: Submits[K]) => Submits[K]): void {
    const client: Submits = this.#client;
    const own = Object.hasOwn(client, name) ? client[name] : undefined;
    const stand = make(client[name].bind(client) as Submits[K]);
    client[name] = stand;
    this.#ends.push(() => {
      if (client[name] !== stand) {
        // Another has stood in since, and passes on to this one.
      } else if (own === undefined) {
        delete (client as Partial<Submits>)[name];
      } else {
        client[name] = own;
      }
    });
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) {
      listener();
    }
  }
}

function clock(): string {
  const at = new Date();
  const part = (number: number, digits = 2): string => String(number).padStart(digits, '0');
  const seconds = [at.getHours(), at.getMinutes(), at.getSeconds()].map((number) => part(number)).join(':');
  return `${seconds}.${part(at.getMilliseconds(), 3)}`;
}
