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

async function start(page: Page, label: string, seconds: number): Promise<void> {
  await page.getByLabel('What for?').fill(label);
  await page.getByLabel('Minutes').fill(String(Math.floor(seconds / 60)));
  await page.getByLabel('Seconds').fill(String(seconds % 60));
  await page.getByRole('button', { name: 'Start', exact: true }).click();
}

const timer = (page: Page, label: string) => page.getByRole('listitem', { name: label });
const phase = (page: Page, label: string, is: string) =>
  expect(timer(page, label)).toHaveAttribute('data-phase', is);
const press = (page: Page, label: string, button: string) =>
  timer(page, label).getByRole('button', { name: button }).click();
const digits = (page: Page, label: string) => timer(page, label).getByRole('timer');

test('a timer rings for everybody', async ({ person }) => {
  const address = `/timer/?session=${newSession()}`;
  const [ada, ben] = await Promise.all([person(address), person(address)]);
  await start(ada, 'Tea', 2);
  await start(ben, 'Pizza', 600);
  // On a busy machine it may have rung by now.
  await expect(timer(ben, 'Tea')).toHaveAttribute('data-phase', /^(running|rung)$/);
  await Promise.all([phase(ada, 'Tea', 'rung'), phase(ben, 'Tea', 'rung')]);
  await expect(ada).toHaveTitle('⏰ Time is up!');
  await expect(timer(ben, 'Tea')).toContainText('Rang at');
  await phase(ada, 'Pizza', 'running');

  await press(ben, 'Tea', 'Remove');
  await expect(timer(ada, 'Tea')).toHaveCount(0);
});

test('a pause is everybody’s', async ({ person }) => {
  const address = `/timer/?session=${newSession()}`;
  const [ada, ben] = await Promise.all([person(address), person(address)]);
  await start(ada, 'Eggs', 300);
  await press(ben, 'Eggs', 'Pause');
  await phase(ada, 'Eggs', 'paused');
  await online(ben);
  const left = await digits(ben, 'Eggs').textContent();
  await expect(digits(ada, 'Eggs')).toHaveText(left!);

  await press(ada, 'Eggs', 'Resume');
  await phase(ben, 'Eggs', 'running');
  await press(ben, 'Eggs', 'Pause');
  await press(ben, 'Eggs', 'Restart');
  await phase(ada, 'Eggs', 'running');
  await expect(digits(ada, 'Eggs')).toHaveText(/^(5:00|4:5\d)$/);
});

test('a timer rings while nobody looks', async ({ person }) => {
  const address = `/timer/?session=${newSession()}`;
  const ada = await person(address);
  await start(ada, 'Cake', 1);
  await online(ada);
  await ada.context().close();
  const ben = await person(address);
  await phase(ben, 'Cake', 'rung');
});

test('what does not fit is refused with a reason', async ({ person, network }) => {
  const address = `/timer/?session=${newSession()}`;
  const ada = await person(address);
  await start(ada, 'Nothing', 0);
  await told(ada, 'A timer runs for 1 s at least and 24 h at most.');

  const ben = await person(address, { baseURL: network.origin });
  await start(ada, 'Soup', 60);
  await phase(ben, 'Soup', 'running');
  network.cut();
  await offline(ben);
  await press(ada, 'Soup', 'Remove');
  await press(ben, 'Soup', 'Pause');
  await phase(ben, 'Soup', 'paused');
  network.restore();
  await told(ben, 'Somebody has removed that timer.');
  await expect(timer(ben, 'Soup')).toHaveCount(0);
});

test('the page fits a phone', async ({ person }) => {
  const ada = await person(`/timer/?session=${newSession()}`, phone);
  await ada.getByRole('button', { name: '25 min' }).tap();
  await phase(ada, '25 min', 'running');
  await fits(ada);
});
