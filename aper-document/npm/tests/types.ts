/**
 * What must compile, and what must not: `tsc` fails here when one of the lines
 * below a `@ts-expect-error` does.
 */

import {
  counter,
  createClient,
  list,
  newId,
  type Counter,
  type DocumentClient,
  type Item,
  type List,
  type Outcome,
} from '../../../target/npm/document/document.js';
import {
  useClient,
  usePresence,
  useSelector,
  useStatus,
  useUndo,
} from '../../../target/npm/document/document-react.js';

interface Todo {
  title: string;
  done: boolean;
  due?: string;
  votes: Counter;
}

interface Board {
  title: string;
  tags: string[];
  likes: Counter;
  todos: List<Todo>;
  archive: List<Todo>;
  settings: { theme: 'light' | 'dark'; zoom: number | null };
  users: Record<string, { name: string }>;
}

declare const id: string;
declare const path: string[];

export async function right(client: DocumentClient<Board>): Promise<void> {
  const outcome: Outcome = await client.set(['title'], 'x');
  client.set(['settings', 'theme'], 'dark');
  client.set(['settings', 'zoom'], null);
  client.set(['settings'], { theme: 'light', zoom: 1 });
  client.set(['todos', id, 'done'], true);
  client.set(['todos', id, 'due'], 'today');
  client.set(['users', 'ada'], { name: 'Ada' });
  client.set(['tags'], ['a', 'b']);
  client.create(['todos'], list());
  client.create(['todos'], list([{ title: 'a', done: false, votes: counter() }]));
  client.insert(['todos'], { title: 'a', done: false, votes: counter(1) }, { place: 'first' });
  client.insert(['todos'], { title: 'a', done: false, votes: counter() }, { id: newId() });
  client.move(['todos', id], { before: id });
  client.move(['todos', id], 'last', { into: ['archive'] });
  client.remove(['todos', id]);
  client.remove(['todos', id, 'due']);
  client.add(['likes'], 1);
  client.add(['todos', id, 'votes'], -1);
  client.test(['title'], 'x');
  client.test(['todos', id, 'due'], undefined);
  // Of a path that is put together when the program runs nobody knows.
  client.set(path, 1);
  await client.batch((change) => {
    change.test(['title'], 'x');
    change.set(['title'], 'y');
  });
  client.submit([{ set: { path: ['title'], value: { json: 'x' } } }]);

  const todos: readonly Item<{ readonly title: string; readonly votes: number }>[] | undefined =
    client.state?.todos;
  const likes: number | undefined = client.state?.likes;
  client.select((board) => board.settings.theme, (theme: 'light' | 'dark' | undefined) => theme);
  client.on('status', ({ connection, saved }) => [connection, saved]);
  client.on('settled', ({ transition, outcome }) => [transition, outcome.ok]);
  if (outcome.ok === false && outcome.conflict !== null) {
    const { reason, path } = outcome.conflict;
    if (reason !== 'missing' && typeof reason === 'object' && 'wrongKind' in reason) {
      console.log(path.join('/'), reason.wrongKind.found);
    }
  }
  console.log(todos, likes);
}

export function untyped(): void {
  const client = createClient({ url: '/', session: 'x', signal: AbortSignal.timeout(1) });
  client.set(['anything', 'goes'], { a: [1] });
  client.insert(['list'], 1);
  client.add(['n'], 1);
  client.state.anything;
}

export function Component(): unknown {
  const client = useClient<Board>({ url: '/', session: 'x' });
  const title: string | undefined = useSelector(client, (board) => board.title);
  // @ts-expect-error there may be no state yet
  const certain: string = useSelector(client, (board) => board.title);
  // @ts-expect-error there is no such key
  useSelector(client, (board) => board.name);
  const { canUndo, undo } = useUndo(client);
  const undone: Promise<Outcome> | undefined = undo();
  return [title, certain, useStatus(client).problem, canUndo, undone];
}

export async function wrong(client: DocumentClient<Board>): Promise<void> {
  // @ts-expect-error there is no such key
  client.set(['titel'], 'x');
  // @ts-expect-error a title is a text
  client.set(['title'], 1);
  // @ts-expect-error there is no such theme
  client.set(['settings', 'theme'], 'blue');
  // @ts-expect-error something is missing
  client.set(['settings'], { theme: 'dark' });
  // @ts-expect-error nothing is inside of a text
  client.set(['title', 'x'], 1);
  // @ts-expect-error nor of a plain array
  client.set(['tags', '0'], 'x');
  // @ts-expect-error nor of a counter
  client.set(['likes', 'value'], 1);
  // @ts-expect-error a counter is no number when it is made
  client.set(['likes'], 1);
  // @ts-expect-error a list is no array when it is made
  client.create(['todos'], []);
  // @ts-expect-error an item of another kind
  client.insert(['todos'], { title: 'a', done: 'no', votes: counter() });
  // @ts-expect-error that is no list
  client.insert(['tags'], 'x');
  // @ts-expect-error that is no counter
  client.add(['title'], 1);
  // @ts-expect-error one cannot add a text
  client.add(['likes'], '1');
  // @ts-expect-error there is no such key
  client.remove(['todos', id, 'titel']);
  // @ts-expect-error there is no such place
  client.move(['todos', id], 'middle');
  // @ts-expect-error there is no such operation
  client.submit([{ put: { path: ['title'], value: { json: 'x' } } }]);
  // @ts-expect-error a value says of which kind it is
  client.submit([{ set: { path: ['title'], value: 'x' } }]);
  // @ts-expect-error nobody changes what the client shows
  client.state = { title: 'x' };
  // @ts-expect-error nor a part of it
  client.state!.title = 'x';
  // @ts-expect-error nor an item
  client.state!.todos[0]!.value.done = true;
  // @ts-expect-error nor a plain array
  client.state!.tags.push('x');
  // @ts-expect-error there may be no state yet
  client.state.title;
  // @ts-expect-error there is no such event
  client.on('changed', () => {});
  // @ts-expect-error what is shown is JSON
  client.setPresence({ at: new Date() });
  // @ts-expect-error nobody changes what others show
  client.presence.set(1, null);
  await client.batch((change) => {
    // @ts-expect-error a title is a text
    change.set(['title'], 1);
  });
}

interface Cursor {
  x: number;
  y: number;
}

export function shown(client: DocumentClient<Board, Cursor>): number {
  client.setPresence({ x: 1, y: 2 });
  client.on('presence', (presence) => presence.get(1)?.x);
  // @ts-expect-error a cursor has a place
  client.setPresence({ x: 1 });
  const others: ReadonlyMap<number, Cursor> = usePresence(client);
  const anything: DocumentClient<any> = createClient({ url: 'wss://example.org' });
  anything.setPresence({ any: ['json', null] });
  const typed = useClient<Board, Cursor>({ url: 'wss://example.org' });
  return others.size + (typed.presence.get(7)?.y ?? 0);
}
