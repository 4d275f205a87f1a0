/**
 * A page with the counter's package as it was built, unbundled, on a live
 * server and through a proxy that misbehaves.
 */

import { fileURLToPath } from 'node:url';

import { expect, test as base, type BrowserContext, type Page } from '@playwright/test';

import { Proxy as Network } from '../../../examples/testing/proxy.js';
import type * as Package from '../../../target/npm/counter/index.js';

declare global {
  /** In the page: the package, and the client that a test is about. */
  var aper: typeof Package;
  var client: Package.Client;
  /** How what earlier pages had submitted has ended. */
  var restored: Package.Outcome[];
}

export { expect, type Package };

/** Where the packages are that the build made. */
export const PACKAGES = new URL('../../../target/npm/', import.meta.url);

interface Fixtures {
  network: Network;
  /** A session that no other test has. */
  session: string;
  /** A page that has loaded the package, and has no client yet. */
  blank: Page;
  /** A page with a client that is online. */
  page: Page;
}

export const test = base.extend<Fixtures>({
  network: async ({ baseURL }, use) => {
    const network = await Network.before(baseURL!);
    await use(network);
    await network.close();
  },
  session: async ({}, use) => use(`/counter/test-${crypto.randomUUID()}`),
  blank: async ({ context, network }, use) => use(await visit(context, network)),
  page: async ({ context, network, session }, use) => use(await member(context, network, session)),
});

/**
 * Opens a page of the proxy's origin, in which the package is `aper`. It comes
 * from the server, because Chromium lets no page that a test made up connect
 * to this machine; only the package's files are slipped in.
 */
export async function visit(context: BrowserContext, network: Network): Promise<Page> {
  const page = await context.newPage();
  await page.route(`${network.origin}/npm/*/*`, (route) => {
    const file = new URL(route.request().url()).pathname.slice('/npm/'.length);
    return route.fulfill({ path: fileURLToPath(new URL(file, PACKAGES)) });
  });
  await load(page, network);
  return page;
}

export async function load(page: Page, network: Network): Promise<void> {
  await page.goto(`${network.origin}/healthz`);
  await page.evaluate(async (module) => {
    globalThis.aper = (await import(module)) as typeof Package;
  }, '/npm/counter/index.js');
}

export async function member(context: BrowserContext, network: Network, session: string): Promise<Page> {
  const page = await visit(context, network);
  await join(page, session);
  return page;
}

export async function join(page: Page, session: string): Promise<void> {
  await page.evaluate(async (url) => {
    globalThis.client = await aper.connect(url);
    globalThis.restored = [];
    client.onRestored((outcome) => globalThis.restored.push(outcome));
  }, session);
  await reaches(page, 'online');
}

/** Waits for a connection's state. */
export async function reaches(page: Page, connection: Package.Status['connection']): Promise<void> {
  await page.waitForFunction((wanted) => client.status.connection === wanted, connection);
}

/** Waits for the shared value. */
export async function shows(page: Page, value: number): Promise<void> {
  await page.waitForFunction((wanted) => client.state?.value === wanted, value);
}

/** What this browser has kept of clients: `[session, seat, ticket]`, and bytes or a key. */
export interface Record {
  path: [session: string, seat: number, ticket: number];
  value: string | number[];
}

/** All of it, in order. */
export function records(page: Page): Promise<Record[]> {
  return page.evaluate(
    () =>
      new Promise<Record[]>((read, failed) => {
        const opening = indexedDB.open('aper');
        opening.onerror = failed;
        opening.onsuccess = () => {
          const transaction = opening.result.transaction('kept');
          const paths = transaction.objectStore('kept').getAllKeys();
          const values = transaction.objectStore('kept').getAll();
          transaction.oncomplete = () => {
            opening.result.close();
            const value = (value: string | Uint8Array): string | number[] =>
              typeof value === 'string' ? value : [...value];
            read(
              paths.result.map((path, place) => ({
                path: path as Record['path'],
                value: value(values.result[place]),
              })),
            );
          };
        };
      }),
  );
}

/** Puts something there, in place of what was under that path. */
export function record(page: Page, { path, value }: Record): Promise<void> {
  return page.evaluate(
    ([path, value]) =>
      new Promise<void>((written, failed) => {
        const opening = indexedDB.open('aper');
        opening.onerror = failed;
        opening.onsuccess = () => {
          const transaction = opening.result.transaction('kept', 'readwrite');
          const bytes = typeof value === 'string' ? value : Uint8Array.from(value);
          transaction.objectStore('kept').put(bytes, path);
          transaction.oncomplete = () => {
            opening.result.close();
            written();
          };
        };
      }),
    [path, value] as const,
  );
}
