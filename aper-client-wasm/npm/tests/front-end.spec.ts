/**
 * The client of a Rust front end: its stream of changes and the futures of its
 * submissions, and its bindings to Leptos and Yew, in the module of
 * `aper-client-wasm/tests/front-end`.
 */

import { fileURLToPath } from 'node:url';

import { expect, test as base } from '@playwright/test';

const MODULE = new URL('../../../target/front-end/', import.meta.url);

/** What the module exports, besides the function that starts it. */
type Scene =
  | 'together'
  | 'refused'
  | 'gathered'
  | 'closed'
  | 'leptosSelects'
  | 'leptosTells'
  | 'leptosCloses'
  | 'yewSelects'
  | 'yewCloses';

type Module = Record<Scene, (url: string) => Promise<string[]>> & { default(): Promise<unknown> };

/** Plays a scene in a session of its own, in a page of the server's origin. */
const test = base.extend<{ play: (scene: Scene) => Promise<string[]> }>({
  play: async ({ page }, use) => {
    await page.route('**/front-end/*', (route) => {
      const file = new URL(route.request().url()).pathname.slice('/front-end/'.length);
      return route.fulfill({ path: fileURLToPath(new URL(file, MODULE)) });
    });
    await page.goto('/healthz');
    await use((scene) =>
      page.evaluate(
        async ([module, scene, session]) => {
          const rust = (await import(module)) as Module;
          await rust.default();
          const address = new URL(`/counter/${session}`, location.href);
          address.protocol = 'ws:';
          return rust[scene](address.href);
        },
        ['/front-end/machine.js', scene, `front-end-${crypto.randomUUID()}`] as const,
      ),
    );
  },
});

test('what one submits, the other is told by its stream', async ({ play }) => {
  expect(await play('together')).toEqual([
    'ada: confirmed at 1',
    'ada sees 1',
    'bob sees 1',
    'together: [Some(2), Some(3)]',
    'bob sees 3',
  ]);
});

test('a refusal is how a submission ends, with its conflict', async ({ play }) => {
  expect(await play('refused')).toEqual([
    'the counter is at zero and does not go below',
    '0 pending',
  ]);
});

test('a stream gives one item for many changes, and waits without any', async ({ play }) => {
  expect(await play('gathered')).toEqual(['at first: nothing', 'then: 4', 'afterwards: nothing']);
});

test('whoever waits for a client that is closed is told', async ({ play }) => {
  expect(await play('closed')).toEqual(['closed', 'closed']);
});

test('a Leptos effect runs again when what was selected is another value, and only then', async ({
  play,
}) => {
  // The value, whether it is more than two, and how often an effect of each ran.
  expect(await play('leptosSelects')).toEqual([
    '1, false: 1 and 0',
    '2, false: 1 and 0',
    '3, true: 1 and 1',
    '4, true: 1 and 0',
  ]);
});

test('in Leptos the status is a signal, and a submission ends as it does', async ({ play }) => {
  expect(await play('leptosTells')).toEqual([
    'Connecting',
    'Online',
    'confirmed at 3',
    'the counter is at zero and does not go below',
  ]);
});

test('a Leptos client is closed with its owner', async ({ play }) => {
  expect(await play('leptosCloses')).toEqual(['Closed', 'closed', 'None']);
});

test('a Yew component is rendered again when what it selected is another value, and only then', async ({
  play,
}) => {
  // What the page shows, and how often value and "more than two" were rendered.
  expect(await play('yewSelects')).toEqual([
    '1, false, Online true: 1 and 0',
    '2, false, Online true: 1 and 0',
    '3, true, Online true: 1 and 1',
    '4, true, Online true: 1 and 0',
  ]);
});

test('a Yew client is closed with its component, and when its address changes', async ({ play }) => {
  expect(await play('yewCloses')).toEqual(['Closed', 'Online', 'Closed', 'closed']);
});
