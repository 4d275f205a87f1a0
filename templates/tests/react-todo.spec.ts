/**
 * The way of a stranger: the template, copied into an empty directory, after
 * `npm install` and with `npm run dev`, in the browsers of two people.
 */

import { expect, test, type Browser, type Page } from '@playwright/test';

async function open(browser: Browser, session?: string): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(session === undefined ? '/' : `/?session=${session}`);
  await expect(page.getByRole('status')).toHaveText('Saved');
  return page;
}

const add = async (page: Page, title: string): Promise<void> => {
  await page.getByLabel('What is to be done').fill(title);
  await page.getByRole('button', { name: 'Add' }).click();
};

test('two people share a list, and a link is an invitation', async ({ browser }) => {
  const ada = await open(browser);
  await expect(ada.getByText('Nothing to do')).toBeVisible();
  const session = new URL(ada.url()).searchParams.get('session')!;
  const bob = await open(browser, session);

  await add(ada, 'buy milk');
  await expect(bob.getByRole('listitem')).toHaveText(/buy milk/);
  await add(bob, 'sleep');
  await expect(ada.getByRole('listitem')).toHaveText([/buy milk/, /sleep/]);

  await bob.getByLabel('buy milk').first().check();
  await expect(ada.getByLabel('buy milk').first()).toBeChecked();
  await ada.getByRole('button', { name: 'Remove “sleep”' }).click();
  await expect(bob.getByRole('listitem')).toHaveCount(1);

  await ada.reload();
  await expect(ada.getByRole('listitem')).toHaveText(/buy milk/);
});

test('two who make the same list at once lose nothing', async ({ browser }) => {
  const session = `together-${crypto.randomUUID().slice(0, 8)}`;
  const pages = await Promise.all([open(browser, session), open(browser, session)]);
  await Promise.all(pages.map((page, index) => add(page, `of ${index}`)));
  for (const page of pages) {
    await expect(page.getByRole('listitem')).toHaveCount(2);
  }
});

test('nothing complains', async ({ browser }) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto('/');
  await add(page, 'look');
  await expect(page.getByRole('status')).toHaveText('Saved');
  await expect(page.getByRole('listitem')).toHaveCount(1);
  expect(complaints).toEqual([]);
});
