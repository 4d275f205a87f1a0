import { AperError, report, type ErrorCode } from './error.js';
import { freeSeat, ownSeat, type Identity, type Seat } from './identity.js';
import init, { Machine } from './machine.js';
import { shared } from './shared.js';
import type { Conflict, State, Transition } from './types.js';

export type * from './types.js';
export { AperError, type ErrorCode };
export type { Identity } from './identity.js';
export {
  createClient,
  type CreateOptions,
  type Events,
  type ListenOptions,
  type LiveClient,
  type Settled,
} from './create.js';

/** What {@link connect} may be told. */
export interface Options {
  /**
   * The session's name, if the URL is the server's address and does not name
   * one: letters, digits, `-` and `_`.
   */
  readonly session?: string;
  /** For the server's own authentication. */
  readonly token?: string;
  /**
   * Where this client's key lives, by which it is the same client the next
   * time. Normally the browser keeps one for each tab and session. A text
   * stands for another set of places in the browser, so that it is another
   * client; an object is the application's own place.
   */
  readonly identity?: Identity | string;
  /**
   * The module, if it is not where `import.meta.url` says. Only the first
   * call's counts: the module is loaded once.
   */
  readonly wasm?: Wasm | Promise<Wasm>;
}

/** What a WebAssembly module may come as. */
export type Wasm = string | URL | Request | Response | BufferSource | WebAssembly.Module;

/**
 * One client of one session. It comes back by itself whenever its connection
 * is lost, and takes transitions meanwhile.
 *
 * No call calls a listener, and a promise is never settled within one: what an
 * application is told, it is told when its own code has returned. So a listener
 * may do whatever it likes, {@link submit} and {@link close} included.
 */
export interface Client {
  /**
   * What the user should see now: what the server accepted, and the user's own
   * pending transitions upon it. Undefined before the first welcome. The same
   * object until it changes, and so is every part of it: what did not change is
   * identical (`===`) before and after. It is not to be written to. The first
   * look after a change costs a pass over the whole state.
   */
  readonly state: State | undefined;
  /** This client's number in the session, once the server has given it. */
  readonly id: number | undefined;
  /** How things stand; the same object until something of it changes. */
  readonly status: Status;
  /**
   * Submits a transition: it shows in {@link state} at once, if it can, and is
   * sent as soon as there is a connection. The promise tells how it ended. It
   * is rejected, with an {@link AperError}, only for a misuse.
   *
   * A machine that panics on it here takes the page's module down, and all
   * clients of this package on the page with it: they have the problem
   * `crashed` from then on, and what had no answer yet ends with that error.
   */
  submit(transition: Transition): Promise<Outcome>;
  /**
   * Calls the listener after state, id or status may have changed, once for
   * all that happened together. Gives the function that ends it.
   */
  subscribe(listener: () => void): () => void;
  /** The server's clock in milliseconds since the epoch, estimated; before the first welcome, this device's. */
  now(): number;
  /**
   * Tries to connect now, even if the problem is one that forbids trying by
   * itself. Does nothing while there is a connection, or an attempt at one.
   */
  reconnect(): void;
  /**
   * Leaves the session. The last state can still be read; what has no answer
   * yet ends with the error `closed`.
   */
  close(): void;
}

/** How things stand. */
export interface Status {
  /**
   * - `connecting`: the first attempt, or catching up after a later one;
   * - `online`: there is a connection, and everything is here;
   * - `offline`: there is none; the client tries again by itself, unless the
   *   problem says otherwise;
   * - `closed`: {@link Client.close} was called.
   */
  readonly connection: 'connecting' | 'online' | 'offline' | 'closed';
  /** How many transitions have no answer yet. */
  readonly pending: number;
  /** Whether the server has everything that was submitted and not refused. */
  readonly saved: boolean;
  /** What a user may have to know; null while all is well, or merely offline. */
  readonly problem: Problem | null;
}

/** Something that a user may have to know, with a text to show. */
export interface Problem {
  readonly code: ProblemCode;
  readonly text: string;
}

/**
 * Which problem. It goes away by itself, except for
 * - `load`: the WebAssembly module could not be loaded; `reconnect` tries again;
 * - `reload`: this page and the server are of different versions;
 * - `refused`: the server does not let this client in;
 * - `replaced`: the same client is connected from another place, which took over;
 * - `crashed`: the machine has failed here; only reloading the page helps.
 */
export type ProblemCode =
  | 'load'
  | 'reload'
  | 'refused'
  | 'replaced'
  | 'crashed'
  | 'session-full'
  | 'session-failed'
  | 'shutdown'
  | 'protocol'
  | 'diverged'
  | 'slow'
  | 'unavailable'
  | 'too-big';

