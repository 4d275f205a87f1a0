/**
 * The packed tarball, installed into an empty project and bundled there
 * (`consumer/`), on a live server.
 */

import { expect, test, type Page } from '@playwright/test';

test('the installed package counts, in two browsers at once', async ({ browser }) => {
  const session = `package-${Date.now()}`;
  const [one, two] = await Promise.all([open(session), open(session)]);
  await expect(one.locator('#value')).toHaveText('0');

  await one.click('#increment');
  await one.click('#increment');
  await expect(one.locator('#outcome')).toHaveText('ok');
  await expect(two.locator('#value')).toHaveText('2');

  await two.click('#decrement');
  await expect(one.locator('#value')).toHaveText('1');

  async function open(name: string): Promise<Page> {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`/?session=${name}`);
    return page;
  }
});

test('a refusal reaches the page with its conflict', async ({ page }) => {
  await page.goto(`/?session=refused-${Date.now()}`);
  await expect(page.locator('#value')).toHaveText('0');
  await page.click('#decrement');
  await expect(page.locator('#outcome')).toContainText('"conflict":"atZero"');
  await expect(page.locator('#value')).toHaveText('0');
});

test('nothing is loaded but the bundle and the module, and nothing complains', async ({ page }) => {
  const complaints: string[] = [];
  const modules: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('response', (response) => {
    if (response.url().endsWith('.wasm')) modules.push(response.headers()['content-type'] ?? '');
  });
  await page.goto(`/?session=quiet-${Date.now()}`);
  await expect(page.locator('#value')).toHaveText('0');
  expect(complaints).toEqual([]);
  // Another type, and browsers would not compile it while it arrives.
  expect(modules).toEqual(['application/wasm']);
});
