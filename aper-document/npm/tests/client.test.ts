/** Clients in Node, on a real server. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'undici';

import {
  AperError,
  counter,
  createClient,
  list,
  newId,
  type Counter,
  type CreateOptions,
  type DocumentClient,
  type List,
  type Outcome,
  type Status,
} from '../../../target/npm/document/document.js';
import { Server } from './server.js';

// Node has a WebSocket of its own from version 22 on.
globalThis.WebSocket ??= WebSocket as unknown as typeof globalThis.WebSocket;

interface Board {
  title: string;
  note?: string;
  likes: Counter;
  todos: List<{ title: string; done: boolean }>;
  archive: List<{ title: string; done: boolean }>;
}

let server: Server;
beforeAll(async () => void (server = await Server.start()));
afterAll(() => server.stop());

const clients: DocumentClient<any, any>[] = [];
afterEach(() => clients.splice(0).forEach((client) => client.close()));

function client(session: string, options: Partial<CreateOptions> = {}): DocumentClient<Board> {
  const client = createClient<Board>({ url: server.url, session, ...options });
  clients.push(client);
  return client;
}

/** A client that has everything, of a session with a board. */
async function board(session = newId()): Promise<DocumentClient<Board>> {
  const board = client(session);
  // What is submitted before there is a state cannot be taken back.
  await board.ready;
  await accepted(
    board.batch((change) => {
      change.create(['title'], 'untitled');
      change.create(['likes'], counter());
      change.create(['todos'], list());
      change.create(['archive'], list());
    }),
  );
  return board;
}

async function accepted(submission: Promise<Outcome>): Promise<void> {
  expect(await submission).toMatchObject({ ok: true });
}

/** Waits until it is so. */
function until(client: DocumentClient<any>, so: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (so()) {
        end();
        resolve();
      }
    };
    const end = client.subscribe(look);
    look();
  });
}

