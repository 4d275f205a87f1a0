// @vitest-environment jsdom

import { flushSync, mount, unmount } from 'svelte';
import { afterEach, expect, test } from 'vitest';

import { usePresence, useSelector, useStatus } from '../../../../target/npm/document/svelte.js';
import BoardComponent from './Board.svelte';
import { Fake, type Board } from './fake.js';

afterEach(() => document.body.replaceChildren());

/** Shows a board; what it told at each change of what it has selected. */
function show(client: Fake<Board>) {
  const shown: string[] = [];
  const props = { client, shown: (what: string) => void shown.push(what) };
  const component = mount(BoardComponent, { target: document.body, props });
  flushSync();
  return { component, shown };
}

test('a component shows what there is, and what it becomes', () => {
  const client = new Fake<Board>();
  show(client);
  expect(document.body.textContent).toBe(': , online');
  client.set({ title: 'Home', todos: ['milk', 'tea'] });
  client.setStatus({ connection: 'offline' });
  flushSync();
  expect(document.body.textContent).toBe('Home: milk, offline');
});

test('it hears only of what it has selected', () => {
  const client = new Fake<Board>({ title: 'Home', todos: ['milk'] });
  const { shown } = show(client);
  client.set({ title: 'Home', todos: ['milk', 'tea'] });
  flushSync();
  expect(shown).toEqual(['milk']);
  client.set({ title: 'Home', todos: ['milk', 'bread'] });
  flushSync();
  expect(shown).toEqual(['milk', 'milk,bread']);
});

test('the client is opened with the component and closed with it, and nobody listens on', async () => {
  const client = new Fake<Board>({ title: 'Home', todos: [] });
  const { component } = show(client);
  expect([client.opened, client.closed]).toEqual([1, 0]);
  expect(client.listeners).toBeGreaterThan(0);
  await unmount(component);
  expect([client.opened, client.closed]).toEqual([1, 1]);
  expect(client.listeners).toBe(0);
});

test('a store says at once what there is, to each who subscribes, until they have enough', () => {
  const client = new Fake<Board>({ title: 'Home', todos: [] });
  const heard: unknown[] = [];
  const stop = useSelector(client, (board) => board.title).subscribe((title) => heard.push(title));
  const end = useStatus(client).subscribe(({ saved }) => heard.push(saved));
  client.set({ title: 'Work', todos: [] });
  client.setStatus({ saved: false });
  expect(heard).toEqual(['Home', true, 'Work', false]);
  stop();
  end();
  client.set({ title: 'Nowhere', todos: [] });
  expect(heard).toHaveLength(4);
  expect(client.listeners).toBe(0);
});

test('what others show is a store of its own', () => {
  const client = new Fake<Board>({ title: 'Home', todos: [] });
  const heard: string[] = [];
  const names = (presence: ReadonlyMap<number, string>) => [...presence.values()].join();
  const stop = usePresence(client).subscribe((presence) => heard.push(names(presence)));
  client.show([
    [3, 'Ada'],
    [4, 'Ben'],
  ]);
  client.set({ title: 'Work', todos: [] });
  client.show([[4, 'Ben']]);
  expect(heard).toEqual(['', 'Ada,Ben', 'Ben']);
  stop();
  client.show([]);
  expect(heard).toHaveLength(3);
  expect(client.listeners).toBe(0);
});
