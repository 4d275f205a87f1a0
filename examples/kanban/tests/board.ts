/** What a test does with a board, and what it reads off it. */

import { expect, type Page } from '@playwright/test';

/** The card of that title. */
export const card = (page: Page, title: string) =>
  page.locator('[data-card]', { has: page.getByText(title, { exact: true }) });

/** The column of that title. */
export const column = (page: Page, title: string) =>
  page.getByRole('region', { name: title, exact: true });

/** The board as text: `To do: chairs, cake | Doing: | Done: date`. */
export const shown = (page: Page): Promise<string> =>
  page.locator('[data-column]').evaluateAll((columns) =>
    columns
      .map((column) => {
        const cards = [...column.querySelectorAll('.card .title')].map((card) => card.textContent);
        return `${column.querySelector('h2')?.textContent}: ${cards.join(', ')}`.trim();
      })
      .join(' | '),
  );

/** Waits until every page shows this board. */
export async function same(pages: Page[], expected: string): Promise<void> {
  for (const page of pages) {
    await expect.poll(() => shown(page)).toBe(expected);
  }
}

export async function addCards(page: Page, to: string, ...titles: string[]): Promise<void> {
  await column(page, to).getByRole('button', { name: 'Add card' }).click();
  const line = column(page, to).getByLabel('What is to be done?');
  for (const title of titles) {
    await line.fill(title);
    await line.press('Enter');
    await expect(card(page, title)).toBeVisible();
  }
  await line.press('Escape');
}

/** Takes a card up with the mouse and holds it over a column. */
export async function hold(page: Page, title: string, over: string): Promise<void> {
  // Cards glide: it waits until this one is where it is going.
  await card(page, title).hover({ position: { x: 30, y: 15 } });
  const to = (await column(page, over).boundingBox())!;
  await page.mouse.down();
  await page.mouse.move(to.x + to.width / 2, to.y + to.height - 30, { steps: 5 });
  await expect(column(page, over)).toHaveAttribute('data-target', 'true');
}

export async function drag(page: Page, title: string, to: string): Promise<void> {
  await hold(page, title, to);
  await page.mouse.up();
}

/**
 * Looks at the board after every change that is ever drawn: no card twice, and
 * no column above its limit. `violations` gives what was seen.
 */
export async function watch(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(window, { violations: seen });
    const look = () => {
      const cards = [...document.querySelectorAll<HTMLElement>('[data-card]')];
      const ids = cards.map((card) => card.dataset['card']);
      if (new Set(ids).size !== ids.length) {
        seen.push('a card was in two columns');
      }
      // A card that is held over a full column is not in it.
      for (const column of document.querySelectorAll<HTMLElement>('[data-column]')) {
        const held = column.querySelectorAll('.card.lifted').length;
        const [count = 0, limit = Infinity] = (column.querySelector('.count')?.textContent ?? '')
          .split('/')
          .map(Number);
        if (count - held > limit) {
          seen.push(`a column had ${count} cards, and its limit is ${limit}`);
        }
      }
    };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  });
}

export const violations = (page: Page): Promise<string[]> =>
  page.evaluate(() => (window as unknown as { violations: string[] }).violations);
