/** People with browsers of their own, and what they see on any example's page. */

import { test as base, expect, type BrowserContextOptions, type Page } from '@playwright/test';

import { Proxy } from './proxy.js';

/** A session that no other test has. */
export function newSession(): string {
  return `test-${crypto.randomUUID()}`;
}

export interface People {
  /**
   * Somebody with a browser of their own, who has opened a page. What they do
   * is seen by nobody but through the server.
   */
  person: (address: string, options?: BrowserContextOptions) => Promise<Page>;
  /** A network that fails on demand: `person(address, { baseURL: network.origin })`. */
  network: Proxy;
}

export const test = base.extend<People>({
  person: async ({ browser }, use) => {
    const complaints: Error[] = [];
    const contexts: { close: () => Promise<void> }[] = [];
    await use(async (address, options = {}) => {
      const context = await browser.newContext(options);
      contexts.push(context);
      const page = await context.newPage();
      page.on('pageerror', (error) => complaints.push(error));
      await page.goto(address);
      await online(page);
      return page;
    });
    await Promise.all(contexts.map((context) => context.close()));
    expect(complaints).toEqual([]);
  },
  network: async ({ baseURL }, use) => {
    if (baseURL === undefined) {
      throw new Error('the configuration names no server');
    }
    const proxy = await Proxy.before(baseURL);
    await use(proxy);
    await proxy.close();
  },
});

export { expect };

/** Waits until the page has a connection and nothing that is not saved. */
export async function online(page: Page): Promise<void> {
  const indicator = page.locator('.connection');
  await expect(indicator).toHaveAttribute('data-connection', 'online');
  await expect(indicator).toHaveAttribute('data-saved', 'true');
}

/** Waits until the page knows that it has no connection. */
export async function offline(page: Page): Promise<void> {
  await expect(page.locator('.connection')).toHaveAttribute('data-connection', 'offline');
}

/** Waits until the page says this in a message. */
export async function told(page: Page, text: string | RegExp): Promise<void> {
  await expect(page.locator('.toast', { hasText: text })).toBeVisible();
}

/** A phone: small, and touched. */
export const phone = {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
} as const;

/** Nothing sticks out of the window at the side. */
export async function fits(page: Page): Promise<void> {
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overflow).toBeLessThanOrEqual(0);
}
