// @vitest-environment jsdom

import { afterEach, expect, test } from 'vitest';
import { createApp, createSSRApp, defineComponent, h, nextTick, type App } from 'vue';
import { renderToString } from 'vue/server-renderer';

import { useLive, usePresence, useSelector, useStatus } from '../../../../target/npm/document/vue.js';
import { Fake, type Board } from './fake.js';

let app: App | undefined;

afterEach(() => {
  app?.unmount();
  document.body.replaceChildren();
});

/** A component that shows a board, and counts how often it does. */
function board(client: Fake<Board>, equal?: (one: string[], other: string[]) => boolean) {
  const rendered = { times: 0 };
  const component = defineComponent(() => {
    useLive(client);
    const title = useSelector(client, (board) => board.title);
    const long = (board: Board): string[] => board.todos.filter((todo) => todo.length > 3);
    const todos = useSelector(client, long, equal);
    const status = useStatus(client);
    return () => {
      rendered.times += 1;
      return h('p', `${title.value}: ${todos.value}, ${status.value.connection}`);
    };
  });
  return { component, rendered };
}

function mount(component: ReturnType<typeof board>['component']): HTMLElement {
  const element = document.createElement('main');
  document.body.append(element);
  app = createApp(component);
  app.mount(element);
  return element;
}

test('a component shows what there is, and what it becomes', async () => {
  const client = new Fake<Board>();
  const { component } = board(client);
  const element = mount(component);
  expect(element.textContent).toBe('undefined: undefined, online');
  client.set({ title: 'Home', todos: ['milk', 'tea'] });
  client.setStatus({ connection: 'offline' });
  await nextTick();
  expect(element.textContent).toBe('Home: milk, offline');
});

test('it is rendered again only for what it has selected', async () => {
  const client = new Fake<Board>({ title: 'Home', todos: ['milk'] });
  const equal = (one: string[], other: string[]) => one.join() === other.join();
  const { component, rendered } = board(client, equal);
  mount(component);
  expect(rendered.times).toBe(1);
  client.set({ title: 'Home', todos: ['milk', 'tea'] });
  await nextTick();
  expect(rendered.times).toBe(1);
  client.set({ title: 'Home', todos: ['milk', 'bread'] });
  await nextTick();
  expect(rendered.times).toBe(2);
});

test('the client is opened with the component and closed with it, and nobody listens on', () => {
  const client = new Fake<Board>({ title: 'Home', todos: [] });
  mount(board(client).component);
  expect([client.opened, client.closed]).toEqual([1, 0]);
  expect(client.listeners).toBeGreaterThan(0);
  app?.unmount();
  app = undefined;
  expect([client.opened, client.closed]).toEqual([1, 1]);
  expect(client.listeners).toBe(0);
});

test('a page that is rendered on a server opens nothing', async () => {
  const client = new Fake<Board>();
  const html = await renderToString(createSSRApp(board(client).component));
  expect(html).toContain('undefined');
  expect(client.opened).toBe(0);
});

test('a component shows what others show, and is rendered again for that alone', async () => {
  const client = new Fake<Board>({ title: 'Home', todos: [] });
  let rendered = 0;
  const component = defineComponent(() => {
    useLive(client);
    const presence = usePresence(client);
    return () => {
      rendered += 1;
      return h('p', [...presence.value.values()].join());
    };
  });
  const element = mount(component);
  client.show([
    [3, 'Ada'],
    [4, 'Ben'],
  ]);
  await nextTick();
  expect(element.textContent).toBe('Ada,Ben');
  client.set({ title: 'Work', todos: [] });
  await nextTick();
  expect(rendered).toBe(2);
  app?.unmount();
  app = undefined;
  expect(client.listeners).toBe(0);
});
