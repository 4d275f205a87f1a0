import type { Conflict, Presence, State, Transition } from './types.js';

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
  /**
   * The version of what the server accepted and this client has, which is what
   * {@link state} is upon; undefined before the first welcome.
   */
  readonly version: number | undefined;
  /** How things stand; the same object until something of it changes. */
  readonly status: Status;
  /**
   * What the other clients show of themselves, by their numbers: of each the
   * latest value, and nobody while there is no connection. The same map until
   * something of it changes, and so is every value that does not. It is not to
   * be written to.
   */
  readonly presence: ReadonlyMap<number, Presence>;
  /**
   * How many submissions that this device had kept are lost: a page with
   * another schema of the machine had made them, or the machine has failed in
   * several pages in a row while they were open.
   */
  readonly discarded: number;
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
   * Whether there is something to take back, or to do again: in a package that
   * was made with `undo`, of what was submitted to this client. It changes
   * together with {@link state}.
   */
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /**
   * Takes back what was submitted last: a gesture, if it was one, and nothing
   * that anybody else did. It is done by transitions like any other, which may
   * be refused, since others go on meanwhile; the promise tells. Undefined if
   * there is nothing to take back.
   */
  undo(): Promise<Outcome> | undefined;
  /** Does again what was last taken back; undefined if there is nothing. */
  redo(): Promise<Outcome> | undefined;
  /**
   * What is submitted until {@link endGesture} is taken back at once: what a
   * user drags from here to there, say. Without it every transition is one, but
   * for those that the machine merges and that come within a second.
   */
  beginGesture(): void;
  endGesture(): void;
  /**
   * Calls the listener after state, id or status may have changed, once for
   * all that happened together. Gives the function that ends it.
   */
  subscribe(listener: () => void): () => void;
  /**
   * Shows this to the other clients from now on, in place of what was shown,
   * for as long as this one is here: a cursor, a selection, a name. It may be
   * called as often as the pointer moves: the latest value is sent, 30 times a
   * second at most, and again after a connection was lost. It is kept nowhere.
   * Throws an {@link AperError} for a value that is none, or longer than 4 KiB.
   */
  setPresence(value: Presence): void;
  /** Shows nothing from now on. */
  clearPresence(): void;
  /**
   * Calls the listener after {@link presence} may have changed, once for all
   * that happened together; {@link subscribe} does not tell of it. Gives the
   * function that ends it.
   */
  subscribePresence(listener: () => void): () => void;
  /**
   * Calls the listener when something ends that an earlier page had submitted
   * and this device has kept: this client sends it. The page that submitted it
   * is gone, so it is for this one to tell of a refusal. To be called right
   * after `connect`, so as to miss nothing. Gives the function that ends it.
   */
  onRestored(listener: (outcome: Outcome) => void): () => void;
  /** The server's clock in milliseconds since the epoch, estimated; before the first welcome, this device's. */
  now(): number;
  /**
   * Tries to connect now, even if the problem is one that forbids trying by
   * itself. Does nothing while there is a connection, or an attempt at one.
   */
  reconnect(): void;
  /**
   * Leaves the session. The last state can still be read; what has no answer
   * yet ends with the error `closed`, and if it is kept on this device, the
   * next client of the session sends it.
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
  /**
   * Whether everything that the server does not have yet is kept on this device:
   * it outlives this page, the browser and the device's rest, and is sent,
   * once, when the session is opened here again. False where the browser keeps
   * nothing for pages (no IndexedDB or Web Locks, no room), and for clients
   * with an `Identity` of the application's own.
   */
  readonly kept: boolean;
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
 *
 * `forgotten` does not mean that the client is offline: the server did not know
 * any more who it was, so it is another one now. It is told until the
 * connection ends.
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
  | 'forgotten'
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
