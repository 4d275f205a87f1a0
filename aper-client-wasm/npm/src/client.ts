import type { Client, Outcome, Problem, ProblemCode, Status } from './api.js';
import { AperError, report, type ErrorCode } from './error.js';
import type { Seat } from './identity.js';
import { Machine } from './machine.js';
import { patched, type Patch } from './patch.js';
import { shared } from './shared.js';
import type { Conflict, Presence, State, Transition } from './types.js';

/** All that are not closed, for the module fails for all at once. */
const clients = new Set<MachineClient>();
let crashed: Problem | undefined;

/** The module has stopped for good, and all its clients with it. */
export function crash(text: string): void {
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

/** What others show before anybody is known to be there. */
export const NOBODY: ReadonlyMap<number, never> = new Map<number, never>();

type Told = (how: number, version: number, value: unknown, affected: number) => void;

export class MachineClient implements Client {
  readonly discarded: number;
  readonly #machine: Machine;
  readonly #seat: Seat;
  readonly #listeners: Subscriptions<() => void> = new Set();
  readonly #presenceListeners: Subscriptions<() => void> = new Set();
  readonly #restoredListeners: Subscriptions<(outcome: Outcome) => void> = new Set();
  /** Those that have no answer yet. */
  readonly #unsettled = new Set<(outcome: Outcome) => void>();
  /** Whether the machine can be asked no more. What was known last stays. */
  #gone = false;
  #state: State | undefined;
  #presence: ReadonlyMap<number, Presence> = NOBODY;
  #id: number | undefined;
  #version: number | undefined;
  #status: Status = {
    connection: 'connecting',
    pending: 0,
    saved: true,
    kept: false,
    problem: null,
  };
  /** The server's clock minus this device's. */
  #ahead = 0;

  constructor(url: string, token: string | undefined, seat: Seat) {
    if (crashed !== undefined) {
      throw new AperError('crashed', crashed.text);
    }
    this.#seat = seat;
    const { key, outbox } = seat;
    this.#machine = new Machine(url, token, key, outbox?.items, {
      changed: () => this.#tell(),
      presence: () => notify(this.#presenceListeners, (listener) => listener()),
      identified: (key: string) => seat.save(key),
      put: (ticket: number, bytes: Uint8Array) => outbox?.put(ticket, bytes),
      remove: (ticket: number) => outbox?.remove(ticket),
      store: (serial: number) => outbox?.store(serial),
      error: (code: ErrorCode, text: string) => new AperError(code, text),
    });
    clients.add(this);
    outbox?.follow({
      stored: (serial) => this.#ask((machine) => machine.stored(serial)),
      notStored: () => this.#ask((machine) => machine.notStored()),
    });
    this.discarded = this.#machine.discarded() + (outbox?.discarded ?? 0);
    const restored = Array.from({ length: this.#machine.pending() }, () =>
      this.#follow((machine, told) => machine.restored(told)).then(
        (outcome) => this.tellRestored(outcome),
        report,
      ),
    );
    void Promise.all(restored).then(() => this.#gone || outbox?.recovered());
  }

  get state(): State | undefined {
    this.#ask((machine) => {
      const patch: Patch | undefined = machine.changes();
      if (patch !== undefined) {
        this.#state = patched(this.#state, patch) as State;
      }
    });
    return this.#state;
  }

  get presence(): ReadonlyMap<number, Presence> {
    this.#ask((machine) => {
      const changes: readonly (readonly [client: number, value?: Presence])[] =
        machine.presenceChanges();
      if (changes.length > 0) {
        const last = this.#presence;
        const next = new Map(last);
        for (const [client, value] of changes) {
          if (value === undefined) {
            next.delete(client);
          } else {
            next.set(client, shared(last.get(client), value));
          }
        }
        this.#presence = next;
      }
    });
    return this.#presence;
  }

  setPresence(value: Presence): void {
    this.#ask((machine) => machine.setPresence(value));
  }

  clearPresence(): void {
    this.#ask((machine) => machine.clearPresence());
  }

  subscribePresence(listener: () => void): () => void {
    const subscription = { listener };
    if (this.#status.connection !== 'closed') {
      this.#presenceListeners.add(subscription);
    }
    return () => void this.#presenceListeners.delete(subscription);
  }

  get id(): number | undefined {
    this.#ask((machine) => (this.#id = machine.id()));
    return this.#id;
  }

  get version(): number | undefined {
    this.#ask((machine) => (this.#version = machine.version()));
    return this.#version;
  }

  get status(): Status {
    this.#ask((machine) => {
      const code = machine.problem() as ProblemCode | undefined;
      const problem = code === undefined ? null : { code, text: machine.problemText() ?? '' };
      const connection = CONNECTIONS[machine.connection()]!;
      this.#setStatus(connection, machine.pending(), machine.kept(), problem);
    });
    return this.#status;
  }

  submit(transition: Transition): Promise<Outcome> {
    return this.#follow((machine, told) => machine.submit(transition, told));
  }

  get canUndo(): boolean {
    return this.#can((machine) => machine.canUndo());
  }

  get canRedo(): boolean {
    return this.#can((machine) => machine.canRedo());
  }

  #can(question: (machine: Machine) => boolean): boolean {
    let can = false;
    this.#ask((machine) => (can = question(machine)));
    return can;
  }

  undo(): Promise<Outcome> | undefined {
    return this.canUndo ? this.#follow((machine, told) => machine.undo(told)) : undefined;
  }

  redo(): Promise<Outcome> | undefined {
    return this.canRedo ? this.#follow((machine, told) => machine.redo(told)) : undefined;
  }

  beginGesture(): void {
    this.#ask((machine) => machine.beginGesture());
  }

  endGesture(): void {
    this.#ask((machine) => machine.endGesture());
  }

  subscribe(listener: () => void): () => void {
    const subscription = { listener };
    if (this.#status.connection !== 'closed') {
      this.#listeners.add(subscription);
    }
    return () => void this.#listeners.delete(subscription);
  }

  onRestored(listener: (outcome: Outcome) => void): () => void {
    const subscription = { listener };
    this.#restoredListeners.add(subscription);
    return () => void this.#restoredListeners.delete(subscription);
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
    void [this.id, this.version, this.now(), this.status];
    try {
      void this.state;
    } catch {}
    this.#ask((machine) => machine.close());
    this.#gone = true;
    this.#presence = NOBODY;
    this.#setStatus('closed', this.#status.pending, this.#status.kept, null);
    this.#endAll('closed', 'the client was closed before the server had answered');
    clients.delete(this);
    queueMicrotask(() => {
      this.#tell();
      this.#listeners.clear();
      this.#presenceListeners.clear();
      this.#restoredListeners.clear();
      this.#seat.release();
      // Nothing of the module's is running in a microtask of its own.
      if (crashed === undefined) {
        this.#machine.free();
      }
    });
  }

  /** Something that an earlier client had left has come to its end. */
  tellRestored(outcome: Outcome): void {
    // What was still open when this client came to its end is for the next.
    if (!this.#gone) {
      notify(this.#restoredListeners, (listener) => listener(outcome));
    }
  }

  /** The module has stopped for good, this moment. */
  crashed(problem: Problem): void {
    this.#gone = true;
    this.#presence = NOBODY;
    this.#seat.outbox?.failed();
    this.#setStatus('offline', this.#status.pending, this.#status.kept, problem);
    this.#endAll('crashed', problem.text);
    // The module is still running; it has come to its end in a microtask.
    queueMicrotask(() => {
      try {
        this.#machine.abandon();
      } catch {}
      this.#tell();
    });
  }

  /** What becomes of that of which the machine is asked to tell the end. */
  #follow(ask: (machine: Machine, told: Told) => void): Promise<Outcome> {
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
      const told: Told = (how, version, value, affected) => {
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
        this.#ask((machine) => ask(machine, told));
      } catch (error) {
        fail(error);
      }
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

  #setStatus(
    connection: Status['connection'],
    pending: number,
    kept: boolean,
    problem: Problem | null,
  ): void {
    const was = this.#status;
    if (
      was.connection !== connection ||
      was.pending !== pending ||
      was.kept !== kept ||
      was.problem?.code !== problem?.code ||
      was.problem?.text !== problem?.text
    ) {
      this.#status = { connection, pending, saved: pending === 0, kept, problem };
    }
  }

  #endAll(code: 'closed' | 'crashed', text: string): void {
    for (const end of [...this.#unsettled]) {
      end({ ok: false, conflict: null, error: { code, text } });
    }
  }

  #tell(): void {
    notify(this.#listeners, (listener) => listener());
    if (this.#gone) {
      notify(this.#presenceListeners, (listener) => listener());
    }
  }
}

type Subscriptions<Listener> = Set<{ readonly listener: Listener }>;

function notify<Listener>(
  subscriptions: Subscriptions<Listener>,
  call: (listener: Listener) => void,
): void {
  for (const subscription of [...subscriptions]) {
    // An earlier listener may have ended a later one.
    if (subscriptions.has(subscription)) {
      try {
        call(subscription.listener);
      } catch (error) {
        report(error);
      }
    }
  }
}
