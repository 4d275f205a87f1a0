/**
 * What outlives a page: that which has no answer yet, kept on the device, and
 * sent once.
 */

import type { Page } from '@playwright/test';

import type { Proxy as Network } from '../../../examples/testing/proxy.js';
import {
  expect,
  join,
  load,
  member,
  reaches,
  record,
  records,
  shows,
  test,
} from './fixture.js';

/** Submits so many, and waits until the device has them. */
async function submit(page: Page, count: number): Promise<void> {
  await page.evaluate((count) => {
    for (let submitted = 0; submitted < count; submitted += 1) {
      void client.submit('increment');
    }
  }, count);
  await page.waitForFunction(() => client.status.kept);
  expect(await page.evaluate(() => client.status)).toMatchObject({ pending: count, saved: false });
}

/** How so many ended that earlier pages had submitted. */
async function restored(page: Page, count: number): Promise<(boolean | null)[]> {
  await page.waitForFunction((count) => globalThis.restored.length >= count, count);
  return page.evaluate(() => globalThis.restored.map((outcome) => outcome.ok));
}

/** Waits until the server has everything. */
async function saved(page: Page): Promise<void> {
  await page.waitForFunction(() => client.status.saved && client.status.connection === 'online');
}

/** The tickets that the device has, of all seats; 0 is a client's key. */
async function tickets(page: Page): Promise<number[]> {
  return (await records(page)).map(({ path }) => path[2]);
}

/** The page is left, and then the network is well again. */
async function leave(page: Page, network: Network): Promise<void> {
  await page.goto('about:blank');
  network.cut();
  network.restore();
}

/** The page's process ends in the middle of whatever it does. */
async function crash(page: Page): Promise<void> {
  const crashed = page.waitForEvent('crash');
  const session = await page.context().newCDPSession(page);
  session.send('Page.crash').catch(() => {});
  await crashed;
}

test('what the network swallowed outlives a reload, and is applied once', async ({ page, network, session, browser }) => {
  const other = await member(await browser.newContext(), network, session);
  network.blackHole();
  await submit(page, 3);
  await leave(page, network);
  await load(page, network);
  await join(page, session);
  expect(await restored(page, 3)).toEqual([true, true, true]);
  await saved(page);
  await shows(page, 3);
  await shows(other, 3);

  // Nothing is left of it.
  await expect.poll(() => tickets(page)).toEqual([0]);
  await load(page, network);
  await join(page, session);
  expect(await restored(page, 0)).toEqual([]);
  await shows(page, 3);
});

test('a tab that fails when the server has it, and before it hears so, does not send it again', async ({ page, context, network, session, browser }) => {
  network.mute();
  await submit(page, 2);
  const other = await member(await browser.newContext(), network, session);
  await shows(other, 2);
  await crash(page);

  const again = await member(context, network, session);
  // Whether it was accepted is in the state; how it was decided, nobody can tell any more.
  expect(await restored(again, 2)).toEqual([null, null]);
  await saved(again);
  await shows(again, 2);
  await again.evaluate(() => client.submit('increment'));
  await shows(other, 3);
});

test('a browser that fails has it on its disk', async ({ playwright, channel, launchOptions, network, session, browser }, info) => {
  const start = () => {
    const options = channel === undefined ? launchOptions : { ...launchOptions, channel };
    return playwright.chromium.launchPersistentContext(info.outputPath('profile'), options);
  };
  const first = await start();
  const page = await member(first, network, session);
  network.mute();
  await submit(page, 2);
  const other = await member(await browser.newContext(), network, session);
  await shows(other, 2);
  const closed = first.waitForEvent('close');
  const devtools = await first.newCDPSession(page);
  devtools.send('Browser.crash').catch(() => {});
  await closed;

  const second = await start();
  const again = await member(second, network, session);
  expect(await restored(again, 2)).toEqual([null, null]);
  await again.evaluate(() => client.submit('increment'));
  await shows(other, 3);
  await second.close();
});

test('a tab that fails while it is offline leaves its work to the next', async ({ page, context, network, session }) => {
  network.cut();
  await reaches(page, 'offline');
  await submit(page, 2);
  await crash(page);
  network.restore();
  const again = await member(context, network, session);
  expect(await restored(again, 2)).toEqual([true, true]);
  await shows(again, 2);
});

test('of two tabs with work the one that stays sends its own, and then that of the other', async ({ page, context, network, session }) => {
  const second = await member(context, network, session);
  const ids = await Promise.all([page, second].map((page) => page.evaluate(() => client.id)));
  expect(ids).toEqual([1, 2]);
  network.cut();
  await Promise.all([reaches(page, 'offline'), reaches(second, 'offline')]);
  await submit(page, 1);
  await submit(second, 2);
  await second.close();
  network.restore();
  await saved(page);
  expect(await restored(page, 2)).toEqual([true, true]);
  await shows(page, 3);
  expect(await page.evaluate(() => client.id)).toBe(1);
  await expect.poll(() => tickets(page)).toEqual([0, 0]);

  // The seat is free again.
  const third = await member(context, network, session);
  expect(await third.evaluate(() => client.id)).toBe(2);
  await shows(third, 3);
});

