import { AperError, report } from './error.js';

/**
 * Who a client is, between visits. The server gives each client a secret key;
 * who brings it along the next time is the same client again.
 */
export interface Identity {
  /** The key that was saved, or null. If it fails, there is no client. */
  load(): string | null | Promise<string | null>;
  /**
   * Keeps the key. It is a secret: whoever has it can act as this client. If it
   * fails, this client goes on, and will be another one the next time.
   */
  save(key: string): void;
}

/** A key and its place, held until it is released. */
export interface Seat {
  readonly key: string | null;
  save(key: string): void;
  release(): void;
}

/** How many tabs of one browser have a place each; further ones are new every time. */
const SEATS = 32;

/**
 * A page that is reloaded may come before its predecessor has let go of its
 * place; so much longer it waits for that one.
 */
const RELOAD_MILLIS = 1_000;

/** A seat of the application's own keeping. */
export async function ownSeat(identity: Identity): Promise<Seat> {
  try {
    const key = await identity.load();
    return { key, save: (key) => keep(identity, key), release: () => {} };
  } catch (cause) {
    throw new AperError('identity', 'who this client is could not be loaded', { cause });
  }
}

/**
 * Called from within the module, among other news, none of which may be lost
 * by an error of the application's.
 */
function keep(identity: Identity, key: string): void {
  try {
    identity.save(key);
  } catch (error) {
    report(error);
  }
}

/**
 * The first free seat of that name. Two tabs never share one: each is a client
 * of its own. A tab that is closed leaves its seat to the next that opens, and
 * a tab that is reloaded keeps it.
 *
 * Seats are kept in `localStorage` and guarded by Web Locks. Where there are
 * none (a page that did not come by HTTPS has no locks) the key lives as long
 * as the tab does, in `sessionStorage`, and where there is neither, as long as
 * the page.
 */
export async function freeSeat(name: string): Promise<Seat> {
  const prefix = `aper:${name}`;
  const [kept, tab] = [storage('localStorage'), storage('sessionStorage')];
  const locks = globalThis.navigator?.locks;
  if (kept === null || locks === undefined) {
    return seat(tab, prefix, () => {});
  }
  const earlier = read(tab, prefix);
  const candidates = Array.from({ length: SEATS }, (_, number) => `${prefix}:${number}`);
  if (earlier !== null && candidates.includes(earlier)) {
    const release = await lock(locks, earlier, { signal: AbortSignal.timeout(RELOAD_MILLIS) });
    if (release !== null) {
      return seat(kept, earlier, release);
    }
  }
  for (const place of candidates) {
    const release = await lock(locks, place, { ifAvailable: true });
    if (release !== null) {
      write(tab, prefix, place);
      return seat(kept, place, release);
    }
  }
  return seat(null, prefix, () => {});
}

function seat(storage: Storage | null, place: string, release: () => void): Seat {
  return { key: read(storage, place), save: (key) => write(storage, place, key), release };
}

/** What ends the lock, or null if it is not to be had. */
function lock(locks: LockManager, name: string, options: LockOptions): Promise<(() => void) | null> {
  return new Promise((decided) => {
    const held = locks.request(name, options, (lock) => {
      if (lock === null) {
        decided(null);
        return;
      }
      return new Promise<void>((release) => decided(release));
    });
    held.catch(() => decided(null));
  });
}

/** Storage may be missing, and may be forbidden, which asking for it throws. */
function storage(kind: 'localStorage' | 'sessionStorage'): Storage | null {
  try {
    return globalThis[kind] ?? null;
  } catch {
    return null;
  }
}

function read(storage: Storage | null, place: string): string | null {
  return storage?.getItem(place) ?? null;
}

/** A full storage costs the identity its memory, and nothing else. */
function write(storage: Storage | null, place: string, text: string): void {
  try {
    storage?.setItem(place, text);
  } catch {}
}
