// @vitest-environment jsdom

import {
  Component,
  memo,
  startTransition,
  StrictMode,
  Suspense,
  use,
  useDeferredValue,
  useState,
  type ReactNode,
} from 'react';
import { createRoot, hydrateRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { act } from 'react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { Live } from '../../../../target/npm/document/create.js';
import {
  useLive,
  usePresence,
  useSelector,
  useStatus,
  type Source,
} from '../../../../target/npm/document/react.js';
import { shared } from '../../../../target/npm/document/shared.js';

declare global {
  var IS_REACT_ACT_ENVIRONMENT: boolean;
}
globalThis.IS_REACT_ACT_ENVIRONMENT = true;

type Status = Source<unknown>['status'];

/** A client without a server: a state that a test sets, shared as the real one is. */
class Store<S> implements Source<S> {
  state: S | undefined;
  status: Status = { connection: 'online', pending: 0, saved: true, kept: true, problem: null };
  readonly #listeners = new Set<() => void>();

  constructor(state?: S) {
    this.state = state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  set(next: S): void {
    this.state = shared(this.state, structuredClone(next));
    this.tell();
  }

  tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

let container: HTMLElement;
let root: Root;

beforeEach(() => {
  container = document.createElement('div');
  document.body.append(container);
  root = createRoot(container);
});

afterEach(async () => {
  await act(async () => root.unmount());
  container.remove();
});

const render = (node: ReactNode): Promise<void> => act(async () => root.render(node));

describe('useSelector', () => {
  interface Item {
    id: string;
    value: { text: string; done: boolean };
  }
  interface State {
    items: Item[];
    title: string;
  }

  test('of 10,000 components only those re-render whose value changed', async () => {
    const COUNT = 10_000;
    const item = (n: number, done = false): Item => ({
      id: `item-${n}`,
      value: { text: `text ${n}`, done },
    });
    const items = Array.from({ length: COUNT }, (_, n) => item(n));
    const store = new Store<State>({ items, title: 'a' });
    const rendered = new Map<string, number>();
    const count = (name: string): void => void rendered.set(name, (rendered.get(name) ?? 0) + 1);

    const Row = memo(function Row({ index }: { index: number }) {
      const value = useSelector(store, (state: State) => state.items[index]?.value);
      count(`row ${index}`);
      return <li>{`${value?.text} ${value?.done}`}</li>;
    });
    const Title = memo(function Title() {
      count('title');
      return <h1>{useSelector(store, (state: State) => state.title)}</h1>;
    });
    const indexes = items.map((_, index) => index);
    await render(
      <>
        <Title />
        {indexes.map((index) => (
          <Row key={index} index={index} />
        ))}
      </>,
    );
    expect(rendered.size).toBe(COUNT + 1);
    expect(container.querySelectorAll('li')).toHaveLength(COUNT);

    // One change: one component.
    rendered.clear();
    await act(async () => store.set({ items: items.with(4_711, item(4_711, true)), title: 'a' }));
    expect([...rendered]).toEqual([['row 4711', 1]]);
    expect(container.querySelectorAll('li')[4_711]!.textContent).toBe('text 4711 true');

    // A change of what nobody of them selected.
    rendered.clear();
    await act(async () => store.set({ ...store.state!, title: 'b' }));
    expect([...rendered]).toEqual([['title', 1]]);

    // News without a change.
    rendered.clear();
    await act(async () => store.set(store.state!));
    expect([...rendered]).toEqual([]);
  });

  test('before there is a state the value is undefined', async () => {
    const store = new Store<State>();
    const Title = (): ReactNode => useSelector(store, (state: State) => state.title) ?? 'none';
    await render(<Title />);
    expect(container.textContent).toBe('none');
    await act(async () => store.set({ items: [], title: 'there' }));
    expect(container.textContent).toBe('there');
  });

  test('a selector that makes new values needs an equal, and then re-renders no more', async () => {
    const store = new Store<State>({ items: [], title: 'a' });
    let rendered = 0;
    const seen = new Set<unknown>();
    const same = (one: string[], other: string[]): boolean => one.join() === other.join();
    const Words = (): ReactNode => {
      rendered += 1;
      const words = useSelector(store, (state: State) => state.title.split(' '), same);
      seen.add(words);
      return words?.join('+');
    };
    await render(<Words />);
    await act(async () => store.set({ items: [{ id: 'x', value: { text: '', done: true } }], title: 'a' }));
    expect(rendered).toBe(1);
    expect(seen.size).toBe(1);
    // Rendered for another reason, with a selector that is new: the same value.
    await render(<Words />);
    expect(rendered).toBe(2);
    expect(seen.size).toBe(1);
    await act(async () => store.set({ items: [], title: 'a b' }));
    expect(container.textContent).toBe('a+b');
  });

  test('another client and another selector are followed, and nobody is left behind', async () => {
    const [one, two] = [new Store({ a: 1, b: 2 }), new Store({ a: 3, b: 4 })];
    const Value = ({ store, name }: { store: typeof one; name: 'a' | 'b' }): ReactNode =>
      useSelector(store, (state: { a: number; b: number }) => state[name]);
    await render(<Value store={one} name="a" />);
    expect(container.textContent).toBe('1');
    await render(<Value store={one} name="b" />);
    expect(container.textContent).toBe('2');
    await render(<Value store={two} name="b" />);
    expect(container.textContent).toBe('4');
    expect([one.listeners, two.listeners]).toEqual([0, 1]);
    await act(async () => two.set({ a: 3, b: 5 }));
    expect(container.textContent).toBe('5');
    await render(null);
    expect([one.listeners, two.listeners]).toEqual([0, 0]);
  });

  test('under StrictMode it shows the same and subscribes once', async () => {
    const store = new Store({ n: 1 });
    const Value = (): ReactNode => useSelector(store, (state: { n: number }) => state.n);
    await render(
      <StrictMode>
        <Value />
      </StrictMode>,
    );
    await act(async () => store.set({ n: 2 }));
    expect(container.textContent).toBe('2');
    expect(store.listeners).toBe(1);
  });

  test('in concurrent rendering no two components show two states', async () => {
    const store = new Store({ n: 0 });
    const torn: string[] = [];
    let release: (value: null) => void = () => {};
    const Value = ({ gate }: { gate: Promise<null> | null }): ReactNode => {
      if (gate !== null) use(gate);
      return <b>{useSelector(store, (state: { n: number }) => state.n)}</b>;
    };
    let open: (gate: Promise<null> | null) => void = () => {};
    function App(): ReactNode {
      const [gate, setGate] = useState<Promise<null> | null>(null);
      open = setGate;
      const deferred = useDeferredValue(gate);
      return (
        <Suspense fallback="wait">
          <Value gate={null} />
          <Value gate={deferred} />
          <Value gate={null} />
        </Suspense>
      );
    }
    const look = (): void => {
      const shown = new Set([...container.querySelectorAll('b')].map((b) => b.textContent));
      if (shown.size > 1) torn.push([...shown].join(' and '));
    };
    const observer = new MutationObserver(look);
    observer.observe(container, { childList: true, subtree: true, characterData: true });
    await render(<App />);
    for (let round = 1; round <= 20; round += 1) {
      // A rendering begins, is suspended half-way, and the state changes below it.
      const gate = new Promise<null>((resolve) => (release = resolve));
      await act(async () => startTransition(() => open(gate)));
      await act(async () => store.set({ n: 2 * round }));
      look();
      await act(async () => {
        release(null);
        store.set({ n: 2 * round + 1 });
      });
      look();
      expect(container.textContent).toBe(String(2 * round + 1).repeat(3));
    }
    observer.disconnect();
    expect(torn).toEqual([]);
  });

  test('an error of a selector is the component\'s', async () => {
    const store = new Store({ n: 0 });
    class Boundary extends Component<{ children: ReactNode }, { text: string | null }> {
      override state = { text: null };
      static getDerivedStateFromError(error: Error): { text: string } {
        return { text: error.message };
      }
      override render(): ReactNode {
        return this.state.text ?? this.props.children;
      }
    }
    const Value = (): ReactNode =>
      useSelector(store, (state: { n: number }) => {
        if (state.n > 0) throw new Error('too much');
        return state.n;
      });
    const silent = vi.spyOn(console, 'error').mockImplementation(() => {});
    await render(
      <Boundary>
        <Value />
      </Boundary>,
    );
    await act(async () => store.set({ n: 1 }));
    expect(container.textContent).toBe('too much');
    silent.mockRestore();
  });

  test('a page that was rendered on a server comes alive without a complaint', async () => {
    const store = new Store({ n: 7 });
    const Value = (): ReactNode => (
      <p>{`${useSelector(store, (state: { n: number }) => state.n) ?? 'loading'} ${useStatus(store).connection}`}</p>
    );
    const html = renderToString(<Value />);
    expect(html).toBe('<p>loading connecting</p>');
    const page = document.createElement('div');
    page.innerHTML = html;
    const complaints: unknown[] = [];
    let hydrated!: Root;
    await act(async () => {
      hydrated = hydrateRoot(page, <Value />, { onRecoverableError: (e) => complaints.push(e) });
    });
    expect(page.textContent).toBe('7 online');
    expect(complaints).toEqual([]);
    await act(async () => hydrated.unmount());
  });
});

test('useStatus follows the status', async () => {
  const store = new Store({ n: 0 });
  const Shown = (): ReactNode => useStatus(store).connection;
  await render(<Shown />);
  expect(container.textContent).toBe('online');
  await act(async () => {
    store.status = { ...store.status, connection: 'offline' };
    store.tell();
  });
  expect(container.textContent).toBe('offline');
});

describe('usePresence', () => {
  interface Cursor {
    x: number;
  }

  class Room {
    presence: ReadonlyMap<number, Cursor> = new Map();
    readonly #listeners = new Set<() => void>();

    subscribePresence(listener: () => void): () => void {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    }

    get listeners(): number {
      return this.#listeners.size;
    }

    show(presence: [number, Cursor][]): void {
      this.presence = new Map(presence);
      for (const listener of [...this.#listeners]) listener();
    }
  }

  test('it renders what the others show, and only those cursors that moved', async () => {
    const room = new Room();
    const rendered: number[] = [];
    const One = memo(function One({ client, cursor }: { client: number; cursor: Cursor }) {
      rendered.push(client);
      return <i>{`${client} at ${cursor.x} `}</i>;
    });
    function Cursors() {
      return [...usePresence(room)].map(([client, cursor]) => (
        <One key={client} client={client} cursor={cursor} />
      ));
    }
    await render(<Cursors />);
    expect(container.textContent).toBe('');
    const still = { x: 1 };
    await act(async () => room.show([[3, still], [4, { x: 2 }]]));
    expect(container.textContent).toBe('3 at 1 4 at 2 ');
    await act(async () => room.show([[3, still], [4, { x: 5 }]]));
    expect(container.textContent).toBe('3 at 1 4 at 5 ');
    expect(rendered).toEqual([3, 4, 4]);
    await act(async () => room.show([]));
    expect(container.textContent).toBe('');
    await render(null);
    expect(room.listeners).toBe(0);
  });

  test('under StrictMode it subscribes once, and on a server nobody is there', async () => {
    const room = new Room();
    room.show([[3, { x: 1 }]]);
    function Count() {
      return usePresence(room).size;
    }
    expect(renderToString(<Count />)).toBe('0');
    await render(
      <StrictMode>
        <Count />
      </StrictMode>,
    );
    expect(container.textContent).toBe('1');
    expect(room.listeners).toBe(1);
  });
});

describe('useClient', () => {
  /** What `useLive` needs of a client, and what became of it. */
  class Fake extends Store<unknown> {
    opened = 0;
    closed = 0;
    constructor(readonly url: string) {
      super();
    }
    open(): void {
      this.opened += 1;
    }
    close(): void {
      this.closed += 1;
    }
  }

  const made: Fake[] = [];
  const make = (options: { url: string | URL }): Live<unknown> => {
    const client = new Fake(String(options.url));
    made.push(client);
    return client as unknown as Live<unknown>;
  };
  const User = ({ url }: { url: string }): ReactNode =>
    (useLive({ url, session: 's' }, make) as unknown as Fake).url;
  const used = (): Fake[] => made.filter((client) => client.opened > 0);
  const later = (): Promise<void> => act(() => new Promise<void>((resolve) => setTimeout(resolve)));

  beforeEach(() => void made.splice(0));

  test('opens one client and closes it with the component', async () => {
    await render(<User url="one" />);
    await render(<User url="one" />);
    expect(made).toHaveLength(1);
    expect(used().map(({ opened, closed }) => [opened, closed])).toEqual([[1, 0]]);
    await render(null);
    await later();
    expect(used().map(({ closed }) => closed)).toEqual([1]);
  });

  test('another address is another client', async () => {
    await render(<User url="one" />);
    await render(<User url="two" />);
    expect(container.textContent).toBe('two');
    await later();
    expect(used().map(({ url, closed }) => [url, closed])).toEqual([
      ['one', 1],
      ['two', 0],
    ]);
  });

  test('under StrictMode the one client that is used stays', async () => {
    const app = (
      <StrictMode>
        <User url="one" />
      </StrictMode>
    );
    await render(app);
    await later();
    expect(used()).toHaveLength(1);
    expect(used()[0]!.closed).toBe(0);
    await render(null);
    await later();
    expect(used()[0]!.closed).toBe(1);
  });

  test('on a server nothing is opened', () => {
    expect(renderToString(<User url="one" />)).toBe('one');
    expect(used()).toEqual([]);
  });
});
