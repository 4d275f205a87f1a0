/**
 * What crosses from the module into JavaScript when a state changes: a derived
 * machine, in the module of `aper-client-wasm/tests/front-end`.
 */

import { fileURLToPath } from 'node:url';

import { expect, test as base, type Page } from '@playwright/test';

import type * as Patching from '../../../target/npm/counter/patch.js';

const TARGET = new URL('../../../target/', import.meta.url);

interface Shown {
  changes(): Patching.Patch | undefined;
  whole(): any;
  join(whole: string): void;
  change(kind: number, at: number, to: number): boolean;
}

declare global {
  /** In the page. */
  var Shown: new (count: number) => Shown;
  var patched: typeof Patching.patched;
  /** Calls out of the module, and characters that it has had read as JSON. */
  var crossed: { calls: number; characters: number };
}

const test = base.extend<{ desk: Page }>({
  desk: async ({ page }, use) => {
    await page.route('**/{front-end,npm}/**', (route) => {
      const file = new URL(route.request().url()).pathname.slice(1);
      return route.fulfill({ path: fileURLToPath(new URL(file, TARGET)) });
    });
    await page.goto('/healthz');
    await page.evaluate(
      async ([module, patch]) => {
        globalThis.crossed = { calls: 0, characters: 0 };
        const parse = JSON.parse;
        JSON.parse = (text: string) => {
          crossed.characters += text.length;
          return parse(text);
        };
        const instantiate = WebAssembly.instantiateStreaming;
        WebAssembly.instantiateStreaming = (source, imports) => {
          for (const functions of Object.values(imports!)) {
            for (const [name, call] of Object.entries(functions)) {
              if (typeof call === 'function') {
                functions[name] = (...given: unknown[]) => {
                  crossed.calls += 1;
                  return call(...given);
                };
              }
            }
          }
          return instantiate(source, imports);
        };
        const rust = await import(module);
        await rust.default();
        globalThis.Shown = rust.Shown;
        globalThis.patched = (await import(patch)).patched;
      },
      ['/front-end/machine.js', '/npm/counter/patch.js'] as const,
    );
    await use(page);
  },
});

test('what crosses is what changed, whatever there is beside it', async ({ desk }) => {
  const crossings = await desk.evaluate(() =>
    [100, 1_000, 10_000].map((count) => {
      const desk = new Shown(count);
      let state = patched(undefined, desk.changes()!);
      const each: number[] = [];
      // Kinds of change that this desk allows there.
      for (const [kind, to] of [[0, 3], [2, 3], [3, 3], [4, 3], [6, 0], [10, 0], [12, 7]] as const) {
        const at = kind === 10 ? 71 : 50;
        if (kind === 4) {
          desk.change(1, at, 49);
          state = patched(state, desk.changes()!);
        }
        crossed.calls = crossed.characters = 0;
        if (!desk.change(kind, at, to)) throw new Error(`refused: ${kind}`);
        state = patched(state, desk.changes()!);
        each.push(crossed.calls, crossed.characters);
      }
      return each;
    }),
  );
  // By the kind: the same calls, and the same text, for every size.
  expect(crossings[1]).toEqual(crossings[0]);
  expect(crossings[2]).toEqual(crossings[0]);
  expect(Math.max(...crossings[0]!.filter((_, i) => i % 2 === 0))).toBe(1);
  expect(Math.max(...crossings[0]!.filter((_, i) => i % 2 === 1))).toBeLessThan(200);
});

test('what did not change is identical', async ({ desk }) => {
  const same = await desk.evaluate(() => {
    const desk = new Shown(10_000);
    const before = patched(undefined, desk.changes()!) as any;
    desk.change(0, 4_711, 1);
    const after = patched(before, desk.changes()!) as any;
    const others = after.cardList.filter((card: unknown, i: number) => card !== before.cardList[i]);
    desk.change(2, 4_711, 9_999);
    const moved = patched(after, desk.changes()!) as any;
    desk.change(0, 4_711, 1);
    return {
      others: others.length,
      text: after.cardList[4_711].value.text,
      labels: after.cardList[4_711].value.labels === before.cardList[4_711].value.labels,
      rest: ['visits', 'seats', 'tags', 'board', 'title'].map((part) => after[part] === before[part]),
      moved: moved.cardList[9_999] === after.cardList[4_711],
      nothing: desk.changes() === undefined,
    };
  });
  expect(same).toEqual({
    others: 1,
    text: '1',
    labels: true,
    rest: [true, true, true, true, true],
    moved: true,
    nothing: true,
  });
});

test('any changes come to what the state is', async ({ desk }) => {
  const wrong = await desk.evaluate(() => {
    let seed = 7;
    const below = (end: number): number => (seed = (seed * 48_271) % 2_147_483_647) % end;
    const sorted = (value: unknown): string => JSON.stringify(value);
    for (const size of [3, 40, 200]) {
      const desk = new Shown(size);
      let state = patched(undefined, desk.changes()!);
      for (let round = 0; round < 400; round += 1) {
        for (let edits = below(6); edits >= 0; edits -= 1) {
          desk.change(below(13), below(size + 5), below(size));
        }
        if (round % 50 === 49) {
          desk.join(JSON.stringify(desk.whole()));
        }
        const patch = desk.changes();
        state = patch === undefined ? state : patched(state, patch);
        if (sorted(state) !== sorted(desk.whole())) {
          return { size, round, patch: JSON.stringify(patch) };
        }
      }
    }
    return undefined;
  });
  expect(wrong).toBeUndefined();
});

test('a client’s state keeps what others did not touch', async ({ desk }) => {
  const cards = await desk.evaluate(async (module) => {
    const { connect } = await import(module);
    const session = `/kanban/patch-${crypto.randomUUID()}`;
    const [ada, bob] = [await connect(session), await connect(session)];
    const [todo, , done] = [1, 2, 3].map((n) => `00000000-0000-0000-0000-00000000000${n}`);
    const ids = Array.from({ length: 300 }, () => crypto.randomUUID());
    const submit = async (transition: unknown): Promise<void> => {
      const { ok } = await ada.submit(transition);
      if (ok !== true) throw new Error('refused');
      await new Promise<void>((seen) => {
        const look = (): void => {
          // What Ada did, Bob has heard of.
          if (JSON.stringify(bob.state) === JSON.stringify(ada.state)) seen();
        };
        bob.subscribe(look);
        look();
      });
    };
    await Promise.all(ids.slice(1).map((id) => ada.submit({ addCard: { id, column: todo, title: id } })));
    await submit({ addCard: { id: ids[0], column: todo, title: 'first' } });
    const before = bob.state;
    await submit({ moveCard: { id: ids[150], from: todo, to: done, before: null } });
    const after = bob.state;
    ada.close();
    bob.close();
    const known = new Set(before.cards);
    return {
      count: after.cards.length,
      others: after.cards.filter((card: unknown) => !known.has(card)).map((card: any) => card.id === ids[150]),
      columns: after.columns === before.columns,
    };
  }, '/npm/kanban/index.js');
  expect(cards).toEqual({ count: 300, others: [true], columns: true });
});
