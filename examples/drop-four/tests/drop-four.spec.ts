import type { Page } from '@playwright/test';

import {
  expect,
  fits,
  newSession,
  offline,
  online,
  phone,
  test,
  told,
} from '../../testing/people.js';

async function sit(page: Page, color: 'red' | 'yellow', name: string): Promise<void> {
  await page.getByRole('button', { name: `Play ${color}` }).click();
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Sit' }).click();
  await expect(page.getByRole('region', { name: color })).toContainText(name);
}

const drop = (page: Page, column: number) =>
  page.getByRole('button', { name: `Column ${column}:` }).click();

const says = (page: Page, text: string | RegExp) => expect(page.locator('.turn')).toHaveText(text);

/** The board as text, each column from the bottom: `rry|y||||r|`. */
const board = (page: Page) =>
  page.locator('.column').evaluateAll((columns) =>
    columns
      .map((column) =>
        [...column.querySelectorAll<HTMLElement>('.disc')]
          .map((disc) => disc.dataset['color']?.[0])
          .reverse()
          .join(''),
      )
      .join('|'),
  );

async function same(pages: Page[], expected: string): Promise<void> {
  for (const page of pages) {
    await expect.poll(() => board(page)).toBe(expected);
  }
}

/** They drop by turns, and each waits to see what the other has dropped. */
async function play(players: [Page, Page], columns: number[]): Promise<void> {
  for (const [turn, column] of columns.entries()) {
    const player = players[turn % 2]!;
    await says(player, 'Your turn.');
    await drop(player, column);
  }
}

test('two people play to a win, and a third watches', async ({ person }) => {
  const address = `/drop-four/?session=${newSession()}`;
  const [ada, ben, cy] = await Promise.all([person(address), person(address), person(address)]);
  await sit(ada, 'red', 'Ada');
  await drop(ada, 1);
  await told(ada, 'Nobody has taken the other seat yet.');
  await expect(cy.locator('.hint')).toContainText('can take a free seat');
  await sit(ben, 'yellow', 'Ben');
  await expect(cy.locator('.hint')).toHaveText('You are watching. Both seats are taken.');

  await drop(ben, 1);
  await told(ben, 'It is not your turn: Ada is next.');
  await drop(cy, 1);
  await told(cy, 'You are watching. Both seats are taken.');
  await same([ada, ben, cy], '||||||');

  await play([ada, ben], [1, 2, 1, 2, 1, 2, 1]);
  await says(ada, 'You win!');
  await says(ben, 'Ada wins!');
  await says(cy, 'Ada wins!');
  await same([ada, ben, cy], 'rrrr|yyy|||||');
  for (const page of [ada, ben, cy]) {
    await expect(page.locator('.disc.wins')).toHaveCount(4);
  }
  await drop(ben, 3);
  await told(ben, 'The game is over.');

  await ben.getByRole('button', { name: 'Play again' }).click();
  await same([ada, ben, cy], '||||||');
  await says(ben, 'Your turn.');
  await says(ada, 'Ben is next.');
});

test('a player who leaves and returns keeps the seat', async ({ person }) => {
  const address = `/drop-four/?session=${newSession()}`;
  const [ada, ben] = await Promise.all([person(address), person(address)]);
  await sit(ada, 'red', 'Ada');
  await sit(ben, 'yellow', 'Ben');
  await play([ada, ben], [4]);

  await ben.goto('about:blank');
  await expect(ada.getByRole('region', { name: 'Yellow' })).toContainText('Away');
  await ben.goto(address);
  await says(ben, 'Your turn.');
  await expect(ada.getByRole('region', { name: 'Yellow' })).not.toContainText('Away');
  await drop(ben, 4);
  await same([ada, ben], '|||ry|||');

  await ada.reload();
  await says(ada, 'Your turn.');
  await drop(ada, 4);
  await same([ada, ben], '|||ryr|||');
});

test('a game goes on through a cut connection', async ({ person, network }) => {
  const address = `/drop-four/?session=${newSession()}`;
  const ada = await person(address);
  const ben = await person(address, { baseURL: network.origin });
  await sit(ada, 'red', 'Ada');
  await sit(ben, 'yellow', 'Ben');
  await play([ada, ben], [4, 3, 4]);
  await says(ben, 'Your turn.');

  network.cut();
  await offline(ben);
  await drop(ben, 3);
  await same([ben], '||yy|rr|||');
  await expect(ada.getByRole('region', { name: 'Yellow' })).toContainText('Away');
  await same([ada], '||y|rr|||');

  network.restore();
  await same([ada], '||yy|rr|||');
  await play([ada, ben], [4, 3, 4]);
  await says(ada, 'You win!');
  await says(ben, 'Ada wins!');
  await same([ada, ben], '||yyy|rrrr|||');
  await Promise.all([online(ada), online(ben)]);
});

test('keyboard and phone', async ({ person }) => {
  const address = `/drop-four/?session=${newSession()}`;
  const [ada, ben] = await Promise.all([person(address), person(address, phone)]);
  await sit(ada, 'red', 'Ada');
  await sit(ben, 'yellow', 'Ben');
  await fits(ben);

  await ada.keyboard.press('7');
  await says(ben, 'Your turn.');
  await ben.getByRole('button', { name: 'Column 6:' }).tap();
  await says(ada, 'Your turn.');
  await ada.getByRole('button', { name: 'Column 1:' }).focus();
  await ada.keyboard.press('ArrowLeft');
  await ada.keyboard.press('Enter');
  await same([ada, ben], '|||||y|rr');
});