test('two tabs with work that stay open send their own each', async ({ page, context, network, session }) => {
  const second = await member(context, network, session);
  network.cut();
  await Promise.all([reaches(page, 'offline'), reaches(second, 'offline')]);
  await submit(page, 1);
  await submit(second, 2);
  network.restore();
  await Promise.all([saved(page), saved(second)]);
  await Promise.all([shows(page, 3), shows(second, 3)]);
  expect([await restored(page, 0), await restored(second, 0)]).toEqual([[], []]);
});

test('a seat with work is taken before a free one', async ({ page, context, network, session }) => {
  const second = await member(context, network, session);
  network.cut();
  await reaches(second, 'offline');
  await submit(second, 1);
  await Promise.all([page.close(), second.close()]);
  network.restore();
  const third = await member(context, network, session);
  expect(await third.evaluate(() => client.id)).toBe(2);
  expect(await restored(third, 1)).toEqual([true]);
});

test('a closed client leaves its work to the next', async ({ page, network, session }) => {
  network.cut();
  await reaches(page, 'offline');
  await page.evaluate(() => {
    void client.submit('increment');
    client.close();
  });
  network.restore();
  await join(page, session);
  expect(await restored(page, 1)).toEqual([true]);
  await shows(page, 1);
});

test('a refusal of what an earlier page did is told to the next', async ({ page, network, session, browser }) => {
  await page.evaluate(() => client.submit('increment'));
  const other = await member(await browser.newContext(), network, session);
  await shows(other, 1);
  network.blackHole();
  await page.evaluate(() => void client.submit('decrement'));
  await page.waitForFunction(() => client.status.kept);
  await leave(page, network);
  await other.evaluate(() => client.submit('decrement'));
  await load(page, network);
  await join(page, session);
  await restored(page, 1);
  expect(await page.evaluate(() => globalThis.restored)).toEqual([{ ok: false, conflict: 'atZero', affected: 0 }]);
  await shows(page, 0);
});

test('what was made with another version of the machine is counted, and not sent', async ({ page, network, session }) => {
  network.cut();
  await reaches(page, 'offline');
  await submit(page, 2);
  // The machine's name and a zero, and then its schema.
  const [, first] = await records(page);
  const bytes = first!.value as number[];
  bytes[bytes.indexOf(0) + 1]! += 1;
  await record(page, first!);
  network.restore();
  await load(page, network);
  await join(page, session);
  expect(await page.evaluate(() => client.discarded)).toBe(1);
  expect(await restored(page, 1)).toEqual([true]);
  await shows(page, 1);
  await expect.poll(() => tickets(page)).toEqual([0]);
});

test('who is forgotten by the server is told so, and goes on as another', async ({ page, network, session }) => {
  const [key] = await records(page);
  await record(page, { ...key!, value: `77.${'0'.repeat(32)}` });
  await load(page, network);
  await join(page, session);
  expect(await page.evaluate(() => client.status)).toMatchObject({
    connection: 'online',
    problem: { code: 'forgotten' },
  });
  expect(await page.evaluate(() => client.id)).toBe(2);
  expect(await page.evaluate(() => client.submit('increment'))).toEqual({ ok: true, version: 1 });
});

test('saved, or kept on this device, or neither: each is told', async ({ page, network }) => {
  const told = await page.evaluate(() => {
    const told: string[] = [];
    const note = (): void => {
      const { saved, kept, pending } = client.status;
      const text = `${pending} ${saved ? 'saved' : kept ? 'kept' : 'neither'}`;
      if (told.at(-1) !== text) {
        told.push(text);
      }
    };
    note();
    client.subscribe(note);
    return (globalThis.told = told);
  });
  expect(told).toEqual(['0 saved']);
  network.cut();
  await reaches(page, 'offline');
  await submit(page, 1);
  network.restore();
  await saved(page);
  const all = await page.evaluate(() => globalThis.told);
  expect(all.slice(0, 3)).toEqual(['0 saved', '1 neither', '1 kept']);
  expect(all.at(-1)).toBe('0 saved');
});

/** Ways in which a browser has nothing for a page to keep things in. */
const blocked: Record<string, () => void> = {
  'there is no database': () => Reflect.deleteProperty(globalThis, 'indexedDB'),
  'the database is forbidden': () => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('denied', 'SecurityError');
    };
  },
  'the database does not open': () => {
    const { open } = IDBFactory.prototype;
    // A version that is not there to be had.
    IDBFactory.prototype.open = function (name) {
      open.call(this, name, 2);
      return open.call(this, name, 1);
    };
  },
  'there are no locks': () => Object.defineProperty(navigator, 'locks', { value: undefined }),
};

