'use client';

import { LiveDocument, type CreateOptions, type DocumentClient } from './document.js';
import { useLive } from './react.js';
import type { Json } from './shape.js';

export {
  usePresence,
  useSelector,
  useStatus,
  useUndo,
  type PresenceSource,
  type Source,
  type Undo,
  type UndoSource,
} from './react.js';

/**
 * A client of a document, for as long as the component lives. `S` is the shape
 * of the document, `P` of what clients show each other. Another URL, session, token or name of an identity makes
 * another client; the other options count when it is made.
 *
 * The client is there at the first rendering and connects when the component is
 * on the page: never on a server. A component that leaves and returns at once,
 * as React's StrictMode has it, keeps its connection.
 */
export function useClient<S = any, P = Json>(options: CreateOptions): DocumentClient<S, P> {
  return useLive(options, (options) => new LiveDocument<S, P>(options));
}
