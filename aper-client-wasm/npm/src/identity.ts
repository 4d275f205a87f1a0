import { AperError, report } from './error.js';
import type { Outbox } from './outbox.js';

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

/** A client's key and its place, held until it is released. */
export interface Seat {
  readonly key: string | null;
  save(key: string): void;
  /** Where what has no answer yet is kept, together with the key; null if nowhere. */
  readonly outbox: Outbox | null;
  release(): void;
}

/** A seat of the application's own keeping. */
export async function ownSeat(identity: Identity): Promise<Seat> {
  try {
    const key = await identity.load();
    return { key, save: (key) => keep(identity, key), outbox: null, release: () => {} };
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
