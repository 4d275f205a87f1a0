/** Which session this page is in, and where its server is. */

const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';

/**
 * The session of the address (`?session=`). Without one the visitor gets a
 * new session, and the address names it from then on, so that a reload or a
 * bookmark comes back to it.
 */
export function session(): string {
  const address = new URL(location.href);
  const given = address.searchParams.get('session');
  if (given !== null && /^[A-Za-z0-9_-]{1,64}$/.test(given)) {
    return given;
  }
  const made = newSession();
  address.searchParams.set('session', made);
  history.replaceState(history.state, '', address);
  return made;
}

/** A name that nobody guesses: whoever knows it can come in. */
function newSession(): string {
  const random = crypto.getRandomValues(new Uint8Array(12));
  return [...random].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

/** The WebSocket address of a machine's session on the server of this page. */
export function serverUrl(machine: string, name: string): string {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return `${scheme}//${location.host}/${machine}/${name}`;
}

/** A new id for a card, a timer, and the like. */
export function newId(): string {
  // `randomUUID` is only there in a secure context; a page on a local
  // network's plain address still has `getRandomValues`.
  if (typeof crypto.randomUUID === 'function') {
    return crypto.randomUUID();
  }
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
