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

const list = (page: Page, name: string) => page.getByRole('region', { name });
const titles = (page: Page, name: string) => list(page, name).getByRole('listitem').getByRole('textbox');
const step = (page: Page, title: string, to: string) =>
  page.getByRole('button', { name: `Move “${title}” to “${to}”` }).click();

async function add(page: Page, ...tasks: string[]): Promise<void> {
  for (const task of tasks) {
    await page.getByLabel('New task').fill(task);
    await page.keyboard.press('Enter');
  }
}

/** Waits until a list has exactly these, from top to bottom. */
async function has(page: Page, name: string, ...tasks: string[]): Promise<void> {
  await expect
    .poll(() => titles(page, name).evaluateAll((all) => all.map((it) => (it as HTMLInputElement).value)))
    .toEqual(tasks);
}

test('two people see each other’s work', async ({ person }) => {
  const address = `/leptos-todo/?session=${newSession()}`;
  const [ada, ben] = await Promise.all([person(address), person(address)]);
  await add(ada, 'cake', 'chairs');
  await has(ben, 'To do', 'cake', 'chairs');

  await step(ben, 'cake', 'Doing');
  await has(ada, 'To do', 'chairs');
  await has(ada, 'Doing', 'cake');
  await expect(list(ada, 'Doing')).toContainText('1 of 3');

  await titles(ada, 'Doing').first().fill('a big cake');
  await ada.keyboard.press('Enter');
  await has(ben, 'Doing', 'a big cake');
  await ben.getByRole('button', { name: 'Remove “chairs”' }).click();
  await has(ada, 'To do');
  await Promise.all([online(ada), online(ben)]);
});

test('it is the board of the kanban page', async ({ person }) => {
  const session = newSession();
  const ada = await person(`/leptos-todo/?session=${session}`);
  const ben = await person(`/kanban/?session=${session}`);
  await add(ada, 'cake');
  await expect(ben.getByRole('region', { name: 'To do' })).toContainText('cake');
});

test('what cannot be is refused, and told', async ({ person }) => {
  const ada = await person(`/leptos-todo/?session=${newSession()}`);
  await add(ada, 'one', 'two', 'three', 'four');
  for (const title of ['one', 'two', 'three', 'four']) {
    await step(ada, title, 'Doing');
  }
  await told(ada, '“Doing” is full: it takes 3 cards at a time.');
  await has(ada, 'To do', 'four');
  await has(ada, 'Doing', 'one', 'two', 'three');

  // A title that is refused is put back.
  await titles(ada, 'To do').first().fill(' ');
  await ada.keyboard.press('Enter');
  await told(ada, 'A title is needed.');
  await has(ada, 'To do', 'four');
});

test('of two who move a task, one is told that it has gone', async ({ person, network }) => {
  const address = `/leptos-todo/?session=${newSession()}`;
  const ada = await person(address);
  const ben = await person(address, { baseURL: network.origin });
  await add(ada, 'cake');
  await step(ada, 'cake', 'Doing');
  await has(ben, 'Doing', 'cake');

  // Ben does not hear of it in time.
  network.stall();
  await step(ada, 'cake', 'Done');
  await online(ada);
  await step(ben, 'cake', 'To do');
  await has(ben, 'To do', 'cake');
  network.flow();
  await told(ben, '“cake” has been moved to “Done” meanwhile.');
  await has(ben, 'Done', 'cake');
  await has(ben, 'To do');
});

test('it goes on without a connection, and what was done is taken back later', async ({
  person,
  network,
}) => {
  const address = `/leptos-todo/?session=${newSession()}`;
  const ada = await person(address);
  const ben = await person(address, { baseURL: network.origin });
  network.cut();
  await offline(ben);
  await add(ben, 'cake', 'chairs');
  await has(ben, 'To do', 'cake', 'chairs');
  await expect(ben.locator('.connection .label')).toHaveText('Offline · 2 not saved');
  await add(ada, 'music');

  network.restore();
  await online(ben);
  await has(ben, 'To do', 'music', 'cake', 'chairs');
  await has(ada, 'To do', 'music', 'cake', 'chairs');

  await ben.getByRole('button', { name: 'Undo' }).click();
  await has(ada, 'To do', 'music', 'cake');
  await ben.getByRole('button', { name: 'Redo' }).click();
  await has(ada, 'To do', 'music', 'cake', 'chairs');
  await expect(ada.getByRole('button', { name: 'Redo' })).toBeDisabled();
});

test('a page with changes that are nowhere else asks before it is left', async ({ person, network }) => {
  const ada = await person(`/leptos-todo/?session=${newSession()}`, { baseURL: network.origin });
  network.cut();
  await offline(ada);
  await add(ada, 'cake');
  await expect(ada.locator('.connection')).toHaveAttribute('data-saved', 'false');
  const asked = ada.waitForEvent('dialog');
  await ada.close({ runBeforeUnload: true });
  expect((await asked).type()).toBe('beforeunload');
  await (await asked).dismiss();
});

test('the page fits a phone', async ({ person }) => {
  const ada = await person(`/leptos-todo/?session=${newSession()}`, phone);
  await add(ada, 'a task with a title that is much longer than a phone is wide, as some are');
  await expect(titles(ada, 'To do')).toHaveCount(1);
  await fits(ada);
});
