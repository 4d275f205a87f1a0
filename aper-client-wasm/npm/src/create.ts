import { NOBODY } from './client.js';
import { AperError, report } from './error.js';
import { connect, type Client, type Options, type Outcome, type Problem, type Status } from './index.js';
import type { Presence, State, Transition } from './types.js';

/** What {@link createClient} is told. */
export interface CreateOptions extends Options {
  /**
   * The server, `wss://example.org`, or the whole address of a session.
   * `https:` and paths on the page's own host do as well.
   */
  readonly url: string | URL;
  /** Closes the client when it is aborted. */
  readonly signal?: AbortSignal;
}

/** For how long to listen. */
export interface ListenOptions {
  /** Ends the subscription when it is aborted. */
  readonly signal?: AbortSignal;
}

/** A submission and how it ended. */
export interface Settled {
  readonly transition: Transition;
  readonly outcome: Outcome;
}

/** What a client tells, by name. */
export interface Events<S = State, P = Presence> {
  /** The state, or a part of it, is another one. */
  state: S | undefined;
  /** What others show is another map; see {@link Client.presence}. */
  presence: ReadonlyMap<number, P>;
  /** The status is another one. */
  status: Status;
  /** A submission has ended, refused ones included. */
  settled: Settled;
  /** Something that an earlier page had submitted has ended; see {@link Client.onRestored}. */
  restored: Outcome;
}

/**
 * A client of one session, there at once: it loads the WebAssembly module and
 * connects in the background, and takes transitions meanwhile.
 *
 * No call calls a listener; see {@link Client}.
 */
export interface LiveClient<S = State, P = Presence>
  extends Omit<
    Client,
    'state' | 'subscribe' | 'presence' | 'setPresence' | 'subscribePresence' | 'onRestored'
  > {
  /** What the user should see now; see {@link Client.state}. */
  readonly state: S | undefined;
  /** What the other clients show; see {@link Client.presence}. */
  readonly presence: ReadonlyMap<number, P>;
  /**
   * Shows this to the other clients; see {@link Client.setPresence}. Before the
   * module is loaded, a value that is none is dropped.
   */
  setPresence(value: P): void;
  /**
   * Calls the listener after state, id or status may have changed, once for
   * all that happened together. Gives the function that ends it.
   */
  subscribe(listener: () => void, options?: ListenOptions): () => void;
  /** The same for {@link presence}, of which `subscribe` does not tell. */
  subscribePresence(listener: () => void, options?: ListenOptions): () => void;
  /**
   * Calls the listener when what the selector takes out of the state is
   * another value than before; before there is a state it is undefined. Gives
   * the function that ends it. `equal` tells what is the same, `Object.is` if
   * nothing is said.
   */
  select<T>(
    selector: (state: S) => T,
    listener: (value: T | undefined, before: T | undefined) => void,
    options?: ListenOptions & { readonly equal?: (one: T, other: T) => boolean },
  ): () => void;
  /** Calls the listener at each event of that name. Gives the function that ends it. */
  on<E extends keyof Events<S, P>>(
    event: E,
    listener: (value: Events<S, P>[E]) => void,
    options?: ListenOptions,
  ): () => void;
  /**
   * Resolves when there is a state to show. It is rejected if the client is
   * closed before, or the module cannot be loaded.
   */
  readonly ready: Promise<void>;
}

/**
 * A client of a session, at once.
 *
 * ```ts
 * const client = createClient({ url: 'wss://example.org', session: 'game-7' });
 * ```
 */
export function createClient(options: CreateOptions): LiveClient {
  const client = new Live<State, Presence>(options);
  client.open();
  return client;
}

/** Of a client whose module is not loaded yet. */
export const CONNECTING: Status = {
  connection: 'connecting',
  pending: 0,
  saved: true,
  kept: false,
  problem: null,
};

/** {@link LiveClient}; for React it can be there before it is opened. */
export class Live<S, P = Presence> implements LiveClient<S, P> {
  readonly #options: CreateOptions;
  readonly #listeners = new Set<{ readonly listener: () => void }>();
  readonly #presenceListeners = new Set<{ readonly listener: () => void }>();
  readonly #settled = new Set<{ readonly listener: (settled: Settled) => void }>();
  readonly #restored = new Set<{ readonly listener: (outcome: Outcome) => void }>();
  /** Once the module is loaded. */
  #client: Client | undefined;
  /** How many submissions wait for that. */
  #early = 0;
  #status: Status = CONNECTING;
  /** What is to be shown as soon as the module is loaded. */
  #shown: { readonly value: P } | undefined;
  #opening: Promise<Client> | undefined;
  #closed = false;
  #ready: PromiseWithResolvers | undefined;
  readonly #abort = (): void => this.close();

