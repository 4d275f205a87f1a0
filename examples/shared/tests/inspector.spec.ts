/** The inspector: the server's page, and the panel in an application's own. */

import { readFile } from 'node:fs/promises';

import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';

import { addCards, drag, same } from '../../kanban/tests/board.js';
import { ADMIN_TOKEN } from '../../testing/admin.js';
import { expect, fits, newSession, online, test, told } from '../../testing/people.js';

/** The inspector, opened with the token, looking at a session. */
async function inspect(page: Page, session = ''): Promise<void> {
  await page.goto(`/inspector/#${session}`);
  await page.getByLabel('Admin token').fill(ADMIN_TOKEN);
  await page.getByRole('button', { name: 'Open' }).click();
  await expect(page.getByRole('navigation', { name: 'Sessions' })).toBeVisible();
}

const log = (page: Page): Locator => page.locator('#log tr');
const tree = (page: Page): Locator => page.locator('#state');
const title = (page: Page): Locator => page.locator('#state-title');

/** The number of the last version, once there are at least so many rows. */
async function last(page: Page, rows: number): Promise<number> {
  await expect(async () => expect(await log(page).count()).toBeGreaterThanOrEqual(rows)).toPass();
  return Number(await log(page).first().getAttribute('data-version'));
}

test('only the token opens it, and the tab keeps it', async ({ page }) => {
  await page.goto('/inspector/');
  await page.getByLabel('Admin token').fill('not the token, I fear');
  await page.getByRole('button', { name: 'Open' }).click();
  await expect(page.getByRole('alert')).toHaveText("This is not the server's admin token.");
  await inspect(page);
  await page.reload();
  await expect(page.getByRole('navigation', { name: 'Sessions' })).toBeVisible();
  await page.getByRole('button', { name: 'Forget the token' }).click();
  await page.reload();
  await expect(page.getByLabel('Admin token')).toBeVisible();
});

test('it follows a session, and goes back in it', async ({ person, page }) => {
  const session = newSession();
  const ada = await person(`/kanban/?session=${session}`);
  await addCards(ada, 'To do', 'cake', 'chairs');
  await inspect(page);
  await page.getByRole('searchbox', { name: 'Find a session' }).fill(session);
  await page.getByRole('link', { name: session }).click();
  const before = await last(page, 2);
  await expect(tree(page)).toContainText('"chairs"');
  await expect(page.locator('#clients tr')).toHaveCount(1);

  await addCards(ada, 'Doing', 'band');
  await expect(tree(page)).toContainText('"band"');
  await expect(title(page)).toHaveText(`State at version ${before + 1}`);
  await expect(tree(page).locator('.changed').filter({ hasText: 'band' }).first()).toBeVisible();

  // Back by the keyboard, and on by the slider; meanwhile the session goes on.
  await page.getByRole('heading', { level: 2 }).click();
  await page.keyboard.press('ArrowLeft');
  await expect(title(page)).toHaveText(`State at version ${before}`);
  await expect(tree(page)).not.toContainText('"band"');
  await expect(page.getByRole('button', { name: 'Live' })).toHaveAttribute('aria-pressed', 'false');
  await drag(ada, 'band', 'Done');
  await expect(log(page).first()).toHaveAttribute('data-version', String(before + 2));
  await expect(title(page)).toHaveText(`State at version ${before}`);
  await page.getByRole('slider', { name: 'Version' }).focus();
  await page.keyboard.press('ArrowRight');
  await expect(title(page)).toHaveText(`State at version ${before + 1}`);
  await page.getByRole('button', { name: `Version ${before - 1}`, exact: true }).click();
  await expect(title(page)).toHaveText(`State at version ${before - 1}`);
  await expect(tree(page)).not.toContainText('"chairs"');
  // An address names the version too.
  await page.reload();
  await expect(title(page)).toHaveText(`State at version ${before - 1}`);
  await page.getByRole('button', { name: 'Live' }).click();
  await expect(title(page)).toHaveText(`State at version ${before + 2}`);
});

test('refusals, and the tree by keyboard', async ({ person, network, page }) => {
  const session = newSession();
  const ada = await person(`/kanban/?session=${session}`);
  const ben = await person(`/kanban/?session=${session}`, { baseURL: network.origin });
  await addCards(ada, 'To do', 'cake');
  await same([ben], 'To do: cake | Doing: | Done:');
  await inspect(page, `kanban/${session}`);
  // Ben does not hear of Ada's move before he makes his.
  network.stall();
  await drag(ada, 'cake', 'Doing');
  await online(ada);
  await drag(ben, 'cake', 'Done');
  network.flow();
  await told(ben, 'Somebody else has moved “cake” to “Doing” meanwhile.');
  await expect(page.locator('#refused')).toContainText('cardMoved');
  await expect(page.locator('#clients tr')).toHaveCount(2);
  await expect(page.locator('#refused-count')).toHaveText('1 lately');

  const top = tree(page).getByRole('treeitem').first();
  await top.focus();
  await page.keyboard.press('ArrowLeft');
  await expect(top).toHaveAttribute('aria-expanded', 'false');
  await page.keyboard.press('ArrowRight');
  await expect(top).toHaveAttribute('aria-expanded', 'true');
  await page.keyboard.press('ArrowDown');
  await expect(tree(page).getByRole('treeitem').nth(1)).toBeFocused();
  await page.keyboard.press('Home');
  await expect(top).toBeFocused();
});

