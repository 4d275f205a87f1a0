import type { DocumentClient, List } from 'aper-document';
import { list, newId } from 'aper-document';

/** What the document looks like. */
export interface Board {
  todos: List<Todo>;
}

export interface Todo {
  title: string;
  done: boolean;
}

export type Client = DocumentClient<Board>;

/** The session is named in the address, so that a link is an invitation. */
export function session(): string {
  const url = new URL(location.href);
  const named = url.searchParams.get('session');
  if (named !== null) {
    return named;
  }
  const fresh = newId().slice(0, 8);
  url.searchParams.set('session', fresh);
  history.replaceState(null, '', url);
  return fresh;
}

/**
 * Makes the list of a new document. Where there is one already this is refused,
 * which is fine: of all who come, the first has made it.
 */
export async function prepare(client: Client): Promise<void> {
  await client.ready;
  await client.create(['todos'], list());
}