describe('a document', () => {
  test('is shared, and what can be submitted before the module is loaded arrives', async () => {
    const session = newId();
    const one = client(session);
    expect(one.state).toBeUndefined();
    const created = one.create(['todos'], list([{ title: 'a', done: false }]));
    const set = one.set(['title'], 'early');
    expect(one.status).toEqual({
      connection: 'connecting',
      pending: 2,
      saved: false,
      kept: false,
      problem: null,
    });
    await Promise.all([accepted(created), accepted(set)]);
    const two = client(session);
    await two.ready;
    expect(two.state).toEqual(one.state);
    expect(two.state).toMatchObject({ title: 'early', todos: [{ value: { title: 'a' } }] });
  });

  test('takes every operation', async () => {
    const one = await board();
    const [a, b] = [newId(), newId()];
    await accepted(one.insert(['todos'], { title: 'a', done: false }, { id: a }));
    await accepted(one.insert(['todos'], { title: 'b', done: false }, { id: b, place: 'first' }));
    expect(one.state!.todos.map(({ id }) => id)).toEqual([b, a]);
    await accepted(one.set(['todos', a, 'done'], true));
    await accepted(one.move(['todos', a], { before: b }));
    await accepted(one.move(['todos', b], 'last', { into: ['archive'] }));
    await accepted(one.add(['likes'], 3));
    await accepted(one.test(['likes'], counter(3)));
    await accepted(one.remove(['title']));
    await accepted(one.test(['title'], undefined));
    expect(one.state).toEqual({
      likes: 3,
      todos: [{ id: a, value: { title: 'a', done: true } }],
      archive: [{ id: b, value: { title: 'b', done: false } }],
    });
  });

  test('refuses with the operation, its path and a reason', async () => {
    const one = await board();
    const gone = newId();
    const outcome = await one.batch((change) => {
      change.set(['title'], 'never');
      change.set(['todos', gone, 'done'], true);
    });
    expect(outcome).toEqual({
      ok: false,
      conflict: { operation: 1, path: ['todos', gone], reason: 'missing' },
      affected: 0,
    });
    expect(one.state!.title).toBe('untitled');
    expect(await one.create(['title'], 'again')).toMatchObject({ conflict: { reason: 'exists' } });
    const wrong = await one.add(['title'] as never, 1);
    expect(wrong).toMatchObject({
      conflict: { reason: { wrongKind: { found: 'text', expected: 'counter' } } },
    });
  });

  test('of two who make the same thing, one is told', async () => {
    const session = newId();
    const [one, two] = [client(session), client(session)];
    await Promise.all([one.ready, two.ready]);
    // Neither has seen the other's when it submits.
    const outcomes = await Promise.all([one.create(['title'], '1'), two.create(['title'], '2')]);
    expect(outcomes.map(({ ok }) => ok).sort()).toEqual([false, true]);
    await until(two, () => two.state?.title === one.state?.title);
  });

  test('keys that mean something in JavaScript do no harm', async () => {
    const session = newId();
    const one = createClient({ url: server.url, session });
    clients.push(one);
    const hostile = JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":1}}');
    await accepted(one.create(['user'], hostile));
    await accepted(one.set(['__proto__'], { polluted: true }));
    await accepted(one.set(['__proto__', 'polluted'], 'yes'));
    const two = createClient({ url: server.url, session });
    clients.push(two);
    await two.ready;
    for (const { state } of [one, two]) {
      expect(JSON.stringify(state)).toBe(
        '{"__proto__":{"polluted":"yes"},' +
          '"user":{"__proto__":{"admin":true},"constructor":{"prototype":1}}}',
      );
      expect(Object.getPrototypeOf(state)).toBe(Object.prototype);
      expect(state.user.admin).toBeUndefined();
      expect(state.polluted).toBeUndefined();
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test('what did not change is identical, whoever changed the rest', async () => {
    const session = newId();
    const one = await board(session);
    const two = client(session);
    await Promise.all([
      ...['a', 'b', 'c'].map((title) => accepted(one.insert(['todos'], { title, done: false }))),
      two.ready,
    ]);
    await until(two, () => two.state!.todos.length === 3);
    const before = two.state!;
    const { id } = before.todos[1]!;
    await accepted(one.set(['todos', id, 'done'], true));
    await until(two, () => two.state!.todos[1]!.value.done);
    const after = two.state!;
    expect(after.archive).toBe(before.archive);
    expect(after.todos[0]).toBe(before.todos[0]);
    expect(after.todos[2]).toBe(before.todos[2]);
    expect(after.todos[1]).not.toBe(before.todos[1]);
    expect(before.todos[1]!.value.done).toBe(false);
    expect(two.state).toBe(after);
    await accepted(one.move(['todos', id], 'first'));
    await until(two, () => two.state !== after);
    expect(two.state!.todos[0]).toBe(after.todos[1]);
  });
});

test('who saw every change shows the same as who came at the end', async () => {
  // The one is shown each state as a change of the last, the other as a whole.
  const session = newId();
  const one = createClient({ url: server.url, session });
  clients.push(one);
  await one.ready;
  let seed = 1;
  const below = (bound: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % bound;
  };
  const ids = Array.from({ length: 6 }, newId);
  const keys = ['a', 'b', '__proto__', 'zz', '10', '9'];
  const some = <T>(of: readonly T[]): T => of[below(of.length)]!;
  const place = () => some(['first', 'last', { before: some(ids) }, { after: some(ids) }] as const);
  const value = (): unknown =>
    some<() => unknown>([
      () => below(100),
      () => `text ${below(3)}`,
      () => [1, { a: below(2) }],
      () => ({ a: 1, b: list([below(9)]) }),
      () => list.from(ids.slice(0, below(4)).map((id) => ({ id, value: { n: below(9) } }))),
      () => counter(below(9)),
    ])();
  const path = (): string[] => Array.from({ length: 1 + below(4) }, () => some(below(2) ? keys : ids));
  await accepted(one.create(['list'], list.from(ids.map((id) => ({ id, value: { n: 0 } })))));
  let changes = 0;
  for (let step = 0; step < 1_500; step += 1) {
    const at = below(3) === 0 ? ['list', some(ids), ...path().slice(1)] : path();
    const submissions = some<() => Promise<Outcome>>([
      () => one.set(at, value()),
      () => one.remove(at),
      () => one.insert(below(2) ? ['list'] : at, value(), { id: some(ids), place: place() }),
      () => one.move(below(2) ? ['list', some(ids)] : at, place()),
      () => one.add(at, below(5)),
    ]);
    const before = one.state;
    const text = JSON.stringify(before);
    const submission = submissions();
    // Shown at once, by what is made of the state before.
    await Promise.resolve();
    changes += Number(JSON.stringify(one.state) !== text);
    // And that one stays as it was.
    expect(JSON.stringify(before)).toBe(text);
    await submission;
  }
  expect(changes).toBeGreaterThan(200);
  const late = createClient({ url: server.url, session });
  clients.push(late);
  await late.ready;
  expect(JSON.stringify(one.state)).toBe(JSON.stringify(late.state));
});

describe('listening', () => {
  test('a selection tells its changes, with what it was', async () => {
    const one = await board();
    const told: unknown[] = [];
    const end = one.select(
      (board) => board.title,
      (title, before) => told.push([title, before]),
    );
    await accepted(one.add(['likes'], 1));
    await accepted(one.set(['title'], 'a'));
    await accepted(one.set(['title'], 'a'));
    await accepted(one.set(['title'], 'b'));
    end();
    await accepted(one.set(['title'], 'c'));
    expect(told).toEqual([
      ['a', 'untitled'],
      ['b', 'a'],
    ]);
  });

  test('a selection that makes new values is told by its equal', async () => {
    const one = await board();
    const told: string[][] = [];
    one.select(
      (board) => board.title.split(' '),
      (words) => told.push(words!),
      { equal: (one, other) => one.join() === other.join() },
    );
    await accepted(one.add(['likes'], 1));
    await accepted(one.set(['title'], 'a b'));
    expect(told).toEqual([['a', 'b']]);
  });

  test('events have names and values, and end with their signal', async () => {
    const one = await board();
    const ending = new AbortController();
    const { signal } = ending;
    const [states, statuses, outcomes] = [[] as unknown[], [] as Status[], [] as unknown[]];
    one.on('state', (state) => states.push(state), { signal });
    one.on('status', (status) => statuses.push(status), { signal });
    one.on('settled', ({ transition, outcome }) => outcomes.push([transition, outcome.ok]), {
      signal,
    });
    await accepted(one.set(['title'], 'a'));
    await one.remove(['nothing'] as never);
    await new Promise((resolve) => setTimeout(resolve));
    expect(states).toEqual([one.state]);
    expect(statuses.map(({ saved }) => saved)).toEqual([false, true]);
    expect(outcomes).toEqual([
      [[{ set: { path: ['title'], value: { json: 'a' } } }], true],
      [[{ remove: { path: ['nothing'] } }], false],
    ]);
    ending.abort();
    await accepted(one.set(['title'], 'b'));
    expect([states.length, statuses.length, outcomes.length]).toEqual([1, 2, 2]);
    // One that is over before it begins.
    one.subscribe(() => states.push('never'), { signal });
    await accepted(one.set(['title'], 'c'));
    expect(states).toHaveLength(1);
  });
});

describe('presence', () => {
  interface Cursor {
    name: string;
    at: { x: number; y: number } | null;
  }

  function someone(session: string): DocumentClient<Board, Cursor> {
    const client = createClient<Board, Cursor>({ url: server.url, session });
    clients.push(client);
    return client;
  }

  /** Waits until what a client sees is so. */
  function sees(
    client: DocumentClient<Board, Cursor>,
    condition: (presence: ReadonlyMap<number, Cursor>) => boolean,
  ): Promise<ReadonlyMap<number, Cursor>> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (condition(client.presence)) {
          end();
          resolve(client.presence);
        }
      };
      const end = client.subscribePresence(look);
      look();
    });
  }

  test('the others see the latest, until its client goes', async () => {
    const session = newId();
    const [one, other] = [someone(session), someone(session)];
    // Before there is anything to send it with.
    one.setPresence({ name: 'one', at: null });
    await Promise.all([one.ready, other.ready]);
    for (let x = 0; x <= 1_000; x++) {
      one.setPresence({ name: 'one', at: { x, y: 0.5 } });
    }
    const seen = await sees(other, (presence) => presence.get(one.id!)?.at?.x === 1_000);
    expect([...seen]).toEqual([[one.id, { name: 'one', at: { x: 1_000, y: 0.5 } }]]);
    expect(one.presence.size).toBe(0);
    one.clearPresence();
    await sees(other, (presence) => presence.size === 0);
    one.setPresence({ name: 'back', at: null });
    await sees(other, (presence) => presence.get(one.id!)?.name === 'back');
    one.close();
    await sees(other, (presence) => presence.size === 0);
    one.setPresence({ name: 'nobody hears this', at: null });
  });

  test('it is the same until it changes, and so is every value that does not', async () => {
    const session = newId();
    const [one, two, other] = [someone(session), someone(session), someone(session)];
    await Promise.all([one.ready, two.ready, other.ready]);
    one.setPresence({ name: 'one', at: { x: 1, y: 1 } });
    two.setPresence({ name: 'two', at: { x: 1, y: 1 } });
    const before = await sees(other, (presence) => presence.size === 2);
    expect(other.presence).toBe(before);
    two.setPresence({ name: 'other', at: { x: 1, y: 1 } });
    const after = await sees(other, (presence) => presence.get(two.id!)?.name === 'other');
    expect(after).not.toBe(before);
    expect(after.get(one.id!)).toBe(before.get(one.id!));
    expect(after.get(two.id!)?.at).toBe(before.get(two.id!)?.at);
    expect(before.get(two.id!)?.name).toBe('two');
  });

  test('those who listen to the state are not told of it', async () => {
    const session = newId();
    const [one, other] = [someone(session), someone(session)];
    await Promise.all([one.ready, other.ready]);
    const told = { state: 0, presence: 0 };
    other.subscribe(() => (told.state += 1));
    const ending = new AbortController();
    other.on('presence', (presence) => (told.presence += presence.size), ending);
    one.setPresence({ name: 'a', at: null });
    await sees(other, (presence) => presence.size === 1);
    expect(told).toEqual({ state: 0, presence: 1 });
    ending.abort();
    one.setPresence({ name: 'b', at: null });
    await sees(other, (presence) => presence.get(one.id!)?.name === 'b');
    expect(told).toEqual({ state: 0, presence: 1 });
  });

  test('what is no JSON, or too long, is an error', async () => {
    const one = someone(newId());
    await one.ready;
    const wrong = { name: 'x', at: { x: Number.NaN, y: 0 } };
    const code = (run: () => void): unknown => {
      try {
        run();
      } catch (error) {
        return (error as AperError).code;
      }
      return undefined;
    };
    expect(code(() => one.setPresence(wrong))).toBe('malformed');
    const long = { name: 'x'.repeat(5_000), at: null };
    expect(code(() => one.setPresence(long))).toBe('too-big');
    expect(code(() => one.setPresence({ name: 'x', at: null }))).toBeUndefined();
  });
});