/**
 * How a transition ended:
 * - `ok: true`: accepted, safe, and it made this version;
 * - `ok: false` with a conflict: the machine refused it, here at once or on
 *   the server. `affected` is how many later pending transitions of this
 *   client no longer apply because of it;
 * - `ok: false` without: something else was in the way;
 * - `ok: null`: it was decided, but it cannot be told how, because this client
 *   was away too long. If it was accepted, the state of that version has it.
 */
export type Outcome =
  | { readonly ok: true; readonly version: number }
  | { readonly ok: false; readonly conflict: Conflict; readonly affected: number }
  | {
      readonly ok: false;
      readonly conflict: null;
      readonly error: {
        readonly code: 'panicked' | 'closed' | 'crashed' | 'unavailable';
        readonly text: string;
      };
    }
  | { readonly ok: null; readonly version: number };

/**
 * A client of the session at `url`, which is `wss://host/machine/session`, or
 * `wss://host` if the options name the session; `https:` and paths on the
 * page's own host do as well. Resolves when the WebAssembly module is loaded,
 * and does not wait for the network.
 */
export async function connect(url: string | URL, options: Options = {}): Promise<Client> {
  let address = webSocketAddress(url);
  // Before there is a seat: one that is taken for nothing makes another client
  // of the next attempt.
  await load(options.wasm);
  if (options.session !== undefined) {
    address = sessionAddress(address, options.session);
  }
  const { identity = address } = options;
  const seat = await (typeof identity === 'string' ? freeSeat(identity) : ownSeat(identity));
  try {
    return new MachineClient(address, options.token, seat);
  } catch (error) {
    seat.release();
    throw error;
  }
}

function webSocketAddress(url: string | URL): string {
  try {
    const address = new URL(url, globalThis.location?.href);
    // Only between these two kinds of schemes may the protocol be set, and
    // http: may become ws:.
    address.protocol = address.protocol.replace(/^http/, 'ws');
    address.hash = '';
    return address.href;
  } catch (cause) {
    throw new AperError('address', `${String(url)} is no address`, { cause });
  }
}

/** The machine's own name is in its module, so that nobody need know it. */
function sessionAddress(server: string, session: string): string {
  const address = new URL(server);
  const within = address.pathname.replace(/\/+$/, '');
  address.pathname = `${within}/${Machine.machineName()}/${encodeURIComponent(session)}`;
  return address.href;
}

let loading: Promise<unknown> | undefined;

/** Loads the module, once. What failed may be tried again. */
async function load(wasm: Options['wasm']): Promise<void> {
  loading ??= (async () => {
    await init({ module_or_path: (await wasm) ?? (await packaged()) });
    Machine.onPanic(crash);
  })();
  try {
    await loading;
  } catch (cause) {
    loading = undefined;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AperError('load', `the WebAssembly module cannot be loaded: ${why}`, { cause });
  }
}

/** The module beside this file. Bundlers know this way of naming it. */
async function packaged(): Promise<Wasm> {
  const module = new URL('./machine_bg.wasm', import.meta.url);
  if (module.protocol !== 'file:' || !('process' in globalThis)) {
    return module;
  }
  // In Node `fetch` does not read files, and what does is not for a bundler to see.
  const files = 'node:fs/promises';
  const { readFile } = await import(/* @vite-ignore */ /* webpackIgnore: true */ files);
  return readFile(module);
}

/** All that are not closed, for the module fails for all at once. */
const clients = new Set<MachineClient>();
let crashed: Problem | undefined;

function crash(text: string): void {
  if (crashed === undefined) {
    console.error(`aper: ${text}`);
    crashed = { code: 'crashed', text: 'this page met an error of its own: reload it' };
    for (const client of clients) {
      client.crashed(crashed);
    }
  }
}

/** How a submission ended, as the module tells it: `How` in `export.rs`. */
// 4 is for what was not taken at all.
const [REFUSED, CONFIRMED, SNAPSHOT, PANICKED, UNAVAILABLE] = [0, 1, 2, 3, 5];
const CONNECTIONS = ['connecting', 'online', 'offline', 'closed'] as const;
const PANIC = 'the state machine failed on this; nothing was changed';
const NO_ROOM = 'the server cannot keep anything new at the moment: try again later';

class MachineClient implements Client {
  readonly #machine: Machine;
  readonly #seat: Seat;
  readonly #listeners = new Set<{ readonly listener: () => void }>();
  /** Those that have no answer yet. */
  readonly #unsettled = new Set<(outcome: Outcome) => void>();
  /** Whether the machine can be asked no more. What was known last stays. */
  #gone = false;
  /** The state as the machine told it, and with what has not changed since. */
  #told: State | undefined;
  #state: State | undefined;
  #id: number | undefined;
  #status: Status = { connection: 'connecting', pending: 0, saved: true, problem: null };
  /** The server's clock minus this device's. */
  #ahead = 0;