  constructor(options: CreateOptions) {
    this.#options = options;
    const { signal } = options;
    if (signal?.aborted) {
      this.close();
    } else {
      signal?.addEventListener('abort', this.#abort, { once: true });
    }
  }

  get state(): S | undefined {
    return this.#client?.state as S | undefined;
  }

  get presence(): ReadonlyMap<number, P> {
    return (this.#client?.presence ?? NOBODY) as ReadonlyMap<number, P>;
  }

  setPresence(value: P): void {
    if (this.#client === undefined) {
      this.#shown = { value };
    } else {
      this.#client.setPresence(value as Presence);
    }
  }

  clearPresence(): void {
    this.#shown = undefined;
    this.#client?.clearPresence();
  }

  subscribePresence(listener: () => void, options: ListenOptions = {}): () => void {
    return listen(this.#presenceListeners, listener, options);
  }

  get id(): number | undefined {
    return this.#client?.id;
  }

  get version(): number | undefined {
    return this.#client?.version;
  }

  get discarded(): number {
    return this.#client?.discarded ?? 0;
  }

  get status(): Status {
    if (this.#client !== undefined) {
      return this.#client.status;
    }
    if (this.#status.pending !== this.#early) {
      this.#status = { ...this.#status, pending: this.#early, saved: this.#early === 0 };
    }
    return this.#status;
  }

  get ready(): Promise<void> {
    if (this.#ready === undefined) {
      this.#ready = withResolvers();
      this.#look();
    }
    return this.#ready.promise;
  }

  async submit(transition: Transition): Promise<Outcome> {
    const outcome = await this.#take(transition);
    // After whoever awaits the promise, as all news.
    queueMicrotask(() => {
      for (const { listener } of [...this.#settled]) {
        attempt(() => listener({ transition, outcome }));
      }
    });
    return outcome;
  }

  get canUndo(): boolean {
    return this.#client?.canUndo ?? false;
  }

  get canRedo(): boolean {
    return this.#client?.canRedo ?? false;
  }

  undo(): Promise<Outcome> | undefined {
    return this.#client?.undo();
  }

  redo(): Promise<Outcome> | undefined {
    return this.#client?.redo();
  }

  beginGesture(): void {
    this.#client?.beginGesture();
  }

  endGesture(): void {
    this.#client?.endGesture();
  }

  subscribe(listener: () => void, options: ListenOptions = {}): () => void {
    return listen(this.#listeners, listener, options);
  }

  select<T>(
    selector: (state: S) => T,
    listener: (value: T | undefined, before: T | undefined) => void,
    options: ListenOptions & { readonly equal?: (one: T, other: T) => boolean } = {},
  ): () => void {
    const { equal = Object.is } = options;
    const selected = (): T | undefined => {
      const { state } = this;
      return state === undefined ? undefined : selector(state);
    };
    let last = selected();
    const look = (): void => {
      const [before, value] = [last, selected()];
      const same =
        value === undefined || before === undefined ? value === before : equal(before, value);
      if (!same) {
        last = value;
        listener(value, before);
      }
    };
    return this.subscribe(look, options);
  }

  on<E extends keyof Events<S, P>>(
    event: E,
    listener: (value: Events<S, P>[E]) => void,
    options: ListenOptions = {},
  ): () => void {
    if (event === 'settled') {
      return listen(this.#settled, listener as (settled: Settled) => void, options);
    }
    if (event === 'restored') {
      return listen(this.#restored, listener as (outcome: Outcome) => void, options);
    }
    // Each looked at only when it is asked for: a look at the state costs.
    const property = event as 'state' | 'presence' | 'status';
    const value = () => this[property] as Events<S, P>[E];
    let last = value();
    const look = (): void => {
      const now = value();
      if (now !== last) {
        last = now;
        listener(now);
      }
    };
    return event === 'presence'
      ? this.subscribePresence(look, options)
      : this.subscribe(look, options);
  }

  now(): number {
    return this.#client?.now() ?? Date.now();
  }

  reconnect(): void {
    if (this.#client !== undefined) {
      this.#client.reconnect();
    } else if (this.#status.problem !== null && !this.#closed) {
      this.#setStatus(CONNECTING);
      this.open();
    }
  }

  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#options.signal?.removeEventListener('abort', this.#abort);
    if (this.#client !== undefined) {
      this.#client.close();
    } else {
      this.#setStatus({ ...CONNECTING, connection: 'closed' });
    }
  }

  /** Loads the module and connects; does nothing if that is so already. */
  open(): void {
    if (this.#closed || this.#opening !== undefined) {
      return;
    }
    this.#opening = this.#open();
    // Those who submit are told, and the status says it.
    this.#opening.catch(() => {});
  }

  async #open(): Promise<Client> {
    const { url, signal: _, ...options } = this.#options;
    try {
      const client = await connect(url, options);
      this.#client = client;
      client.subscribe(() => this.#tell());
      client.subscribePresence(() => tellAll(this.#presenceListeners));
      const shown = this.#shown;
      if (shown !== undefined) {
        attempt(() => client.setPresence(shown.value as Presence));
      }
      client.onRestored((outcome) => {
        for (const { listener } of [...this.#restored]) {
          attempt(() => listener(outcome));
        }
      });
      if (this.#closed) {
        client.close();
      }
      this.#tell();
      return client;
    } catch (error) {
      this.#opening = undefined;
      if (!this.#closed) {
        const text = error instanceof Error ? error.message : String(error);
        const problem: Problem = { code: 'load', text };
        this.#setStatus({ ...CONNECTING, connection: 'offline', problem });
      }
      throw error;
    }
  }

  async #take(transition: Transition): Promise<Outcome> {
    // Nobody overtakes those who came before the client.
    if (this.#client !== undefined && this.#early === 0) {
      return this.#client.submit(transition);
    }
    if (this.#closed) {
      throw new AperError('closed', 'the client is closed');
    }
    this.open();
    let client: Client;
    this.#early += 1;
    try {
      client = await this.#opening!;
    } finally {
      this.#early -= 1;
    }
    return client.submit(transition);
  }

  #setStatus(status: Status): void {
    this.#status = status;
    // Not within a call of the application's.
    queueMicrotask(() => this.#tell());
  }

  #tell(): void {
    this.#look();
    tellAll(this.#listeners);
  }

  /** Whether what `ready` waits for has come. */
  #look(): void {
    if (this.#ready === undefined || this.#ready.decided) {
      return;
    }
    const { connection, problem } = this.status;
    // Without looking at the state, which costs.
    if (this.id !== undefined && connection === 'online') {
      this.#ready.resolve();
    } else if (connection === 'closed') {
      this.#ready.reject(new AperError('closed', 'the client is closed'));
    } else if (problem?.code === 'load') {
      this.#ready.reject(new AperError('load', problem.text));
    }
  }
}

function tellAll(listeners: Set<{ readonly listener: () => void }>): void {
  for (const subscription of [...listeners]) {
    // An earlier listener may have ended a later one.
    if (listeners.has(subscription)) {
      attempt(subscription.listener);
    }
  }
}

function listen<L>(
  listeners: Set<{ readonly listener: L }>,
  listener: L,
  { signal }: ListenOptions,
): () => void {
  if (signal?.aborted) {
    return () => {};
  }
  const subscription = { listener };
  const end = (): void => {
    listeners.delete(subscription);
    signal?.removeEventListener('abort', end);
  };
  listeners.add(subscription);
  signal?.addEventListener('abort', end, { once: true });
  return end;
}

/** Runs the application's code, whose errors are nobody else's. */
function attempt(run: () => void): void {
  try {
    run();
  } catch (error) {
    report(error);
  }
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  /** Whether it is settled. */
  readonly decided: boolean;
  resolve(): void;
  reject(error: unknown): void;
}

/** `Promise.withResolvers` is younger than Node 20. */
function withResolvers(): PromiseWithResolvers {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  let decided = false;
  const promise = new Promise<void>((yes, no) => {
    resolve = () => {
      decided = true;
      yes();
    };
    reject = (error) => {
      decided = true;
      no(error);
    };
  });
  // Whoever does not wait for it need not hear of it.
  promise.catch(() => {});
  return {
    promise,
    resolve,
    reject,
    get decided() {
      return decided;
    },
  };
}
