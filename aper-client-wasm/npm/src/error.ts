/**
 * Which misuse:
 * - `closed`: the client is closed;
 * - `address`: the URL is none, or no connection to it can even be tried;
 * - `malformed`: that is no transition of this machine;
 * - `unrepresentable`: the machine has a value that JavaScript cannot have,
 *   such as an integer above 2^53;
 * - `too-big`: the transition is longer than a server takes;
 * - `too-many-pending`: too many transitions have no answer yet;
 * - `load`: the WebAssembly module cannot be loaded;
 * - `identity`: the application's own {@link Identity} has failed to load, which
 *   is the cause;
 * - `crashed`: the machine has failed here, and every client of it on this
 *   page with it.
 */
export type ErrorCode =
  | 'closed'
  | 'address'
  | 'malformed'
  | 'unrepresentable'
  | 'too-big'
  | 'too-many-pending'
  | 'load'
  | 'identity'
  | 'crashed';

/** What is thrown, and what promises are rejected with, and nothing else. */
export class AperError extends Error {
  override readonly name = 'AperError';

  constructor(
    readonly code: ErrorCode,
    text: string,
    options?: ErrorOptions,
  ) {
    super(text, options);
  }
}

/** For an error of the application's own code, which is nobody else's: it is shown where uncaught ones are. */
export function report(error: unknown): void {
  if (typeof reportError === 'function') {
    reportError(error);
  } else {
    console.error(error);
  }
}
