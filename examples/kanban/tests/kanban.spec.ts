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
import { addCards, card, column, drag, hold, same, shown, violations, watch } from './board.js';

test('two people drag the same card', async ({ person }) => {
  const address = `/kanban/?session=${newSession()}`;
  const [ada, ben] = await Promise.all([person(address), person(address)]);
  await addCards(ada, 'To do', 'cake', 'chairs');
  await same([ada, ben], 'To do: cake, chairs | Doing: | Done:');
  await Promise.all([watch(ada), watch(ben)]);

  await Promise.all([hold(ada, 'cake', 'Doing'), hold(ben, 'cake', 'Done')]);
  await ada.mouse.up();
  await online(ada);
  await ben.mouse.up();
  await told(ben, 'Somebody else has moved “cake” to “Doing” meanwhile.');
  await same([ada, ben], 'To do: chairs | Doing: cake | Done:');
  expect([...(await violations(ada)), ...(await violations(ben))]).toEqual([]);
});

test('two people drag into the last free place', async ({ person, network }) => {
  const address = `/kanban/?session=${newSession()}`;
  const ada = await person(address);
  const ben = await person(address, { baseURL: network.origin });
  await addCards(ada, 'To do', 'cake', 'chairs');
  await addCards(ada, 'Doing', 'band', 'barn');
  await same([ada, ben], 'To do: cake, chairs | Doing: band, barn | Done:');
  await Promise.all([watch(ada), watch(ben)]);

  // Ben does not hear of Ada's move before he makes his.
  network.stall();
  await drag(ada, 'cake', 'Doing');
  await online(ada);
  await drag(ben, 'chairs', 'Doing');
  await same([ada], 'To do: chairs | Doing: band, barn, cake | Done:');
  await same([ben], 'To do: cake | Doing: band, barn, chairs | Done:');

  network.flow();
  await told(ben, '“Doing” is full: it takes 3 cards at a time.');
  await same([ada, ben], 'To do: chairs | Doing: band, barn, cake | Done:');
  await Promise.all([online(ada), online(ben)]);
  expect([...(await violations(ada)), ...(await violations(ben))]).toEqual([]);

  // Now that he sees it, his own window refuses at once.
  await drag(ben, 'chairs', 'Doing');
  await told(ben, '“Doing” is full: it takes 3 cards at a time.');
  await same([ada, ben], 'To do: chairs | Doing: band, barn, cake | Done:');
});

test('both go on editing while the connection of one is cut', async ({ person, network }) => {
  const address = `/kanban/?session=${newSession()}`;
  const ada = await person(address);
  const ben = await person(address, { baseURL: network.origin });
  await addCards(ada, 'To do', 'cake', 'chairs', 'lights');
  await addCards(ada, 'Doing', 'band');
  await same([ben], 'To do: cake, chairs, lights | Doing: band | Done:');
  await Promise.all([watch(ada), watch(ben)]);

  network.cut();
  await offline(ben);
  await drag(ada, 'band', 'Done');
  await drag(ada, 'cake', 'Doing');
  await addCards(ada, 'To do', 'music');
  await drag(ben, 'cake', 'Done');
  await drag(ben, 'chairs', 'Doing');
  await addCards(ben, 'To do', 'games');
  await expect(ben.locator('.connection')).toHaveText('Offline · 3 saved on this device');
  await same([ada], 'To do: chairs, lights, music | Doing: cake | Done: band');
  await same([ben], 'To do: lights, games | Doing: band, chairs | Done: cake');

  network.restore();
  await told(ben, 'Somebody else has moved “cake” to “Doing” meanwhile.');
  const together = 'To do: lights, music, games | Doing: cake, chairs | Done: band';
  await same([ada, ben], together);
  await Promise.all([online(ada), online(ben)]);
  expect([...(await violations(ada)), ...(await violations(ben))]).toEqual([]);

  await ben.reload();
  await same([ben], together);
});

test('what is done offline outlives the page, and is told to the next', async ({ person, network }) => {
  const address = `/kanban/?session=${newSession()}`;
  const ada = await person(address);
  const ben = await person(address, { baseURL: network.origin });
  await addCards(ada, 'To do', 'cake', 'chairs', 'lights');
  await same([ben], 'To do: cake, chairs, lights | Doing: | Done:');

  network.cut();
  await offline(ben);
  await drag(ben, 'cake', 'Done');
  await drag(ben, 'chairs', 'Doing');
  await addCards(ben, 'To do', 'games');
  await expect(ben.locator('.connection')).toHaveText('Offline · 3 saved on this device');
  await ben.close();
  await drag(ada, 'cake', 'Doing');
  await same([ada], 'To do: chairs, lights | Doing: cake | Done:');

  network.restore();
  const again = await ben.context().newPage();
  await again.goto(address);
  await told(again, 'Somebody else has moved “cake” to “Doing” meanwhile.');
  await same([ada, again], 'To do: lights, games | Doing: cake, chairs | Done:');
  await online(again);

  // Once, and not again.
  await again.reload();
  await same([ada, again], 'To do: lights, games | Doing: cake, chairs | Done:');
  await online(again);
});

