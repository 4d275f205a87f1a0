import { describe, expect, test } from 'vitest';

import { shared } from '../../../../target/npm/document/shared.js';

/** `next` as it comes from the machine: nobody else's, and JSON. */
function after<T>(last: unknown, next: T): T {
  const fresh = JSON.parse(JSON.stringify(next)) as T;
  const result = shared(last, fresh);
  expect(result).toEqual(next);
  return result;
}

describe('what did not change is identical', () => {
  const last = {
    title: 'a',
    nested: { deep: { list: [1, 2] }, other: null },
    items: [
      { id: 'x', value: { n: 1 } },
      { id: 'y', value: { n: 2 } },
      { id: 'z', value: { n: 3 } },
    ],
    pairs: [
      ['k', { n: 1 }],
      ['l', { n: 2 }],
    ],
  };

  test('all of it', () => {
    expect(after(last, last)).toBe(last);
  });

  test('what is beside a change, and nothing above it', () => {
    const next = after(last, { ...last, nested: { ...last.nested, deep: { list: [1, 3] } } });
    expect(next).not.toBe(last);
    expect(next.nested).not.toBe(last.nested);
    expect(next.items).toBe(last.items);
    expect(next.pairs).toBe(last.pairs);
  });

  test('items that are found elsewhere, by id or by key', () => {
    const [x, y, z] = last.items;
    const [k, l] = last.pairs;
    const moved = after(last, { ...last, items: [z, x], pairs: [l, k] });
    expect(moved.items[0]).toBe(z);
    expect(moved.items[1]).toBe(x);
    expect(moved.pairs[0]).toBe(l);
    const inserted = after(last, { ...last, items: [{ id: 'w', value: { n: 0 } }, x, y, z] });
    expect(inserted.items.slice(1)).toEqual(last.items);
    for (const [index, item] of last.items.entries()) {
      expect(inserted.items[index + 1]).toBe(item);
    }
    expect(inserted.nested).toBe(last.nested);
  });

  test('the last state is not written to', () => {
    const before = JSON.stringify(last);
    after(last, { ...last, items: [last.items[2]!, { id: 'x', value: { n: 9 } }] });
    expect(JSON.stringify(last)).toBe(before);
  });
});

test('what is of another kind, or missing, is another', () => {
  for (const [last, next] of [
    [{ a: 1 }, { b: 1 }],
    [{ a: 1, b: 2 }, { a: 1 }],
    [{ a: 1 }, { a: 1, b: 2 }],
    [[1], { 0: 1 }],
    [{ 0: 1 }, [1]],
    [[1, 2], [1]],
    [[1], [1, 2]],
    [null, {}],
    [{}, null],
    [{ a: [] }, { a: {} }],
    [undefined, { a: 1 }],
  ]) {
    expect(after(last, next)).not.toBe(last);
  }
});

test('keys that mean something in JavaScript mean nothing here', () => {
  const last = JSON.parse('{"__proto__":{"a":{"n":1},"b":2},"constructor":{"c":1}}');
  const fresh = JSON.parse('{"__proto__":{"a":{"n":1},"b":3},"constructor":{"c":1}}');
  const next = shared(last, fresh);
  expect(JSON.stringify(next)).toBe('{"__proto__":{"a":{"n":1},"b":3},"constructor":{"c":1}}');
  expect(Object.getPrototypeOf(next)).toBe(Object.prototype);
  expect(Object.hasOwn(next, '__proto__')).toBe(true);
  const part = (value: object): Record<string, unknown> =>
    Object.getOwnPropertyDescriptor(value, '__proto__')!.value;
  expect(part(next)['a']).toBe(part(last)['a']);
  expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  // Not its own property, and so none.
  expect(shared({}, JSON.parse('{"toString":1}'))).toEqual({ toString: 1 });
});
