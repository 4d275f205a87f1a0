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

const wall = (page: Page) => page.getByRole('group', { name: 'Wall' });
const stickers = (page: Page) => page.getByRole('button', { name: /^Take off/ });
const sticker = (page: Page, name: string) => page.getByRole('button', { name: `Take off the ${name}` });

/** Clicks at a place on the wall, in parts of its width and height. */
async function stick(page: Page, x: number, y: number): Promise<void> {
  const box = await wall(page).boundingBox();
  await wall(page).click({ position: { x: (box?.width ?? 0) * x, y: (box?.height ?? 0) * y } });
}

test('two people stick and take off on one wall', async ({ person }) => {
  const address = `/yew-stickers/?session=${newSession()}`;
  const [ada, ben] = await Promise.all([person(address), person(address)]);
  await stick(ada, 0.25, 0.5);
  await expect(sticker(ben, 'violet circle')).toBeVisible();

  await ben.getByRole('button', { name: 'Square' }).click();
  await ben.getByRole('button', { name: 'red', exact: true }).click();
  await stick(ben, 0.75, 0.5);
  await expect(sticker(ada, 'red square')).toBeVisible();
  await expect(ada.getByText('2 stickers')).toBeVisible();

  await sticker(ada, 'red square').click();
  await expect(stickers(ben)).toHaveCount(1);
  await ada.getByRole('button', { name: 'Undo' }).click();
  await expect(sticker(ben, 'red square')).toBeVisible();

  // Without a mouse.
  await ada.getByRole('button', { name: 'Stick one on' }).click();
  await expect(ben.getByText('3 stickers')).toBeVisible();
  await sticker(ada, 'red square').focus();
  await ada.keyboard.press('Enter');
  await expect(ben.getByText('2 stickers')).toBeVisible();
});

test('everybody sees where the others point to', async ({ person }) => {
  const session = newSession();
  const ada = await person(`/yew-stickers/?session=${session}`);
  const ben = await person(`/yew-stickers/?session=${session}`);
  await expect(ben.locator('.pointer')).toHaveCount(0);
  await wall(ada).hover();
  await expect(ben.locator('.pointer text')).toHaveText(/^\w+ \w+$/);
  const place = await ben.locator('.pointer').getAttribute('transform');

  await wall(ada).hover({ position: { x: 20, y: 20 } });
  await expect(ben.locator('.pointer')).not.toHaveAttribute('transform', place ?? '');
  await ada.getByRole('button', { name: 'Invite' }).hover();
  await expect(ben.locator('.pointer')).toHaveCount(0);
});

test('it is the board of the whiteboard page', async ({ person }) => {
  const session = newSession();
  const ada = await person(`/yew-stickers/?session=${session}`);
  const ben = await person(`/whiteboard/?session=${session}`);
  await stick(ada, 0.5, 0.5);
  await expect(ben.getByRole('img', { name: 'Ellipse' })).toBeVisible();
  await wall(ada).hover();
  await expect(ben.locator('.cursor')).toHaveCount(1);
});

test('of two who take one off, one is told that it has gone', async ({ person, network }) => {
  const address = `/yew-stickers/?session=${newSession()}`;
  const ada = await person(address);
  const ben = await person(address, { baseURL: network.origin });
  await stick(ada, 0.5, 0.5);
  await expect(stickers(ben)).toHaveCount(1);

  // Ben does not hear of it in time.
  network.stall();
  await stickers(ada).click();
  await online(ada);
  await stickers(ben).click();
  await expect(stickers(ben)).toHaveCount(0);
  network.flow();
  await told(ben, 'There is no such element.');
  await online(ben);
});

test('sticking goes on without a connection', async ({ person, network }) => {
  const address = `/yew-stickers/?session=${newSession()}`;
  const ada = await person(address);
  const ben = await person(address, { baseURL: network.origin });
  network.cut();
  await offline(ben);
  await stick(ben, 0.3, 0.3);
  await stick(ben, 0.6, 0.6);
  await expect(ben.locator('.connection .label')).toHaveText('Offline · 2 not saved');
  await stick(ada, 0.8, 0.2);

  network.restore();
  await online(ben);
  await expect(ben.getByText('3 stickers')).toBeVisible();
  await expect(ada.getByText('3 stickers')).toBeVisible();
});

test('the page fits a phone', async ({ person }) => {
  const ada = await person(`/yew-stickers/?session=${newSession()}`, phone);
  await stick(ada, 0.5, 0.5);
  await expect(stickers(ada)).toHaveCount(1);
  await fits(ada);
});
