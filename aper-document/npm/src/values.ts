import type { Counter, Input, Item, List } from './shape.js';
import type { Value } from './types.js';

/** A new id for an item. */
export function newId(): string {
  const { crypto } = globalThis;
  // A page that did not come by HTTPS has no randomUUID.
  if (typeof crypto.randomUUID === 'function') {
    return crypto.randomUUID();
  }
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

class NewList {
  constructor(readonly items: readonly Item<unknown>[]) {}
}

class NewCounter {
  constructor(readonly value: number) {}
}

/**
 * A list, to be put into a document: of these values, each with a new id, or of
 * `{ id, value }` as the state shows them, if it is made `from` items.
 */
export function list<T>(values: Iterable<Input<T>> = []): List<T> {
  return list.from<T>(Array.from(values, (value) => ({ id: newId(), value })));
}

list.from = <T>(items: Iterable<Item<Input<T>>>): List<T> =>
  new NewList([...items]) as unknown as List<T>;

/** A counter, to be put into a document. */
export function counter(value = 0): Counter {
  return new NewCounter(value) as unknown as Counter;
}

/**
 * A value with its kind, as a transition carries it: data of a user's can look
 * like anything, and be taken for nothing else than what it is. Properties that
 * are undefined are left out, as JSON does.
 */
export function tagged(value: unknown): Value {
  if (value instanceof NewList) {
    return { list: value.items.map(({ id, value }) => ({ id, value: tagged(value) })) };
  }
  if (value instanceof NewCounter) {
    return { counter: value.value };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { json: plain(value) };
  }
  const entries = Object.entries(value).filter(([, value]) => value !== undefined);
  return { object: Object.fromEntries(entries.map(([key, value]) => [key, tagged(value)])) };
}

type Plain = Extract<Value, { json: unknown }>['json'];

/** Inside of a plain array nothing is anything but JSON. */
function plain(value: unknown): Plain {
  if (value instanceof NewList || value instanceof NewCounter) {
    throw new TypeError('a plain array is a whole: it holds neither lists nor counters');
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, value]) => value !== undefined);
    return Object.fromEntries(entries.map(([key, value]) => [key, plain(value)]));
  }
  return value as Plain;
}