test('what people show of themselves can be read', async ({ person, page }) => {
  const board = newSession();
  const eve = await person(`/whiteboard/?session=${board}`);
  await inspect(page, `whiteboard/${board}`);
  await expect(page.getByRole('heading', { level: 2 })).toHaveText(`whiteboard/${board}`);
  await eve.locator('#board').hover();
  await expect(page.locator('#presence dd')).toHaveCount(1);
  await expect(page.locator('#presence dd')).not.toContainText('"hex"');
});

test('what people write is text, whatever it is', async ({ person, page }) => {
  const session = newSession();
  const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  const ada = await person(`/kanban/?session=${session}&inspect`);
  await addCards(ada, 'To do', evil);
  const wrote = ada.locator('aper-inspector').getByRole('treeitem').filter({ hasText: '<img src=x' });
  await expect(wrote.first()).toBeVisible();
  expect(await ada.locator('aper-inspector').locator('img').count()).toBe(0);
  await inspect(page, `kanban/${session}`);
  await expect(tree(page)).toContainText('<img src=x');
  await expect(page.locator('#log')).toContainText('<img src=x');
  expect(await page.locator('img, #inspector script').count()).toBe(0);
  await expect(page).toHaveTitle(/Inspector/);
});

test('a recording is downloaded, and copied as a test', async ({ person, page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const session = newSession();
  const ada = await person(`/kanban/?session=${session}`);
  await addCards(ada, 'To do', 'cake', 'chairs');
  await inspect(page, `kanban/${session}`);
  const to = await last(page, 2);
  await page.getByLabel('From version').fill(String(to - 1));
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download the recording' }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe(`kanban-${session}-${to - 1}-${to}.recording`);
  const bytes = await readFile(await download.path());
  // A text with its length, as the encoding has it.
  expect(bytes.subarray(0, 7).toString('latin1')).toBe('\x06kanban');

  await page.getByRole('button', { name: 'Copy as a test' }).click();
  await expect(page.locator('#recorded')).toHaveText('Copied.');
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toContain('recording.replay::<kanban::');
  expect(copied).toContain(`&[${[...bytes.subarray(0, 7)].join(', ')}`);
  expect(copied).toMatch(/StateHash\(0x[0-9a-f]{16}\)/);
});

test('what is in the way is said', async ({ browser, network }) => {
  const context = await browser.newContext({ baseURL: network.origin });
  const page = await context.newPage();
  await inspect(page, `kanban/${newSession()}`);
  await expect(page.getByRole('alert')).toContainText('There is no session kanban/');
  const other = newSession();
  const ada = await context.newPage();
  await ada.goto(`/kanban/?session=${other}`);
  await online(ada);
  await page.goto(`/inspector/#kanban/${other}`);
  await expect(title(page)).toContainText('State at version');
  await expect(page.getByRole('alert')).toBeHidden();
  network.cut();
  await expect(page.getByRole('alert')).toContainText('The server does not answer.');
  network.restore();
  await expect(page.getByRole('alert')).toBeHidden();
  await context.close();
});

test('the panel shows what a client does', async ({ person }) => {
  const session = newSession();
  const ada = await person(`/kanban/?session=${session}&inspect`);
  const ben = await person(`/kanban/?session=${session}`);
  const panel = ada.locator('aper-inspector');
  await expect(panel.locator('.status')).toHaveText('online');
  await addCards(ada, 'To do', 'cake');
  await expect(panel.getByRole('treeitem').filter({ hasText: '"cake"' }).first()).toBeVisible();
  await addCards(ben, 'To do', 'chairs');
  await expect(panel.locator('.changed').filter({ hasText: '"chairs"' }).first()).toBeVisible();

  await panel.getByRole('tab', { name: 'Log' }).click();
  const rows = panel.getByRole('tabpanel', { name: 'Log' }).getByRole('button');
  await expect(rows).toHaveCount(2);
  await expect(rows.last()).toContainText('addCard');
  await expect(rows.last()).toHaveAttribute('data-kind', 'confirmed');
  await rows.last().click();
  await expect(panel.locator('.at')).toContainText('As it was at');
  await expect(panel.getByRole('tree')).not.toContainText('"chairs"');
  await panel.getByRole('button', { name: 'Live' }).click();
  await expect(panel.getByRole('tree')).toContainText('"chairs"');

  await panel.getByRole('button', { name: 'Close the inspector' }).click();
  await expect(panel).toHaveCount(0);
  await addCards(ada, 'Doing', 'band');
  await same([ada, ben], 'To do: cake, chairs | Doing: band | Done:');
});

for (const width of [1280, 390]) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`it is for everybody: ${colorScheme}, ${width} wide`, async ({ browser, baseURL }) => {
      const look = { viewport: { width, height: 844 }, colorScheme, baseURL: baseURL! } as const;
      const context = await browser.newContext(look);
      const ada = await context.newPage();
      const session = newSession();
      await ada.goto(`/kanban/?session=${session}&inspect`);
      await online(ada);
      await ada.locator('aper-inspector').getByRole('tab', { name: 'State' }).waitFor();
      await violations(ada, 'aper-inspector');
      await ada.locator('aper-inspector').getByRole('button', { name: 'Close' }).click();
      await addCards(ada, 'To do', 'cake', 'chairs');

      const page = await context.newPage();
      await page.goto('/inspector/');
      await violations(page);
      await fits(page);
      await inspect(page, `kanban/${session}`);
      await last(page, 2);
      await expect(title(page)).toContainText('State at version');
      await violations(page);
      await fits(page);
      await context.close();
    });
  }
}

/** None that axe calls serious or critical. */
async function violations(page: Page, within?: string): Promise<void> {
  const axe = new AxeBuilder({ page });
  const { violations } = await (within === undefined ? axe : axe.include(within)).analyze();
  const found = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => ({ id, target, failureSummary })));
  expect(found).toEqual([]);
}