describe('the end', () => {
  test('a signal closes the client', async () => {
    const ending = new AbortController();
    const one = client(newId(), { signal: ending.signal });
    await one.ready;
    ending.abort();
    expect(one.status.connection).toBe('closed');
    await expect(one.set(['title'], 'x')).rejects.toMatchObject({ code: 'closed' });
    expect(one.state).toEqual({});
    const over = client(newId(), { signal: ending.signal });
    expect(over.status.connection).toBe('closed');
    await expect(over.ready).rejects.toBeInstanceOf(AperError);
  });

  test('what was submitted before the end of a client that never was is rejected', async () => {
    const one = client(newId());
    const early = one.set(['title'], 'x');
    one.close();
    await expect(early).rejects.toMatchObject({ code: 'closed' });
    await expect(one.ready).rejects.toMatchObject({ code: 'closed' });
    expect(one.status.connection).toBe('closed');
  });
});

describe('misuse', () => {
  test('what is no transition is rejected as malformed', async () => {
    const one = await board();
    for (const wrong of [[{ put: {} }], [{ set: { path: ['a'], value: 1 } }], 'x', null]) {
      await expect(one.submit(wrong as never)).rejects.toMatchObject({ code: 'malformed' });
    }
    await expect(one.set(['title'], Number.NaN as never)).rejects.toMatchObject({
      code: 'malformed',
    });
    await expect(one.insert(['todos'], {} as never, { id: 'mine' })).rejects.toMatchObject({
      code: 'malformed',
    });
  });

  test('a URL that is none is told, and trying again is possible', async () => {
    const one = createClient({ url: 'no url', session: 'x' });
    clients.push(one);
    await expect(one.ready).rejects.toMatchObject({ code: 'load' });
    expect(one.status).toMatchObject({ connection: 'offline', problem: { code: 'load' } });
    await expect(one.set(['a'], 1)).rejects.toMatchObject({ code: 'address' });
  });
});

