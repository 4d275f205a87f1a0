/**
 * Every example page by axe, wide and narrow, light and dark: new, in use, and
 * with the invitation open. A page that is new among the examples is looked at
 * without being named here.
 */

import { existsSync, readdirSync } from 'node:fs';

import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { addCards } from '../../kanban/tests/board.js';
import { expect, newSession, online, test } from '../../testing/people.js';

const examples = new URL('../../', import.meta.url);
const pages = readdirSync(examples).filter((name) =>
  existsSync(new URL(`${name}/page/index.html`, examples)),
);

/** What somebody does with a page, so that there is more to look at. */
const uses: Record<string, (page: Page) => Promise<void>> = {
  async counter(page) {
    // Refused, and told so.
    await page.getByRole('button', { name: 'One less' }).click();
    await expect(page.locator('.toast')).toBeVisible();
    await page.getByRole('button', { name: 'One more' }).click();
  },
  async 'drop-four'(page) {
    for (const color of ['red', 'yellow']) {
      await expect(page.getByRole('button', { name: `Play ${color}` })).toBeVisible();
    }
    await page.getByRole('button', { name: 'Play red' }).click();
    await page.getByLabel('Your name').fill('Ada');
    await page.getByRole('button', { name: 'Sit' }).click();
    await expect(page.getByRole('region', { name: 'red' })).toContainText('Ada');
  },
  async kanban(page) {
    await addCards(page, 'To do', 'cake', 'chairs');
    await page.getByRole('button', { name: 'Edit “cake”' }).click();
  },
  async 'leptos-todo'(page) {
    for (const title of ['cake', 'chairs']) {
      await page.getByLabel('New task').fill(title);
      await page.keyboard.press('Enter');
    }
    await page.getByRole('button', { name: 'Move “cake” to “Doing”' }).click();
    await page.getByLabel('New task').fill(' ');
    await page.keyboard.press('Enter');
    await expect(page.locator('.toast')).toBeVisible();
  },
  async 'yew-stickers'(page) {
    await page.getByRole('button', { name: 'Stick one on' }).click();
    await page.getByRole('button', { name: 'green', exact: true }).click();
    await page.getByRole('button', { name: 'Square' }).click();
    await page.getByRole('button', { name: 'Stick one on' }).click();
    await expect(page.getByText('2 stickers')).toBeVisible();
  },
  async whiteboard(page) {
    for (const tool of ['Rectangle', 'Ellipse']) {
      await page.getByRole('button', { name: tool }).click();
      await page.locator('#board').focus();
      await page.keyboard.press('Enter');
    }
    await page.getByRole('button', { name: 'Select and move' }).click();
    await page.getByRole('img', { name: 'Ellipse' }).focus();
    await expect(page.getByRole('button', { name: 'Erase' })).toBeVisible();
  },
  async timer(page) {
    await page.getByLabel('What for?').fill('Tea');
    await page.getByLabel('Minutes').fill('10');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await expect(page.getByRole('listitem', { name: 'Tea' })).toBeVisible();
  },
};

for (const width of [1280, 390]) {
  for (const colorScheme of ['light', 'dark'] as const) {
    // What moves is half transparent for a while, which is not how it is read.
    const look = {
      viewport: { width, height: 844 },
      colorScheme,
      contextOptions: { reducedMotion: 'reduce' },
    } as const;
    test.describe(`${colorScheme}, ${width} wide`, () => {
      test.use(look);

      test('the list of examples', async ({ page }) => {
        await page.goto('/');
        await expectNoViolations(page);
      });

      for (const name of pages) {
        test(name, async ({ page }) => {
          await page.goto(`/${name}/?session=${newSession()}`);
          await online(page);
          await expectNoViolations(page);

          await uses[name]?.(page);
          await online(page);
          await expectNoViolations(page);

          await page.keyboard.press('Escape');
          await page.getByRole('button', { name: 'Invite' }).click();
          await expect(page.getByRole('dialog', { name: 'Invite somebody' })).toBeVisible();
          await expectNoViolations(page);
        });
      }
    });
  }
}

/** None that axe calls serious or critical. */
async function expectNoViolations(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => ({ id, help, target, failureSummary })),
    );
  expect(found).toEqual([]);
}
