/**
 * What `aper-server new` makes, as it is: its own server serves its bundled page.
 */

import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Browser, type Page } from '@playwright/test';

async function open(browser: Browser, session: string): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`/?session=${session}`);
  await expect(page.locator('footer')).toContainText('saved');
  return page;
}

const choice = (page: Page, name: string) =>
  page.getByRole('listitem').filter({ hasText: name }).getByRole('button');

const newSession = (): string => crypto.randomUUID().slice(0, 8);

test('two people vote, and see each other do it', async ({ browser }) => {
  const session = newSession();
  const [ada, ben] = [await open(browser, session), await open(browser, session)];
  await choice(ada, 'Pizza').click();
  await expect(choice(ben, 'Pizza')).toContainText('100 %');
  await expect(choice(ben, 'Pizza')).toHaveAttribute('aria-pressed', 'false');
  await expect(choice(ada, 'Pizza')).toHaveAttribute('aria-pressed', 'true');

  await choice(ben, 'Noodles').click();
  await expect(choice(ada, 'Noodles')).toContainText('50 %');
  await choice(ada, 'Noodles').click();
  await expect(choice(ben, 'Noodles')).toContainText('100 %');
  await expect(ben.locator('footer')).toContainText('2 votes');

  // The server has kept it, and the tab is the same voter as before.
  await ada.reload();
  await expect(choice(ada, 'Noodles')).toHaveAttribute('aria-pressed', 'true');
});

test('a question and a choice can be written, and a repeated one is refused', async ({ browser }) => {
  const session = newSession();
  const [ada, ben] = [await open(browser, session), await open(browser, session)];
  await ada.getByLabel('Question').fill('What do we play?');
  await ada.getByLabel('Question').press('Enter');
  await expect(ben.getByLabel('Question')).toHaveValue('What do we play?');

  const add = async (page: Page, text: string): Promise<void> => {
    await page.getByLabel('New choice').fill(text);
    await page.getByRole('button', { name: 'Add' }).click();
  };
  await add(ada, 'Chess');
  await expect(ben.getByRole('listitem')).toHaveCount(4);
  await expect(ada.getByLabel('New choice')).toHaveValue('');
  await add(ben, 'Chess');
  await expect(ben.getByRole('status')).toHaveText('There is “Chess” already.');
  await expect(ada.getByRole('listitem')).toHaveCount(4);
});

test('a closed poll counts nothing', async ({ browser }) => {
  const session = newSession();
  const [ada, ben] = [await open(browser, session), await open(browser, session)];
  await ada.getByRole('button', { name: 'Close the poll' }).click();
  await expect(choice(ben, 'Pizza')).toBeDisabled();
  await ben.getByRole('button', { name: 'Open the poll again' }).click();
  await choice(ada, 'Pizza').click();
  await expect(choice(ben, 'Pizza')).toContainText('100 %');
});

test('everybody can read it, light and dark, wide and narrow', async ({ browser }) => {
  const page = await open(browser, newSession());
  await choice(page, 'Pizza').click();
  for (const width of [1280, 390]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize({ width, height: 844 });
      // Nothing on its way from one colour to another.
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations).toEqual([]);
    }
  }
});

test('a link is an invitation, and nothing complains', async ({ browser }) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto('/');
  await choice(page, 'Pizza').click();
  await expect(page.locator('footer')).toContainText('1 vote · saved');
  const session = new URL(page.url()).searchParams.get('session')!;
  const ben = await open(browser, session);
  await expect(choice(ben, 'Pizza')).toContainText('100 %');
  expect(complaints).toEqual([]);
});
