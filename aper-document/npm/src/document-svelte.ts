import { LiveDocument, type CreateOptions, type DocumentClient } from './document.js';
import type { Json } from './shape.js';
import { useLive } from './svelte.js';

export { usePresence, useSelector, useStatus, type Store } from './svelte.js';

/**
 * A client of a document, for as long as the component lives; to be called
 * while that is made, as everything here. `S` is the shape of the document,
 * `P` of what clients show each other. The options count then: another session
 * is another component, `{#key session}`.
 *
 * The client is there at once and connects when the component is on the page:
 * never on a server.
 */
export function useClient<S = any, P = Json>(options: CreateOptions): DocumentClient<S, P> {
  return useLive(new LiveDocument<S, P>(options));
}
