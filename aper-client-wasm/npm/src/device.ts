/** How many places there are for a session, and so how many of a browser's tabs have one each. */
export const SEATS = 32;

/** What the device has under a ticket: the module made the bytes, and reads them. */
export interface Item {
  readonly ticket: number;
  readonly bytes: Uint8Array;
}

/** What is to be under a ticket from now on; undefined is nothing. */
export type Change = readonly [ticket: number, value: string | number | Uint8Array | undefined];

/** All of a seat. */
export interface Kept {
  /** The client's key. */
  readonly key: string | null;
  /** What has no answer yet, in the order of the tickets. */
  readonly items: Item[];
  /** How many pages in a row have failed with these items. */
  readonly failures: number;
}

/** Where the client's key is; tickets begin after it. */
export const KEY = 0;
/** Where the number of failures is. */
export const FAILURES = -1;

/** The layout is never changed: another one will have another name. */
const DATABASE = 'aper';
const STORE = 'kept';

/**
 * Some browsers' databases, now and then, never open. A busy device's may take
 * its seconds, and is worth them: without it nothing is kept.
 */
const OPEN_MILLIS = 10_000;

/**
 * What this browser keeps of clients, in IndexedDB: for each session and seat
 * the client's key, and what it has submitted that has no answer yet. A
 * record's key is `[session, seat, ticket]`.
 */
export class Device {
  #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
  }

  /** Null where there is none, or none that a page may use. */
  static async open(): Promise<Device | null> {
    try {
      return new Device(await open());
    } catch {
      return null;
    }
  }

  close(): void {
    this.#database.close();
  }

  /** Browsers lose a connection to their database, and give another. */
  async reopen(): Promise<void> {
    this.#database.close();
    this.#database = await open();
  }

  /** The seats with something that was submitted and has no answer yet. */
  async seatsWithWork(session: string): Promise<number[]> {
    const found = await this.#transact('readonly', {}, (store) => {
      const requests = Array.from({ length: SEATS }, (_, seat) => store.getKey(work(session, seat)));
      return () => requests.map((request) => request.result);
    });
    return [...found.keys()].filter((seat) => found[seat] !== undefined);
  }

  /** All that is kept of a seat. */
  async load(session: string, seat: number): Promise<Kept> {
    const [key, failures, tickets, values] = await this.#transact('readonly', {}, (store) => {
      const key = store.get([session, seat, KEY]);
      const failures = store.get([session, seat, FAILURES]);
      const tickets = store.getAllKeys(work(session, seat));
      const values = store.getAll(work(session, seat));
      return () => [key.result, failures.result, tickets.result, values.result] as const;
    });
    const items = tickets.map((path, place) => ({
      ticket: (path as [string, number, number])[2],
      bytes: values[place] as Uint8Array,
    }));
    return { key: key ?? null, items, failures: failures ?? 0 };
  }

  /**
   * Makes all of these changes, or none.
   *
   * What is written is on the disk when this resolves, not only on its way
   * there: something may be sent then, and after a power failure it must not be
   * found as it was before it had its number. What is deleted may come back.
   */
  write(session: string, seat: number, changes: readonly Change[]): Promise<void> {
    const adds = changes.some(([, value]) => value !== undefined);
    const durability = adds ? 'strict' : 'relaxed';
    return this.#transact('readwrite', { durability }, (store) => {
      for (const [ticket, value] of changes) {
        const path = [session, seat, ticket];
        if (value === undefined) {
          store.delete(path);
        } else {
          store.put(value, path);
        }
      }
      return () => {};
    });
  }

  /** Keeps nothing any more of what was submitted. */
  erase(session: string, seat: number): Promise<void> {
    return this.#transact('readwrite', { durability: 'strict' }, (store) => {
      store.delete(work(session, seat));
      return () => {};
    });
  }

  #transact<T>(
    mode: IDBTransactionMode,
    options: IDBTransactionOptions,
    ask: (store: IDBObjectStore) => () => T,
  ): Promise<T> {
    return new Promise((done, failed) => {
      const transaction = this.#database.transaction(STORE, mode, options);
      transaction.onabort = () => failed(transaction.error);
      const answer = ask(transaction.objectStore(STORE));
      transaction.oncomplete = () => done(answer());
    });
  }
}

/** Everything of a seat but its key. (Arrays come after all numbers.) */
function work(session: string, seat: number): IDBKeyRange {
  return IDBKeyRange.bound([session, seat, KEY], [session, seat, []], true);
}

function open(): Promise<IDBDatabase> {
  return new Promise((opened, failed) => {
    const request = indexedDB.open(DATABASE);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onerror = failed;
    request.onsuccess = () => opened(request.result);
    setTimeout(() => {
      failed();
      // Too late is never.
      request.onsuccess = () => request.result.close();
    }, OPEN_MILLIS);
  });
}
