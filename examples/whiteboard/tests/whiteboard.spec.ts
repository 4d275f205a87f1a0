import type { Page } from '@playwright/test';

import { expect, fits, newSession, offline, online, phone, test, told } from '../../testing/people.js';

const address = (): string => `/whiteboard/?session=${newSession()}`;

/** Draws with the mouse, from one place to another of the window. */
async function stroke(page: Page, from: [number, number], to: [number, number]): Promise<void> {
  await page.mouse.move(...from);
  await page.mouse.down();
  await page.mouse.move(...to, { steps: 8 });
  await page.mouse.up();
}

async function choose(page: Page, tool: string): Promise<void> {
  await page.locator(`[data-choose=${tool}]`).click();
}

function elements(page: Page) {
  return page.locator('.element');
}

async function callThemselves(page: Page, name: string): Promise<void> {
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Your name').press('Enter');
}

/** What two people see of each other while they work. */
test('two people see each other draw, point and select', async ({ person }) => {
  const where = address();
  const [ada, ben] = await Promise.all([person(where), person(where)]);
  await callThemselves(ada, 'Ada');
  await callThemselves(ben, 'Ben');
  await ada.mouse.move(300, 300);
  const cursor = ben.locator('.cursor', { hasText: 'Ada' });
  await expect(cursor).toBeVisible();
  // In both windows the same place of the board is in the middle.
  await expect
    .poll(async () => (await cursor.boundingBox())?.x)
    .toBeCloseTo(300 - 3, -1);

  // While a stroke is being drawn it is presence, and the state when it is done.
  await ada.mouse.down();
  await ada.mouse.move(420, 360, { steps: 6 });
  await expect(ben.locator('.ghost[data-kind=stroke]')).toBeVisible();
  await expect(elements(ben)).toHaveCount(0);
  await ada.mouse.up();
  await expect(elements(ben)).toHaveCount(1);
  await expect(ben.locator('.ghost[data-kind=stroke]')).toBeHidden();

  await choose(ada, 'rectangle');
  await ada.getByLabel('Colour: red').click();
  await stroke(ada, [500, 250], [640, 340]);
  await expect(ben.getByRole('img', { name: 'Rectangle, red' })).toBeVisible();

  // What one holds the other sees selected, and moved before it is let go.
  await choose(ben, 'select');
  await ben.mouse.move(570, 300);
  await ben.mouse.down();
  await ben.mouse.move(600, 400, { steps: 4 });
  await expect(ada.locator('.marks .selection').first()).toBeVisible();
  await expect(ada.locator('.ghost[data-kind=area]')).toBeVisible();
  const before = await elements(ada).nth(1).getAttribute('d');
  await ben.mouse.up();
  await expect(elements(ada).nth(1)).not.toHaveAttribute('d', before ?? '');
  await expect(ada.locator('.people ul')).toHaveAttribute('data-count', '1');

  // Whoever goes is not seen any more, and what they drew stays.
  await ada.close();
  await expect(ben.locator('.cursor')).toHaveCount(0);
  await expect(elements(ben)).toHaveCount(2);
});

test('without a connection nobody is seen, and one goes on drawing', async ({
  person,
  network,
}) => {
  const where = address();
  const ada = await person(where);
  const ben = await person(where, { baseURL: network.origin });
  await ada.mouse.move(300, 300);
  await ben.mouse.move(320, 320);
  await expect(ben.locator('.cursor')).toHaveCount(1);
  await expect(ada.locator('.cursor')).toHaveCount(1);
  network.cut();
  await offline(ben);
  await expect(ben.locator('.cursor')).toHaveCount(0);
  await expect(ada.locator('.cursor')).toHaveCount(0);
  await stroke(ben, [300, 300], [400, 380]);
  await expect(elements(ben)).toHaveCount(1);
  network.restore();
  await online(ben);
  // Both are seen again, though nobody has moved since.
  await expect(ada.locator('.cursor')).toHaveCount(1);
  await expect(ben.locator('.cursor')).toHaveCount(1);
  await expect(elements(ada)).toHaveCount(1);
});

test('what somebody else has erased is not moved, and the reason is told', async ({
  person,
  network,
}) => {
  const where = address();
  const ada = await person(where);
  const ben = await person(where, { baseURL: network.origin });
  await choose(ada, 'rectangle');
  await stroke(ada, [300, 250], [420, 340]);
  await expect(elements(ben)).toHaveCount(1);
  network.stall();
  await choose(ada, 'select');
  await ada.mouse.click(360, 300);
  await ada.keyboard.press('Delete');
  await online(ada);
  await choose(ben, 'select');
  await stroke(ben, [360, 300], [420, 380]);
  network.flow();
  await told(ben, 'Somebody else has erased that.');
  await expect(elements(ben)).toHaveCount(0);
});

test('everything can be done by the keyboard', async ({ person }) => {
  const page = await person(address());
  await page.keyboard.press('r');
  await page.locator('#board').focus();
  await page.keyboard.press('Enter');
  await expect(elements(page)).toHaveCount(1);
  await page.keyboard.press('v');
  await page.keyboard.press('Tab');
  await expect(page.locator('.own.selection')).toBeVisible();
  const before = await elements(page).first().getAttribute('d');
  await page.keyboard.press('ArrowRight');
  await expect(elements(page).first()).not.toHaveAttribute('d', before ?? '');
  await page.keyboard.press('Delete');
  await expect(elements(page)).toHaveCount(0);

  // Back to where it was, and to where it was before.
  await page.keyboard.press('Control+z');
  await expect(elements(page).first()).not.toHaveAttribute('d', before ?? '');
  await page.keyboard.press('Control+z');
  await expect(elements(page).first()).toHaveAttribute('d', before ?? '');
  await page.keyboard.press('Control+z');
  await expect(elements(page)).toHaveCount(0);
  await page.keyboard.press('Control+Shift+z');
  await expect(elements(page).first()).toHaveAttribute('d', before ?? '');
});

test('a phone draws with one finger and sees the other', async ({ person }) => {
  const where = address();
  const [ada, small] = await Promise.all([person(where), person(where, phone)]);
  await fits(small);
  const touch = async (type: string, x: number, y: number): Promise<void> => {
    await small.locator('#board').dispatchEvent(type, {
      pointerId: 7,
      pointerType: 'touch',
      isPrimary: true,
      button: 0,
      buttons: type === 'pointerup' ? 0 : 1,
      clientX: x,
      clientY: y,
      bubbles: true,
    });
  };
  // A finger that is made up cannot be captured.
  await small.evaluate(() => {
    Element.prototype.setPointerCapture = () => {};
  });
  await touch('pointerdown', 100, 300);
  for (let step = 1; step <= 6; step++) {
    await touch('pointermove', 100 + step * 20, 300 + step * 10);
  }
  await expect(ada.locator('.cursor')).toBeVisible();
  await touch('pointerup', 220, 360);
  await expect(elements(ada)).toHaveCount(1);
  await ada.mouse.move(640, 400);
  await expect(small.locator('.cursor')).toHaveCount(1);
});
