import { Device, SEATS } from './device.js';
import type { Seat } from './identity.js';
import { Outbox } from './outbox.js';

/**
 * A page that is reloaded may come before its predecessor has let go of its
 * place; so much longer it waits for that one.
 */
const RELOAD_MILLIS = 1_000;

/** A seat that this page has, alone, until it releases it. */
interface Taken {
  readonly seat: number;
  readonly release: () => void;
}

/**
 * A free seat of that session: the one that this tab had before it was
 * reloaded; else one in which a tab that was closed, or failed, has left
 * something to send; else the first. Two tabs never share one: each is a client
 * of its own, and nothing is sent by two.
 *
 * Seats are guarded by Web Locks, and kept in IndexedDB. Without a database
 * there is only a key, in `localStorage`; without locks (a page that did not
 * come by HTTPS has none) the key lives as long as the tab does, in
 * `sessionStorage`; and where there is neither, as long as the page.
 */
export async function freeSeat(session: string): Promise<Seat> {
  const tab = storage('sessionStorage');
  const locks = globalThis.navigator?.locks;
  const device = locks === undefined ? null : await Device.open();
  const kept = storage('localStorage');
  if (locks === undefined || (device === null && kept === null)) {
    return plain(tab, `aper:${session}`, () => {});
  }
  const taken = await take(session, locks, tab, device);
  if (taken === null) {
    return plain(null, '', () => {});
  }
  const { seat, release } = taken;
  try {
    if (device !== null) {
      return await keeping(device, session, seat, release);
    }
  } catch {}
  return plain(kept, place(session, seat), release);
}

/**
 * A free seat of that session in which a tab that is gone has left something to
 * send; null if there is none.
 */
export async function seatWithWork(session: string): Promise<Seat | null> {
  const locks = globalThis.navigator?.locks;
  const device = locks === undefined ? null : await Device.open();
  if (device === null) {
    return null;
  }
  try {
    for (const seat of await device.seatsWithWork(session)) {
      const release = await lock(locks, place(session, seat), { ifAvailable: true });
      if (release !== null) {
        return await keeping(device, session, seat, release);
      }
    }
  } catch {}
  device.close();
  return null;
}

async function keeping(
  device: Device,
  session: string,
  seat: number,
  unlock: () => void,
): Promise<Seat> {
  const kept = await device.load(session, seat);
  const outbox = new Outbox(device, session, seat, kept);
  const release = (): void =>
    void outbox.close().then(() => {
      device.close();
      unlock();
    });
  return { key: kept.key, save: (key) => outbox.identify(key), outbox, release };
}

/** The name of a seat's lock, and of its key where there is no database. */
function place(session: string, seat: number): string {
  return `aper:${session}:${seat}`;
}

async function take(
  session: string,
  locks: LockManager,
  tab: Storage | null,
  device: Device | null,
): Promise<Taken | null> {
  const prefix = `aper:${session}`;
  const attempt = async (seat: number, options: LockOptions): Promise<Taken | null> => {
    const release = await lock(locks, place(session, seat), options);
    return release && { seat, release };
  };
  const all = Array.from({ length: SEATS }, (_, seat) => seat);
  const earlier = all.find((seat) => place(session, seat) === read(tab, prefix));
  if (earlier !== undefined) {
    const again = await attempt(earlier, { signal: AbortSignal.timeout(RELOAD_MILLIS) });
    if (again !== null) {
      return again;
    }
  }
  const withWork = (await device?.seatsWithWork(session).catch(() => [])) ?? [];
  for (const seat of [...withWork, ...all]) {
    const taken = await attempt(seat, { ifAvailable: true });
    if (taken !== null) {
      write(tab, prefix, place(session, seat));
      return taken;
    }
  }
  return null;
}

/** Where there is room for a key and for nothing else. */
function plain(storage: Storage | null, place: string, release: () => void): Seat {
  const save = (key: string): void => write(storage, place, key);
  return { key: read(storage, place), save, outbox: null, release };
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