for (const [what, block] of Object.entries(blocked)) {
  test(`when ${what}, nothing is kept, which is told, and all else works`, async ({ blank: page, network, session }) => {
    await page.addInitScript(block);
    await load(page, network);
    await join(page, session);
    expect(await page.evaluate(() => client.submit('increment'))).toEqual({ ok: true, version: 1 });
    network.cut();
    await reaches(page, 'offline');
    await page.evaluate(() => void (globalThis.outcomes = Promise.all([client.submit('increment')])));
    expect(await page.evaluate(() => client.status)).toMatchObject({ saved: false, kept: false });
    network.restore();
    expect(await page.evaluate(() => globalThis.outcomes)).toMatchObject([{ ok: true }]);
    expect(await page.evaluate(() => client.status)).toMatchObject({ saved: true, kept: false });
    await shows(page, 2);
  });
}

test('a full device is done without, and nothing on it is sent a second time', async ({ page, network, session }) => {
  network.cut();
  await reaches(page, 'offline');
  await submit(page, 2);
  await page.evaluate(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
  });
  // Now they get their numbers, under which they cannot be kept.
  network.restore();
  await saved(page);
  await shows(page, 2);
  expect(await page.evaluate(() => client.status.kept)).toBe(false);
  expect(await tickets(page)).toEqual([0]);
  await load(page, network);
  await join(page, session);
  expect(await restored(page, 0)).toEqual([]);
  await shows(page, 2);
});

test('what a broken device does not give up is not sent before it is gone', async ({ page, network, session }) => {
  network.cut();
  await reaches(page, 'offline');
  await submit(page, 1);
  await page.evaluate(() => {
    IDBObjectStore.prototype.put = IDBObjectStore.prototype.delete = () => {
      globalThis.attempts = (globalThis.attempts ?? 0) + 1;
      throw new DOMException('broken', 'UnknownError');
    };
  });
  network.restore();
  await reaches(page, 'online');
  // Two attempts to write, and two to erase.
  await page.waitForFunction(() => globalThis.attempts === 4);
  expect(await page.evaluate(() => client.status)).toMatchObject({ pending: 1, saved: false });
  await load(page, network);
  await join(page, session);
  expect(await restored(page, 1)).toEqual([true]);
  await shows(page, 1);
});

test('a lost connection to the database is made anew', async ({ page, network, session }) => {
  await page.evaluate(() => {
    const { transaction } = IDBDatabase.prototype;
    let lost: IDBDatabase | undefined;
    IDBDatabase.prototype.transaction = function (...parameters) {
      lost ??= this;
      if (lost === this) {
        throw new DOMException('the connection is lost', 'InvalidStateError');
      }
      return transaction.apply(this, parameters);
    };
  });
  network.cut();
  await reaches(page, 'offline');
  await submit(page, 1);
  await leave(page, network);
  await load(page, network);
  await join(page, session);
  expect(await restored(page, 1)).toEqual([true]);
});

test('what fails in page after page is given up', async ({ page, network, session }) => {
  network.cut();
  await reaches(page, 'offline');
  await submit(page, 2);
  for (let failures = 0; failures < 2; failures += 1) {
    await page.evaluate(() => {
      // The dice are thrown while the client is borrowed: this is how to make
      // the module panic, which no input can.
      Math.random = () => client.now();
      client.reconnect();
    });
    await page.waitForFunction(() => client.status.problem?.code === 'crashed');
    network.restore();
    await load(page, network);
    network.cut();
    await page.evaluate(async (url) => {
      globalThis.client = await aper.connect(url);
    }, session);
    await reaches(page, 'offline');
  }
  expect(await page.evaluate(() => [client.discarded, client.status.pending])).toEqual([2, 0]);
  network.restore();
  await reaches(page, 'online');
  await shows(page, 0);
  await expect.poll(() => tickets(page)).toEqual([0]);
});

test('a worker has a seat, and keeps its work', async ({ blank: page, network, session }) => {
  const run = (what: 'leave' | 'send'): Promise<unknown> =>
    page.evaluate(
      ([module, url, what]) => {
        const source = `
          const { connect } = await import(${JSON.stringify(module)});
          if (${JSON.stringify(what)} === 'leave') {
            // There is no connection.
            globalThis.WebSocket = class { close() {} };
          }
          const client = await connect(${JSON.stringify(url)});
          const changed = () => new Promise((told) => {
            const end = client.subscribe(() => { end(); told(); });
          });
          if (${JSON.stringify(what)} === 'leave') {
            void client.submit('increment');
            while (!client.status.kept) await changed();
            postMessage('kept');
          } else {
            client.onRestored(({ ok }) => postMessage([ok, client.state.value]));
          }`;
        const script = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
        const worker = new Worker(script, { type: 'module' });
        return new Promise((resolve, reject) => {
          worker.onmessage = (event) => {
            worker.terminate();
            resolve(event.data);
          };
          worker.onerror = (event) => reject(new Error(event.message));
        });
      },
      [`${network.origin}/npm/counter/index.js`, `${network.origin}${session}`, what] as const,
    );
  expect(await run('leave')).toBe('kept');
  expect(await run('send')).toEqual([true, 1]);
});

declare global {
  var told: string[];
  var attempts: number | undefined;
}
