/**
 * `next`, with every part of it that is equal to what was there in `last`
 * replaced by that: so what did not change is identical before and after, and
 * whoever draws it can tell by a look. `last` stays as it is; `next` is written
 * to, and may be nobody else's. Both are JSON.
 *
 * An element of an array is compared with the one that has the same `id` (or
 * the same key, in an array of pairs), so that items which only moved stay the
 * same. Costs a pass over both.
 */
export function shared<T>(last: unknown, next: T): T {
  if (last === next || !isContainer(last) || !isContainer(next)) {
    return next;
  }
  if (Array.isArray(next)) {
    return Array.isArray(last) ? (sharedArray(last, next) as T) : next;
  }
  return Array.isArray(last) ? next : (sharedObject(last, next) as T);
}

type Container = Record<string, unknown>;

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

function sharedObject(last: Container, next: Container): Container {
  const keys = Object.keys(next);
  let same = keys.length === Object.keys(last).length;
  for (const key of keys) {
    if (!Object.hasOwn(last, key)) {
      same = false;
      continue;
    }
    const part = shared(last[key], next[key]);
    same &&= part === last[key];
    // An assignment to a property that is there, even if its name is
    // `__proto__`: JSON.parse made it one of the object's own.
    next[key] = part;
  }
  return same ? last : next;
}

function sharedArray(last: readonly unknown[], next: unknown[]): readonly unknown[] {
  let same = last.length === next.length;
  let byKey: Map<unknown, unknown> | undefined;
  for (const [index, element] of next.entries()) {
    const key = keyOf(element);
    let counterpart = last[index];
    if (key !== undefined && keyOf(counterpart) !== key) {
      byKey ??= new Map(last.map((element) => [keyOf(element), element]));
      counterpart = byKey.get(key);
    }
    next[index] = shared(counterpart, element);
    same &&= next[index] === last[index];
  }
  return same ? last : next;
}

/** By what an element can be found again when it has moved, if by anything. */
export function keyOf(element: unknown): string | number | undefined {
  if (!isContainer(element)) {
    return undefined;
  }
  const key: unknown = Array.isArray(element) && element.length === 2 ? element[0] : element['id'];
  return typeof key === 'string' || typeof key === 'number' ? key : undefined;
}
