import { FAILURES, KEY, type Change, type Device, type Item, type Kept } from './device.js';

/**
 * A machine that panics in the browser takes its page down, and what it panics
 * on may be in here, and come back with every page. So many in a row, and it is
 * given up.
 */
const FAILURES_BORNE = 2;

/** Between two attempts to erase what could not be kept up to date. */
const ERASE_AGAIN_MILLIS = 5_000;

/** Who wants to know what became of it. */
export interface Keeper {
  /** Everything up to this number is kept. */
  stored(serial: number): void;
  /** Nothing is kept any more. */
  notStored(): void;
}

/**
 * What a client keeps on the device, in one seat that nobody else has. While
 * something is being written, what comes is gathered, and written together.
 */
export class Outbox {
  /** What earlier clients have left here. */
  readonly items: Item[];
  /** How much of that is given up. */
  readonly discarded: number;
  readonly #device: Device;
  readonly #session: string;
  readonly #seat: number;
  #failures: number;
  #keeper: Keeper | undefined;
  #changes: Change[] = [];
  #serial = 0;
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(device: Device, session: string, seat: number, { items, failures }: Kept) {
    this.#device = device;
    this.#session = session;
    this.#seat = seat;
    this.#failures = failures;
    const hopeless = failures >= FAILURES_BORNE;
    this.items = hopeless ? [] : items;
    this.discarded = hopeless ? items.length : 0;
    if (hopeless) {
      items.forEach(({ ticket }) => this.remove(ticket));
      this.recovered();
    }
  }

  follow(keeper: Keeper): void {
    this.#keeper = keeper;
  }

  identify(key: string): void {
    this.#changes.push([KEY, key]);
  }

  /** The bytes are the module's memory: they are someone else's after this call. */
  put(ticket: number, bytes: Uint8Array): void {
    this.#changes.push([ticket, bytes.slice()]);
  }

  remove(ticket: number): void {
    this.#changes.push([ticket, undefined]);
  }

  /** Makes the changes since the last call. */
  store(serial: number): void {
    this.#serial = serial;
    this.#writing ??= this.#write();
  }

  /** The module has failed while some of this was open. */
  failed(): void {
    this.#changes.push([FAILURES, this.#failures + 1]);
    this.#writing ??= this.#write();
  }

  /** What was here has come to its end without a failure. */
  recovered(): void {
    if (this.#failures > 0) {
      this.#failures = 0;
      this.#changes.push([FAILURES, undefined]);
      this.#writing ??= this.#write();
    }
  }

  /** Resolves when nothing is being written, and nothing will be. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#changes.length > 0) {
      const [changes, serial] = [this.#changes, this.#serial];
      this.#changes = [];
      if (!(await this.#attempt(() => this.#device.write(this.#session, this.#seat, changes)))) {
        return this.#giveUp();
      }
      this.#keeper?.stored(serial);
    }
    this.#writing = undefined;
  }

  /**
   * The device is full, or broken. What it has is not what is about to be sent
   * (a number may be missing), and whoever found it would send it again. So
   * nothing is sent before it is gone. The writing is never over: nothing more
   * is written here.
   */
  async #giveUp(): Promise<void> {
    while (!this.#closed) {
      if (await this.#attempt(() => this.#device.erase(this.#session, this.#seat))) {
        this.#keeper?.notStored();
        return;
      }
      await new Promise((over) => setTimeout(over, ERASE_AGAIN_MILLIS));
    }
  }

  /** Tries, and once more with another connection to the database. */
  async #attempt(action: () => Promise<void>): Promise<boolean> {
    for (const connect of [async () => {}, () => this.#device.reopen()]) {
      try {
        await connect();
        await action();
        return true;
      } catch {}
    }
    return false;
  }
}
