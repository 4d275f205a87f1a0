import { expect, test, type Page } from '@playwright/test';

import { fits, newSession, offline, online, person, phone, told } from '../../testing/people.js';
import { Proxy } from '../../testing/proxy.js';

const value = (page: Page) => page.getByLabel('Count', { exact: true });
const more = (page: Page) => page.getByRole('button', { name: 'One more' }).click();
const less = (page: Page) => page.getByRole('button', { name: 'One less' }).click();

test('two people count one number', async ({ browser }) => {
  const address = `/counter/?session=${newSession()}`;
  const [ada, ben] = await Promise.all([person(browser, address), person(browser, address)]);
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

test('two people take the last one away', async ({ browser, baseURL }) => {
  const proxy = await Proxy.before(baseURL!);
  const address = `/counter/?session=${newSession()}`;
  const ada = await person(browser, address);
  const ben = await person(browser, address, { baseURL: proxy.origin });
  await more(ada);
  await expect(value(ben)).toHaveText('1');

  // Ben does not hear of it in time, and takes one away that is no more there.
  proxy.stall();
  await less(ada);
  await online(ada);
  await less(ben);
  await expect(value(ben)).toHaveText('0');
  proxy.flow();
  await told(ben, 'The counter is at zero and does not go below.');
  await expect(value(ada)).toHaveText('0');
  await expect(value(ben)).toHaveText('0');
  await proxy.close();
});

test('counting goes on without a connection', async ({ browser, baseURL }) => {
  const proxy = await Proxy.before(baseURL!);
  const address = `/counter/?session=${newSession()}`;
  const ada = await person(browser, address);
  const ben = await person(browser, address, { baseURL: proxy.origin });

  proxy.cut();
  await offline(ben);
  await more(ben);
  await more(ben);
  await more(ada);
  await expect(value(ben)).toHaveText('2');
  await expect(value(ada)).toHaveText('1');
  await expect(ben.locator('.connection')).toHaveText('Offline · 2 unsaved');

  proxy.restore();
  await online(ben);
  await expect(value(ada)).toHaveText('3');
  await expect(value(ben)).toHaveText('3');
  await proxy.close();
});

test('an invitation opens the same session', async ({ browser }) => {
  const ada = await person(browser, '/counter/');
  await more(ada);
  await ada.getByRole('button', { name: 'Invite' }).click();
  const link = await ada.getByLabel('Invitation link').inputValue();
  const ben = await person(browser, link);
  await expect(value(ben)).toHaveText('1');
});

test('the page fits a phone', async ({ browser }) => {
  const ada = await person(browser, `/counter/?session=${newSession()}`, phone);
  await more(ada);
  await expect(value(ada)).toHaveText('1');
  await fits(ada);
});
