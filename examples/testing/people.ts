/** People with browsers of their own, and what they see on any example's page. */

import { expect, type Browser, type BrowserContextOptions, type Page } from '@playwright/test';

/** A session that no other test has. */
export function newSession(): string {
  return `test-${crypto.randomUUID()}`;
}

/**
 * Somebody with a browser of their own, who has opened a page. What they do is
 * seen by nobody but through the server.
 */
export async function person(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on('pageerror', (error) => {
    throw error;
  });
  await page.goto(address);
  await online(page);
  return page;
}

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
