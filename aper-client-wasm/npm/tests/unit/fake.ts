import { Live } from '../../../../target/npm/document/create.js';
import { shared } from '../../../../target/npm/document/shared.js';

type Status = Live<unknown>['status'];

/** A client without a server: what it shows a test sets, shared as the real one's is. */
export class Fake<S> extends Live<S, string> {
  opened = 0;
  closed = 0;
  #state: S | undefined;
  #presence: ReadonlyMap<number, string> = new Map();
  #status: Status = { connection: 'online', pending: 0, saved: true, kept: true, problem: null };
  readonly #following = new Set<() => void>();
  readonly #seeing = new Set<() => void>();

  constructor(state?: S) {
    super({ url: 'ws://nowhere.invalid' });
    this.#state = state;
  }

  override get state(): S | undefined {
    return this.#state;
  }

  override get presence(): ReadonlyMap<number, string> {
    return this.#presence;
  }

  override get status(): Status {
    return this.#status;
  }

  override open(): void {
    this.opened += 1;
  }

  override close(): void {
    this.closed += 1;
  }

  override subscribe(listener: () => void): () => void {
    this.#following.add(listener);
    return () => this.#following.delete(listener);
  }

  override subscribePresence(listener: () => void): () => void {
    this.#seeing.add(listener);
    return () => this.#seeing.delete(listener);
  }

  get listeners(): number {
    return this.#following.size + this.#seeing.size;
  }

  show(presence: readonly [number, string][]): void {
    this.#presence = new Map(presence);
    for (const listener of [...this.#seeing]) listener();
  }

  set(state: S): void {
    this.#state = shared(this.#state, structuredClone(state));
    this.#tell();
  }

  setStatus(change: Partial<Status>): void {
    this.#status = { ...this.#status, ...change };
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#following]) listener();
  }
}

/** What the tests of all frameworks show. */
export interface Board {
  readonly title: string;
  readonly todos: readonly string[];
}
