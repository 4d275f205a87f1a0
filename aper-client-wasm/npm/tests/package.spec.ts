/**
 * The packed tarball, installed into an empty project and bundled there
 * (`consumer/`), or built by other tools (`bundlers/`), on a live server.
 */

import { readFile } from 'node:fs/promises';

import { expect, test, type Page } from '@playwright/test';

/** Where each tool's page is, under the server's address. */
const pages = {
  Vite: '/',
  webpack: '/webpack/',
  esbuild: '/esbuild/',
  'no bundler': '/plain/',
  Next: '/next/',
};

for (const [tool, path] of Object.entries(pages)) {
  test(`with ${tool} it counts, and refuses with its conflict`, async ({ page }) => {
    await page.goto(`${path}?session=with-${Date.now()}`);
    await expect(page.locator('#value')).toHaveText('0');
    await page.click('#increment');
    await expect(page.locator('#outcome')).toHaveText('ok');
    await expect(page.locator('#value')).toHaveText('1');
    await page.click('#decrement');
    await expect(page.locator('#value')).toHaveText('0');
    // Its answer, before the next has one.
    await expect(page.locator('#outcome')).toHaveText('ok');
    await page.click('#decrement');
    await expect(page.locator('#outcome')).toContainText('"conflict":"atZero"');
    await expect(page.locator('#value')).toHaveText('0');
  });

  test(`with ${tool} nothing is loaded twice, and nothing complains`, async ({ page }) => {
    const complaints: string[] = [];
    const modules: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('response', (response) => {
      if (response.url().endsWith('.wasm')) modules.push(response.headers()['content-type'] ?? '');
    });
    await page.goto(`${path}?session=quiet-${Date.now()}`);
    await expect(page.locator('#value')).toHaveText('0');
    expect(complaints).toEqual([]);
    // Another type, and browsers would not compile it while it arrives.
    expect(modules).toEqual(['application/wasm']);
  });
}

test('Next renders it where there is no browser', async () => {
  const html = await readFile(`${process.env['APER_PAGES']}/next/index.html`, 'utf8');
  expect(html).toContain('<p id="server">of a server</p>');
  expect(html).toContain('<p id="connection">connecting</p>');
});

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