describe('undo', () => {
  test('takes back by gestures, and does again', async () => {
    const ada = await board();
    expect([ada.canUndo, ada.canRedo]).toEqual([true, false]);
    ada.beginGesture();
    await accepted(ada.set(['title'], 'party'));
    await accepted(ada.add(['likes'], 3));
    ada.endGesture();

    expect(await ada.undo()).toMatchObject({ ok: true });
    expect(ada.state).toMatchObject({ title: 'untitled', likes: 0 });
    expect(await ada.redo()).toMatchObject({ ok: true });
    expect(ada.state).toMatchObject({ title: 'party', likes: 3 });
    expect(ada.redo()).toBeUndefined();
  });

  test('leaves what others did, and tells when that is in the way', async () => {
    const session = newId();
    const ada = await board(session);
    const ben = client(session);
    await ben.ready;
    await accepted(ada.create(['note'], 'buy milk'));
    await accepted(ben.add(['likes'], 1));
    await accepted(ben.remove(['note']));
    await expect.poll(() => ada.state?.likes).toBe(1);
    expect(await ada.undo()).toMatchObject({ ok: false, conflict: { reason: 'missing' } });
    expect(ada.state?.likes).toBe(1);
  });
});

test('what is set in quick succession is a few transitions', async () => {
  const session = newId();
  const ada = await board(session);
  const outcomes = Array.from({ length: 200 }, (_, number) => ada.set(['title'], `${number}`));
  const versions = new Set((await Promise.all(outcomes)).map((o) => (o.ok ? o.version : -1)));
  expect(versions.size).toBeLessThan(10);
  expect(versions.has(-1)).toBe(false);
  expect(ada.state?.title).toBe('199');
});