test('a connection that swallows everything is given up for another', async ({
  person,
  network,
}) => {
  // As long as the client waits before it takes silence for a lost connection.
  test.setTimeout(120_000);
  const address = `/kanban/?session=${newSession()}`;
  const ada = await person(address);
  const ben = await person(address, { baseURL: network.origin });
  await addCards(ada, 'To do', 'cake');
  await same([ben], 'To do: cake | Doing: | Done:');

  network.blackHole();
  await drag(ben, 'cake', 'Done');
  await addCards(ada, 'To do', 'chairs');
  await expect(column(ada, 'Done')).toContainText('cake', { timeout: 90_000 });
  await online(ben);
  await same([ada, ben], 'To do: chairs | Doing: | Done: cake');
});

test('nobody overwrites what they have not seen', async ({ person }) => {
  const address = `/kanban/?session=${newSession()}`;
  const [ada, ben] = await Promise.all([person(address), person(address)]);
  await addCards(ada, 'To do', 'cake');
  await ben.getByRole('button', { name: 'Edit “cake”' }).click();
  await ben.getByLabel('Notes').fill('with nuts');

  await ada.getByRole('button', { name: 'Edit “cake”' }).click();
  await ada.getByLabel('Notes').fill('without nuts');
  await ada.getByRole('button', { name: 'Save' }).click();
  await online(ada);
  // Ben goes on writing while the card is moved under his hands.
  await drag(ada, 'cake', 'Done');
  await expect(column(ben, 'Done').getByLabel('Notes')).toHaveValue('with nuts');
  await expect(ben.getByLabel('Notes')).toBeFocused();

  await ben.keyboard.press('Control+Enter');
  await told(ben, 'Somebody else has edited “cake” meanwhile.');
  await expect(ben.getByLabel('Notes')).toHaveValue('with nuts');
  await expect(card(ada, 'cake')).toContainText('without nuts');
  await ben.getByRole('button', { name: 'Save' }).click();
  await expect(card(ada, 'cake')).toContainText('with nuts');
});

test('the text of a card that somebody removes is not lost', async ({ person }) => {
  const address = `/kanban/?session=${newSession()}`;
  const [ada, ben] = await Promise.all([person(address), person(address)]);
  await addCards(ada, 'To do', 'cake');
  await ben.getByRole('button', { name: 'Edit “cake”' }).click();
  await ben.getByLabel('Notes').fill('three layers');
  await ada.getByRole('button', { name: 'Edit “cake”' }).click();
  await ada.getByRole('button', { name: 'Remove the card' }).click();
  await same([ada], 'To do: | Doing: | Done:');

  await told(ben, 'Somebody else has removed the card that you were editing.');
  await ben.getByRole('button', { name: 'Keep my text' }).click();
  await expect(card(ada, 'cake')).toContainText('three layers');
});

test('columns are added, limited, moved and removed', async ({ person }) => {
  const address = `/kanban/?session=${newSession()}`;
  const [ada, ben] = await Promise.all([person(address), person(address)]);
  await ada.getByRole('button', { name: 'Add column' }).click();
  await ada.getByLabel('Title of the column').fill('Review');
  await ada.keyboard.press('Enter');
  await ada.keyboard.press('Escape');
  await same([ada, ben], 'To do: | Doing: | Done: | Review:');

  await ben.getByRole('button', { name: 'Settings of “Review”' }).click();
  await ben.getByRole('button', { name: 'Move left' }).click();
  await ben.getByLabel('Cards at a time, at most').fill('1');
  await ben.getByRole('button', { name: 'Save' }).click();
  await same([ada, ben], 'To do: | Doing: | Review: | Done:');
  await addCards(ada, 'Review', 'cake');
  await expect(column(ben, 'Review').locator('.count')).toHaveText('1/1');

  await ben.getByRole('button', { name: 'Settings of “Review”' }).click();
  await ben.getByRole('button', { name: 'Remove column' }).click();
  await told(ben, '“Review” still has a card. Move them first.');
  await ben.getByRole('button', { name: 'Settings of “Done”' }).click();
  await ben.getByRole('button', { name: 'Remove column' }).click();
  await same([ada, ben], 'To do: | Doing: | Review: cake');
});