  constructor(url: string, token: string | undefined, seat: Seat) {
    if (crashed !== undefined) {
      throw new AperError('crashed', crashed.text);
    }
    this.#seat = seat;
    this.#machine = new Machine(url, token, seat.key, {
      changed: () => this.#tell(),
      identified: (key: string) => seat.save(key),
      error: (code: ErrorCode, text: string) => new AperError(code, text),
    });
    clients.add(this);
  }

  get state(): State | undefined {
    this.#ask((machine) => {
      const told: State | undefined = machine.state();
      if (told !== this.#told) {
        this.#told = told;
        this.#state = shared(this.#state, told);
      }
    });
    return this.#state;
  }

  get id(): number | undefined {
    this.#ask((machine) => (this.#id = machine.id()));
    return this.#id;
  }

  get status(): Status {
    this.#ask((machine) => {
      const code = machine.problem() as ProblemCode | undefined;
      const problem = code === undefined ? null : { code, text: machine.problemText() ?? '' };
      this.#setStatus(CONNECTIONS[machine.connection()]!, machine.pending(), problem);
    });
    return this.#status;
  }

  submit(transition: Transition): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (this.#gone) {
        const text = crashed?.text ?? 'the client is closed';
        throw new AperError(crashed === undefined ? 'closed' : 'crashed', text);
      }
      const end = (outcome: Outcome): void => {
        this.#unsettled.delete(end);
        resolve(outcome);
      };
      const fail = (error: unknown): void => {
        this.#unsettled.delete(end);
        reject(error);
      };
      const told = (how: number, version: number, value: unknown, affected: number): void => {
        if (how === CONFIRMED) {
          end({ ok: true, version });
        } else if (how === REFUSED) {
          end({ ok: false, conflict: value as Conflict, affected });
        } else if (how === SNAPSHOT) {
          end({ ok: null, version });
        } else if (how === PANICKED) {
          end({ ok: false, conflict: null, error: { code: 'panicked', text: PANIC } });
        } else if (how === UNAVAILABLE) {
          end({ ok: false, conflict: null, error: { code: 'unavailable', text: NO_ROOM } });
        } else {
          fail(value);
        }
      };
      this.#unsettled.add(end);
      try {
        this.#ask((machine) => machine.submit(transition, told));
      } catch (error) {
        fail(error);
      }
    });
  }

  subscribe(listener: () => void): () => void {
    const subscription = { listener };
    if (this.#status.connection !== 'closed') {
      this.#listeners.add(subscription);
    }
    return () => void this.#listeners.delete(subscription);
  }

  now(): number {
    const device = Date.now();
    this.#ask((machine) => (this.#ahead = (machine.serverTime() ?? device) - device));
    return device + this.#ahead;
  }

  reconnect(): void {
    this.#ask((machine) => machine.reconnect());
  }

  close(): void {
    if (this.#status.connection === 'closed') {
      return;
    }
    // A last look at everything.
    void [this.id, this.now(), this.status];
    try {
      void this.state;
    } catch {}
    this.#ask((machine) => machine.close());
    this.#gone = true;
    this.#setStatus('closed', this.#status.pending, null);
    this.#endAll('closed', 'the client was closed before the server had answered');
    clients.delete(this);
    queueMicrotask(() => {
      this.#tell();
      this.#listeners.clear();
      this.#seat.release();
      // Nothing of the module's is running in a microtask of its own.
      if (crashed === undefined) {
        this.#machine.free();
      }
    });
  }

  /** The module has stopped for good, this moment. */
  crashed(problem: Problem): void {
    this.#gone = true;
    this.#setStatus('offline', this.#status.pending, problem);
    this.#endAll('crashed', problem.text);
    // The module is still running; it has come to its end in a microtask.
    queueMicrotask(() => {
      try {
        this.#machine.abandon();
      } catch {}
      this.#tell();
    });
  }

  /** Asks the machine, if it can still be asked. */
  #ask(question: (machine: Machine) => void): void {
    if (this.#gone) {
      return;
    }
    try {
      question(this.#machine);
    } catch (error) {
      if (error instanceof AperError) {
        throw error;
      }
      // A trap: `unreachable`, or an overflow of the stack.
      crash(String(error));
    }
  }

  #setStatus(connection: Status['connection'], pending: number, problem: Problem | null): void {
    const was = this.#status;
    if (
      was.connection !== connection ||
      was.pending !== pending ||
      was.problem?.code !== problem?.code ||
      was.problem?.text !== problem?.text
    ) {
      this.#status = { connection, pending, saved: pending === 0, problem };
    }
  }

  #endAll(code: 'closed' | 'crashed', text: string): void {
    for (const end of [...this.#unsettled]) {
      end({ ok: false, conflict: null, error: { code, text } });
    }
  }

  #tell(): void {
    for (const subscription of [...this.#listeners]) {
      // An earlier listener may have ended a later one.
      if (this.#listeners.has(subscription)) {
        try {
          subscription.listener();
        } catch (error) {
          report(error);
        }
      }
    }
  }
}
