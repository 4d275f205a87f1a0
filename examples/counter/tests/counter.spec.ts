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

const value = (page: Page) => page.getByLabel('Count', { exact: true });
const more = (page: Page) => page.getByRole('button', { name: 'One more' }).click();
const less = (page: Page) => page.getByRole('button', { name: 'One less' }).click();

test('two people count one number', async ({ person }) => {
  const address = `/counter/?session=${newSession()}`;
  const [ada, ben] = await Promise.all([person(address), person(address)]);
  await expect(value(ada)).toHaveText('0');

  await Promise.all([more(ada), more(ben)]);
  await more(ada);
  await expect(value(ada)).toHaveText('3');
  await expect(value(ben)).toHaveText('3');

  await ben.keyboard.press('ArrowUp');
  await less(ada);
  await less(ada);
  await expect(value(ada)).toHaveText('2');
  await expect(value(ben)).toHaveText('2');

  await ben.getByRole('button', { name: 'Back to zero' }).click();
  await expect(value(ada)).toHaveText('0');
  await less(ada);
  await told(ada, 'The counter is at zero and does not go below.');
  await Promise.all([online(ada), online(ben)]);
});

test('two people take the last one away', async ({ person, network }) => {
  const address = `/counter/?session=${newSession()}`;
  const ada = await person(address);
  const ben = await person(address, { baseURL: network.origin });
  await more(ada);
  await expect(value(ben)).toHaveText('1');

  // Ben does not hear of it in time, and takes one away that is no more there.
  network.stall();
  await less(ada);
  await online(ada);
  await less(ben);
  await expect(value(ben)).toHaveText('0');
  network.flow();
  await told(ben, 'The counter is at zero and does not go below.');
  await expect(value(ada)).toHaveText('0');
  await expect(value(ben)).toHaveText('0');
});

test('counting goes on without a connection', async ({ person, network }) => {
  const address = `/counter/?session=${newSession()}`;
  const ada = await person(address);
  const ben = await person(address, { baseURL: network.origin });

  network.cut();
  await offline(ben);
  await more(ben);
  await more(ben);
  await more(ada);
  await expect(value(ben)).toHaveText('2');
  await expect(value(ada)).toHaveText('1');
  await expect(ben.locator('.connection')).toHaveText('Offline · 2 saved on this device');

  network.restore();
  await online(ben);
  await expect(value(ada)).toHaveText('3');
  await expect(value(ben)).toHaveText('3');
});

test('a page that can keep nothing says so, and asks before it is left', async ({ person, network }) => {
  const address = `/counter/?session=${newSession()}`;
  const ada = await person(address, { baseURL: network.origin });
  await ada.addInitScript(() => Reflect.deleteProperty(globalThis, 'indexedDB'));
  await ada.reload();
  await online(ada);
  network.cut();
  await offline(ada);
  await more(ada);
  await expect(ada.locator('.connection')).toHaveText('Offline · 1 not saved');
  const asked = ada.waitForEvent('dialog');
  await ada.close({ runBeforeUnload: true });
  expect((await asked).type()).toBe('beforeunload');
  await (await asked).dismiss();

  network.restore();
  await online(ada);
  await expect(value(ada)).toHaveText('1');
});

test('an invitation opens the same session', async ({ person }) => {
  const ada = await person('/counter/');
  await more(ada);
  await ada.getByRole('button', { name: 'Invite' }).click();
  const link = await ada.getByLabel('Invitation link').inputValue();
  const ben = await person(link);
  await expect(value(ben)).toHaveText('1');
});

test('the page fits a phone', async ({ person }) => {
  const ada = await person(`/counter/?session=${newSession()}`, phone);
  await more(ada);
  await expect(value(ada)).toHaveText('1');
  await fits(ada);
});