test('what is done is taken back, and nothing that others did', async ({ person }) => {
  const address = `/kanban/?session=${newSession()}`;
  const [ada, ben] = await Promise.all([person(address), person(address)]);
  const undo = ada.getByRole('button', { name: 'Undo' });
  const redo = ada.getByRole('button', { name: 'Redo' });
  await expect(undo).toBeDisabled();
  await addCards(ada, 'To do', 'cake', 'chairs');
  await drag(ada, 'cake', 'Doing');
  await same([ada, ben], 'To do: chairs | Doing: cake | Done:');
  await addCards(ben, 'Done', 'music');
  await same([ada, ben], 'To do: chairs | Doing: cake | Done: music');

  // The field that she typed the cards into has an undo of its own.
  await ada.locator('h1').click();
  await ada.keyboard.press('Control+z');
  await same([ada, ben], 'To do: cake, chairs | Doing: | Done: music');
  await ada.keyboard.press('Control+z');
  await same([ada, ben], 'To do: cake | Doing: | Done: music');
  await ada.keyboard.press('Control+Shift+z');
  await redo.click();
  await same([ada, ben], 'To do: chairs | Doing: cake | Done: music');
  await expect(redo).toBeDisabled();

  // Somebody else has moved on what she would move back.
  await drag(ben, 'cake', 'Done');
  await same([ada, ben], 'To do: chairs | Doing: | Done: music, cake');
  await ada.keyboard.press('Control+z');
  await told(ada, 'Somebody else has moved “cake” to “Done” meanwhile.');
  await same([ada, ben], 'To do: chairs | Doing: | Done: music, cake');
});

test('cards move by keyboard', async ({ person }) => {
  const ada = await person(`/kanban/?session=${newSession()}`);
  await addCards(ada, 'To do', 'cake', 'chairs', 'lights');
  await ada.getByRole('button', { name: 'Move “cake”' }).focus();
  await ada.keyboard.press('Enter');
  await ada.keyboard.press('ArrowDown');
  await ada.keyboard.press('Enter');
  await same([ada], 'To do: chairs, cake, lights | Doing: | Done:');

  await ada.keyboard.press('Space');
  await ada.keyboard.press('ArrowRight');
  await ada.keyboard.press('ArrowRight');
  await expect(ada.locator('[role=status]', { hasText: 'Done, place 1 of 1.' })).toBeAttached();
  await ada.keyboard.press('Escape');
  await same([ada], 'To do: chairs, cake, lights | Doing: | Done:');
  await expect(ada.getByRole('button', { name: 'Move “cake”' })).toBeFocused();

  await ada.keyboard.press('Space');
  await ada.keyboard.press('ArrowRight');
  await ada.keyboard.press('Space');
  await same([ada], 'To do: chairs, lights | Doing: cake | Done:');
});

test('cards move by finger, on a phone', async ({ person }) => {
  const address = `/kanban/?session=${newSession()}`;
  const ada = await person(address, phone);
  await addCards(ada, 'To do', 'cake', 'chairs');
  await fits(ada);
  const touch = await ada.context().newCDPSession(ada);
  const finger = async (type: 'touchStart' | 'touchMove' | 'touchEnd', x?: number, y?: number) => {
    const touchPoints = x === undefined || y === undefined ? [] : [{ x, y }];
    await touch.send('Input.dispatchTouchEvent', { type, touchPoints });
  };
  const grip = (await ada.getByRole('button', { name: 'Move “cake”' }).boundingBox())!;
  const [x, y] = [grip.x + grip.width / 2, grip.y + grip.height / 2];

  await finger('touchStart', x, y);
  await finger('touchMove', x, y + 20);
  await finger('touchMove', x, y + 80);
  await finger('touchEnd');
  await same([ada], 'To do: chairs, cake | Doing: | Done:');

  // Held at the edge, the board scrolls until the next column is under the finger.
  const low = (await ada.getByRole('button', { name: 'Move “cake”' }).boundingBox())!;
  await finger('touchStart', x, low.y + 20);
  await finger('touchMove', 370, low.y + 10);
  await finger('touchMove', 385, low.y);
  await expect(column(ada, 'Doing')).toHaveAttribute('data-target', 'true');
  await finger('touchEnd');
  await expect.poll(() => shown(ada)).toMatch(/To do: chairs \| .*cake/);
});
