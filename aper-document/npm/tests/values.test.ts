import { afterEach, expect, test, vi } from 'vitest';

import { counter, list, newId } from '../../../target/npm/document/document.js';
import { tagged } from '../../../target/npm/document/values.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

afterEach(() => vi.unstubAllGlobals());

test('a value says of which kind it is', () => {
  expect(tagged(1)).toEqual({ json: 1 });
  expect(tagged(null)).toEqual({ json: null });
  expect(tagged([1, { a: [2] }])).toEqual({ json: [1, { a: [2] }] });
  expect(tagged({ a: 1, b: { c: 'x' } })).toEqual({
    object: { a: { json: 1 }, b: { object: { c: { json: 'x' } } } },
  });
  expect(tagged(counter(3))).toEqual({ counter: 3 });
  expect(tagged(list())).toEqual({ list: [] });
  expect(tagged(list.from([{ id: 'x', value: { n: counter() } }]))).toEqual({
    list: [{ id: 'x', value: { object: { n: { counter: 0 } } } }],
  });
});

test('items of a new list have ids of their own', () => {
  const { list: items } = tagged(list(['a', 'b', 'b'])) as { list: { id: string; value: object }[] };
  expect(items.map(({ value }) => value)).toEqual([{ json: 'a' }, { json: 'b' }, { json: 'b' }]);
  expect(new Set(items.map(({ id }) => id)).size).toBe(3);
  for (const { id } of items) expect(id).toMatch(UUID);
});

test('undefined is left out, as JSON does', () => {
  expect(tagged({ a: undefined, b: [{ c: undefined }] })).toEqual({ object: { b: { json: [{}] } } });
});

test('data that looks like a kind is data', () => {
  expect(tagged({ counter: 1, list: [] })).toEqual({
    object: { counter: { json: 1 }, list: { json: [] } },
  });
  const hostile = JSON.parse('{"__proto__":{"admin":true},"constructor":1}');
  const value = tagged(hostile) as { object: object };
  expect(JSON.stringify(value)).toBe(
    '{"object":{"__proto__":{"object":{"admin":{"json":true}}},"constructor":{"json":1}}}',
  );
  expect(Object.getPrototypeOf(value.object)).toBe(Object.prototype);
  const inside = tagged([hostile]) as { json: object[] };
  expect(JSON.stringify(inside)).toBe('{"json":[{"__proto__":{"admin":true},"constructor":1}]}');
  expect(({} as { admin?: boolean }).admin).toBeUndefined();
});

test('a plain array holds neither lists nor counters', () => {
  expect(() => tagged([counter()])).toThrow(TypeError);
  expect(() => tagged({ a: [{ b: list() }] })).toThrow(TypeError);
});

test('ids are random also where there is no randomUUID', () => {
  expect(newId()).toMatch(UUID);
  const { crypto } = globalThis;
  vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
  const ids = Array.from({ length: 100 }, newId);
  for (const id of ids) expect(id).toMatch(UUID);
  expect(new Set(ids).size).toBe(100);
});
