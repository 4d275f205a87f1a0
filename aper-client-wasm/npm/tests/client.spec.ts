/**
 * What the package promises of a client, by the counter's package as it was
 * built, unbundled, on a live server and through a proxy that misbehaves.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import type { Page } from '@playwright/test';

import {
  PACKAGES,
  expect,
  join,
  load,
  member,
  reaches,
  records,
  shows,
  test,
  visit,
  type Package,
} from './fixture.js';

test('a transition shows at once and is confirmed later', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const outcome = client.submit('increment');
    const before = { value: client.state?.value, ...client.status };
    return { before, outcome: await outcome, after: client.status, id: client.id };
  });
  expect(seen).toEqual({
    before: { value: 1, connection: 'online', pending: 1, saved: false, kept: false, problem: null },
    outcome: { ok: true, version: 1 },
    after: { connection: 'online', pending: 0, saved: true, kept: true, problem: null },
    id: 1,
  });
});

test('state and status are the same objects until they change', async ({ page }) => {
  const same = await page.evaluate(() => {
    const [state, status] = [client.state, client.status];
    const unchanged = [client.state === state, client.status === status];
    void client.submit('increment');
    return [...unchanged, client.state === state, client.status === status];
  });
  expect(same).toEqual([true, true, false, false]);
});

test('a refusal says why, and what is no transition is an error', async ({ page }) => {
  const said = await page.evaluate(async () => {
    const refused = await client.submit('decrement');
    const error = await client.submit('double' as Package.Transition).catch((error) => error);
    const isAperError = error instanceof aper.AperError;
    return { refused, isAperError, code: error.code, text: error.message, value: client.state };
  });
  expect(said).toMatchObject({
    refused: { ok: false, conflict: 'atZero', affected: 0 },
    isAperError: true,
    code: 'malformed',
    value: { value: 0 },
  });
  expect(said.text).toContain('no transition of `counter`');
  expect(said.text).toContain('unknown variant `double`');
});

test('what is wrong with a transition is said, and what is right is taken', async ({ blank: page }) => {
  const cyclic: Record<string, unknown> = {};
  cyclic['addCard'] = cyclic;
  const id = '00000000-0000-4000-8000-000000000000';
  const column = { id, title: 'To do' };
  const cases: [transition: unknown, said: string][] = [
    [null, 'there is nothing'],
    [1, 'there is an integer'],
    [1.5, 'there is a number that is no integer'],
    [['addColumn'], 'there is an array'],
    ['addColumn', 'there is nothing'],
    [{}, 'one field'],
    [{ addColumn: column, removeColumn: column }, 'one field'],
    [{ paintColumn: column }, 'unknown variant `paintColumn`'],
    [{ addColumn: [] }, 'there is an array'],
    [{ addColumn: { title: 'To do' } }, 'missing field `id`'],
    [{ addColumn: { id: 7, title: 'To do' } }, 'there is an integer, expected a formatted UUID'],
    [{ limitColumn: { id, limit: -1 } }, 'there is -1, expected u'],
    [{ limitColumn: { id, limit: 2 ** 40 } }, 'there is 1099511627776, expected u'],
    [{ limitColumn: { id, limit: 0.5 } }, 'there is a number that is no integer'],
    [{ limitColumn: { id, limit: 2 ** 60 } }, 'there is a number that is no integer'],
    [cyclic, 'missing field'],
    [{ limitColumn: { id, limit: 2 } }, 'taken'],
    [{ limitColumn: { id, limit: null } }, 'taken'],
    [{ limitColumn: { id } }, 'taken'],
    [{ addColumn: { ...column, colour: 'red' } }, 'taken'],
  ];
  const said = await page.evaluate(async (transitions) => {
    const { connect } = (await import(String('/npm/kanban/index.js'))) as typeof Package;
    // There is no such session, so nothing is refused here: it waits.
    const client = await connect('ws://127.0.0.1:9/kanban/nowhere');
    const submit = (transition: unknown): Promise<string> => {
      const answer = client.submit(transition as Package.Transition);
      const waits = new Promise<string>((waits) => setTimeout(() => waits('taken')));
      return Promise.race([waits, answer.then(String, (error: Error) => error.message)]);
    };
    return Promise.all(transitions.map(submit));
  }, cases.map(([transition]) => transition));
  said.forEach((text, place) => expect.soft(text).toContain(cases[place]![1]));
});

test('a transition that throws when it is looked at is malformed, and harms nobody', async ({ page }) => {
  const said = await page.evaluate(async () => {
    const fail = (): never => {
      throw new Error('mine');
    };
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const getter = Object.defineProperty({}, 'increment', { get: fail, enumerable: true });
    const transitions = [getter, new Proxy({}, { ownKeys: fail }), revoked.proxy];
    const submit = (transition: unknown): Promise<unknown> =>
      client.submit(transition as Package.Transition).catch((error) => error.code);
    const codes = await Promise.all(transitions.map(submit));
    return { codes, outcome: await client.submit('increment'), problem: client.status.problem };
  });
  expect(said).toEqual({
    codes: ['malformed', 'malformed', 'malformed'],
    outcome: { ok: true, version: 1 },
    problem: null,
  });
});

test('what is submitted offline is applied once, on return', async ({ page, network, session, browser }) => {
  const other = await member(await browser.newContext(), network, session);
  network.cut();
  await reaches(page, 'offline');
  const status = await page.evaluate(() => {
    globalThis.outcomes = Promise.all([1, 2, 3].map(() => client.submit('increment')));
    return { ...client.status, value: client.state?.value };
  });
  expect(status).toEqual({
    connection: 'offline',
    pending: 3,
    saved: false,
    kept: false,
    problem: null,
    value: 3,
  });
  network.restore();
  const outcomes = await page.evaluate(() => globalThis.outcomes);
  expect(outcomes.map((outcome) => outcome.ok)).toEqual([true, true, true]);
  await shows(other, 3);
  await reaches(page, 'online');
  await shows(page, 3);
});

test('what was under way when the connection broke is applied once', async ({ page, network, session, browser }) => {
  for (let round = 0; round < 5; round += 1) {
    // It is cut before, while or after the server has it: nobody knows.
    await page.evaluate(() => void (globalThis.outcomes = Promise.all([client.submit('increment')])));
    network.cut();
    network.restore();
    await reaches(page, 'offline');
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.evaluate(() => globalThis.outcomes);
    await reaches(page, 'online');
  }
  const other = await member(await browser.newContext(), network, session);
  await shows(page, 5);
  await shows(other, 5);
});

test('a connection that is dead without a word is found out when the page is looked at', async ({ page, network }) => {
  network.blackHole();
  const outcome = page.evaluate(async () => {
    const outcome = client.submit('increment');
    dispatchEvent(new Event('pageshow'));
    return outcome;
  });
  expect(await outcome).toEqual({ ok: true, version: 1 });
});

test('the browser’s word that the network is back ends the wait', async ({ page, network }) => {
  await page.evaluate(() => {
    // The longest waits.
    Math.random = () => 1;
  });
  network.cut();
  await reaches(page, 'offline');
  // One attempt fails, and the next is not due for a second.
  await page.evaluate(() => {
    globalThis.sockets = 0;
    globalThis.WebSocket = new Proxy(WebSocket, {
      construct(target, parameters) {
        globalThis.sockets += 1;
        return Reflect.construct(target, parameters) as object;
      },
    });
    dispatchEvent(new Event('online'));
  });
  expect(await page.evaluate(() => globalThis.sockets)).toBe(1);
});

test('listeners hear once of all that happened together, and in no one’s call', async ({ page }) => {
  const calls = await page.evaluate(async () => {
    const calls: string[] = [];
    client.subscribe(() => calls.push(`told ${client.state?.value}`));
    void client.submit('increment');
    void client.submit('increment');
    calls.push('returned');
    await Promise.resolve();
    calls.push('later');
    return calls;
  });
  expect(calls).toEqual(['returned', 'told 2', 'later']);
});

test('a listener that throws stops no other, and is heard of', async ({ page }) => {
  const thrown = page.waitForEvent('pageerror');
  const told = await page.evaluate(async () => {
    let told = 0;
    client.subscribe(() => {
      throw new Error('mine');
    });
    client.subscribe(() => (told += 1));
    await client.submit('increment');
    return told;
  });
  expect((await thrown).message).toContain('mine');
  expect(told).toBeGreaterThan(0);
});

test('a listener may submit, subscribe, unsubscribe and close', async ({ page }) => {
  const log = await page.evaluate(async () => {
    const log: string[] = [];
    let endSecond = (): void => {};
    const endFirst = client.subscribe(() => {
      log.push('first');
      endFirst();
      endSecond();
      client.subscribe(() => log.push(`third ${client.status.connection}`));
      void client.submit('increment').then((outcome) => {
        log.push(`outcome ${outcome.ok}`);
        const end = client.subscribe(() => {
          end();
          client.close();
          log.push(`closing ${client.status.connection}`);
        });
        void client.submit('increment').then((outcome) => log.push(JSON.stringify(outcome)));
      });
    });
    endSecond = client.subscribe(() => log.push('second, which was unsubscribed'));
    await client.submit('increment');
    await new Promise((closed) => {
      client.subscribe(() => client.status.connection === 'closed' && closed(null));
    });
    await Promise.resolve();
    return log;
  });
  expect(log).toContain('first');
  expect(log).not.toContain('second, which was unsubscribed');
  expect(log).toContain('outcome true');
  expect(log).toContain('closing closed');
  expect(log).toContain('third closed');
  expect(log.filter((entry) => entry.includes('"closed"'))).toHaveLength(1);
});

test('a closed client ends what it has and can still be read', async ({ page, network }) => {
  network.cut();
  await reaches(page, 'offline');
  const end = await page.evaluate(async () => {
    const pending = client.submit('increment');
    client.close();
    client.close();
    const misuse = await client.submit('increment').catch((error: Package.AperError) => error.code);
    client.reconnect();
    return {
      outcome: await pending,
      misuse,
      state: client.state,
      id: client.id,
      status: client.status,
      close: Math.abs(client.now() - Date.now()) < 5_000,
    };
  });
  expect(end).toMatchObject({
    outcome: { ok: false, conflict: null, error: { code: 'closed' } },
    misuse: 'closed',
    state: { value: 1 },
    id: 1,
    // What was not sent is not saved, and never will be.
    status: { connection: 'closed', pending: 1, saved: false, problem: null },
    close: true,
  });
});

test('the server’s clock is told', async ({ page }) => {
  expect(await page.evaluate(() => Math.abs(client.now() - Date.now()))).toBeLessThan(1_000);
});

test('a reload keeps the identity; another tab has its own, which the next one takes', async ({ page, context, network, session }) => {
  const id = (page: Page): Promise<number | undefined> => page.evaluate(() => client.id);
  expect(await id(page)).toBe(1);
  await load(page, network);
  await join(page, session);
  expect(await id(page)).toBe(1);

  const second = await member(context, network, session);
  expect(await id(second)).toBe(2);
  await second.close();
  const third = await member(context, network, session);
  expect(await id(third)).toBe(2);
});

test('the application may keep the identity itself', async ({ blank: page, session }) => {
  const ids = await page.evaluate(async (url) => {
    let kept: string | null = null;
    const identity = { load: async () => kept, save: (key: string) => void (kept = key) };
    const ids = [];
    for (let visit = 0; visit < 2; visit += 1) {
      const client = await aper.connect(url, { identity });
      await new Promise<void>((online) => {
        client.subscribe(() => client.status.connection === 'online' && online());
      });
      ids.push(client.id);
      client.close();
    }
    return ids;
  }, session);
  expect(ids).toEqual([1, 1]);
});

test('an identity that cannot be saved costs nothing else, and one that cannot be loaded is an error', async ({ blank: page, session }) => {
  const thrown = page.waitForEvent('pageerror');
  const seen = await page.evaluate(async (url) => {
    const fail = (): never => {
      throw new Error('mine');
    };
    const order: string[] = [];
    const save = (): void => {
      queueMicrotask(() => order.push('later'));
      fail();
    };
    const client = await aper.connect(url, { identity: { load: () => null, save } });
    // What else came with the identity is told together with it.
    client.subscribe(() => client.id !== undefined && order.push('told'));
    const outcome = await client.submit('increment');
    const causes = [];
    for (const load of [fail, async () => fail()]) {
      const error = await aper.connect(url, { identity: { load, save } }).catch((error) => error);
      causes.push([error instanceof aper.AperError, error.code, error.cause.message]);
    }
    return { outcome, order: order.slice(0, 2), causes };
  }, session);
  expect((await thrown).message).toContain('mine');
  expect(seen).toEqual({
    outcome: { ok: true, version: 1 },
    order: ['told', 'later'],
    causes: [
      [true, 'identity', 'mine'],
      [true, 'identity', 'mine'],
    ],
  });
});

test('who is replaced says so, waits, and may come back', async ({ page, context, network, session }) => {
  const [key] = await records(page);
  const other = await visit(context, network);
  await other.evaluate(
    async ([url, key]) => {
      const identity = { load: () => key, save: () => {} };
      globalThis.client = await aper.connect(url, { identity });
    },
    [session, key!.value as string] as const,
  );
  await page.waitForFunction(() => client.status.problem?.code === 'replaced');
  await reaches(other, 'online');
  await page.evaluate(() => client.reconnect());
  await reaches(page, 'online');
  expect(await page.evaluate(() => client.status.problem)).toBeNull();
  await other.waitForFunction(() => client.status.problem?.code === 'replaced');
});

test('another machine’s address means: reload', async ({ blank: page }) => {
  await page.evaluate(async () => {
    globalThis.client = await aper.connect('/timer/not-a-counter');
  });
  await page.waitForFunction(() => client.status.problem?.code === 'reload');
  const status = await page.evaluate(() => client.status);
  expect(status.connection).toBe('offline');
  expect(status.problem?.text).toContain('`timer`');
});

test('what is no address is an error, and nothing else', async ({ blank: page }) => {
  const uncaught: Error[] = [];
  page.on('pageerror', (error) => uncaught.push(error));
  const codes = await page.evaluate(() =>
    Promise.all(
      ['http://', 'mailto:somebody@example.org', 'ws://example.org:99999'].map((url) =>
        aper.connect(url).catch((error: Package.AperError) => error.code),
      ),
    ),
  );
  expect(codes).toEqual(['address', 'address', 'address']);
  expect(uncaught).toEqual([]);
});

test('a module that is not there is an error, and may be there the next time', async ({ blank: page, session }) => {
  const result = await page.evaluate(async (url) => {
    const code = await aper.connect(url, { wasm: '/nowhere' }).catch((error) => error.code);
    // A seat that is still taken would make the next attempt another client.
    const { held } = await navigator.locks.query();
    const client = await aper.connect(url);
    return [code, held, client.status.connection];
  }, session);
  expect(result).toEqual(['load', [], 'connecting']);
});

test('a failure inside the module is a problem that can be shown, and ends the connection', async ({ blank: page, session }) => {
  const complaint = page.waitForEvent('console', (message) => message.type() === 'error' && message.text().startsWith('aper: '));
  await page.evaluate(() => {
    globalThis.WebSocket = new Proxy(WebSocket, {
      construct: (target, parameters) =>
        (globalThis.socket = Reflect.construct(target, parameters) as WebSocket),
    });
  });
  await join(page, session);
  await page.evaluate(() => {
    // The dice are thrown while the client is borrowed: this is how to make
    // the machine's code panic, which no input can.
    Math.random = () => client.state?.value ?? 0;
    // What is no message ends the connection, and how long to wait is diced.
    const data = Uint8Array.of(250, 250, 250).buffer;
    socket.dispatchEvent(new MessageEvent('message', { data }));
  });
  expect((await complaint).text()).toContain('panicked');
  const status = await page.evaluate(() => client.status);
  expect(status).toMatchObject({ connection: 'offline', problem: { code: 'crashed' } });
  const { readyState, onmessage } = await page.evaluate(() => {
    const { readyState, onmessage } = socket;
    return { readyState, onmessage };
  });
  expect(onmessage).toBeNull();
  expect(readyState).toBeGreaterThan(1);
  const misuse = page.evaluate(() => client.submit('increment').catch((error) => error.code));
  expect(await misuse).toBe('crashed');
});

test('a worker can have a client', async ({ blank: page, network, session }) => {
  const value = await page.evaluate(
    async ([module, url]) => {
      const source = `
        const { connect } = await import(${JSON.stringify(module)});
        const client = await connect(${JSON.stringify(url)});
        await client.submit('increment');
        postMessage(client.state.value);`;
      const script = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
      const worker = new Worker(script, { type: 'module' });
      return new Promise((resolve, reject) => {
        worker.onmessage = (event) => resolve(event.data);
        worker.onerror = (event) => reject(new Error(event.message));
      });
    },
    [`${network.origin}/npm/counter/index.js`, `${network.origin}${session}`] as const,
  );
  expect(value).toBe(1);
});

test('Node can have a client', async ({ baseURL, session }) => {
  const source = `
    const { connect } = await import(${JSON.stringify(new URL('counter/index.js', PACKAGES).href)});
    const client = await connect(${JSON.stringify(new URL(session, baseURL).href)});
    await client.submit('increment');
    process.stdout.write(String(client.state.value));
    client.close();`;
  // Node has a WebSocket without being asked from version 22 on.
  const flags = ['--experimental-websocket', '--no-warnings', '--input-type=module'];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, '--eval', source]);
  expect(stdout).toBe('1');
});

declare global {
  var outcomes: Promise<Package.Outcome[]>;
  var sockets: number;
  var socket: WebSocket;
}
