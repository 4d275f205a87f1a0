import { describe, expect, test } from 'vitest';

import { patched, type Patch } from '../../../../target/npm/document/patch.js';

/** As the module's comes: text, and nobody else's. */
function after(last: unknown, patch: Patch): any {
  const before = JSON.stringify(last);
  const next = patched(last, JSON.parse(JSON.stringify(patch)) as Patch);
  expect(JSON.stringify(last)).toBe(before);
  return next;
}

const item = (id: string, text = 'a') => ({ id, value: { text, tags: [1, 2] } });

describe('what is not spoken of is identical', () => {
  test('if nothing is', () => {
    const last = { a: [1] };
    expect(after(last, 0)).toBe(last);
    expect(after(last, [2, 'a', 0])).toBe(last);
    expect(after(last, [1, { a: [1] }])).toBe(last);
  });

  test('beside a field', () => {
    const last = { a: { b: [1], c: { d: 1 } }, e: [1] };
    const next = after(last, [2, 'a', [2, 'c', [2, 'd', [1, 2]]]]);
    expect(next).toEqual({ a: { b: [1], c: { d: 2 } }, e: [1] });
    expect([next.e, next.a.b]).toEqual([last.e, last.a.b]);
    expect(next.e).toBe(last.e);
    expect(next.a.b).toBe(last.a.b);
  });

  test('in a list', () => {
    const last = ['x', 'y', 'z'].map((id) => item(id));
    const next = after(last, [3, 3, 'y', [2, 'text', [1, 'b']]]);
    expect(next).toEqual([item('x'), item('y', 'b'), item('z')]);
    expect([next[0], next[2]].every((part, i) => part === last[i * 2])).toBe(true);
    expect(next[1].value.tags).toBe(last[1]!.value.tags);
    expect(after(last, [3, 3, 'y', [2, 'text', [1, 'a']]])).toBe(last);
  });

  test('of what moved', () => {
    const last = ['x', 'y', 'z'].map((id) => item(id));
    const next = after(last, [3, 0, 'x', 1, 'z', 2, 'x', 0, 2, 'n', [1, item('n').value]]);
    expect(next).toEqual([item('y'), item('z'), item('x'), item('n')]);
    expect(next[2]).toBe(last[0]);
    expect(after(last, [3, 0, 'y', 1, 'x', 2, 'y', 0])).toBe(last);
  });

  test('in a sequence by index, wherever an element has gone', () => {
    const last = ['x', 'y', 'z'].map((id) => ({ id, text: 'a', tags: [1] }));
    const moved = [{ id: 'x', text: 'a', tags: [1] }, { id: 'n', text: 'n', tags: [] }];
    const next = after(last, [6, 0, 1, [], 3, 0, moved]);
    expect(next.map(({ id }: { id: string }) => id)).toEqual(['y', 'z', 'x', 'n']);
    expect(next[2]).toBe(last[0]);
    const edited = after(last, [6, 1, 1, [{ id: 'y', text: 'b', tags: [1] }]]);
    expect(edited[1].tags).toBe(last[1]!.tags);
    expect(edited[0]).toBe(last[0]);
  });
});

test('an element in the place of one that is gone', () => {
  expect(after([1, 3, 5], [5, 0, 3, 1, 1, 2, 4, 0])).toEqual([1, 4, 5]);
  expect(after([1, 3], [5, 0, 1, 4, 2, 0, 0])).toEqual([0, 3]);
});

test('keys of every kind', () => {
  const last = [[[1, 2], 'a'], [[1, 3], 'b'], [null, 'c']];
  expect(after(last, [4, 3, [1, 3], [1, 'd'], 3, null, [1, 'e']])).toEqual([
    [[1, 2], 'a'],
    [[1, 3], 'd'],
    [null, 'e'],
  ]);
  expect(after([], [5, 4, 2, '__proto__', 0])).toEqual(['__proto__']);
  expect(after([[1, 'number'], ['1', 'text']], [4, 3, '1', [1, 't']])).toEqual([[1, 'number'], ['1', 't']]);
});

test('more than an argument list can take', () => {
  const numbers = Array.from({ length: 200_000 }, (_, number) => number);
  const none = numbers.flatMap((number) => [2, number, 0]);
  const all = after([], [5, 4, ...none]);
  expect(all).toEqual(numbers);
  const few = numbers.filter((number) => number % 100 !== 1);
  const gone = numbers.filter((number) => number % 100 === 1);
  expect(after(all, [5, ...gone.flatMap((number) => [0, number])])).toEqual(few);
});

/** Against the obvious way, with what the module would say. */
test('any edits, one after another', () => {
  let seed = 1;
  const below = (end: number): number => (seed = (seed * 48_271) % 2_147_483_647) % end;
  let model: number[] = Array.from({ length: 300 }, (_, number) => number);
  let state: unknown = [...model];
  for (let round = 0; round < 500; round += 1) {
    const gone = new Set(Array.from({ length: below(4) }, () => model[below(model.length)]));
    const stay = model.filter((number) => !gone.has(number));
    const patch: unknown[] = [5, ...[...gone].flatMap((number) => [0, number])];
    const next: number[] = [];
    const places = new Set(Array.from({ length: below(3) }, () => below(stay.length + 1)));
    stay.forEach((number, index) => {
      if (places.has(index)) {
        patch.push(...(index === 0 ? [4] : [1, stay[index - 1]]));
        for (let count = below(3) + 1; count > 0; count -= 1) {
          const placed = 1000 * (round + 1) + index * 3 + count;
          patch.push(2, placed, 0);
          next.push(placed);
        }
      }
      next.push(number);
    });
    model = next;
    state = after(state, patch as unknown as Patch);
    expect(state).toEqual(model);
  }
});
