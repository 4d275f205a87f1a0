import { keyOf, shared } from './shared.js';

/**
 * What there is to say about a value: 0, if it is the same. The module writes
 * it, in `aper-client-wasm/src/value/patch.rs`, where it is described.
 */
export type Patch = 0 | readonly [kind: number, ...rest: unknown[]];

const [REPLACED, FIELDS, ITEMS, ENTRIES, VALUES, SPLICES, SHARED] = [1, 2, 3, 4, 5, 6, 7];
const [GONE, AFTER, PLACED, CHANGED, FIRST] = [0, 1, 2, 3, 4];

/**
 * The value that comes of `last` by what is said about it. What is not spoken of
 * is identical in both, and so is what turns out to be equal. `last` stays as it
 * is; `patch` may be nobody else's.
 *
 * Costs what changed, and for each array that something in it changed, a copy of
 * the references in it, which is one move of memory.
 */
export function patched(last: unknown, patch: Patch): unknown {
  if (patch === 0) {
    return last;
  }
  switch (patch[0]) {
    case REPLACED:
      return shared(last, patch[1]);
    case FIELDS:
      return withFields(last as Fields, patch);
    case ITEMS:
    case ENTRIES:
    case VALUES:
      return withSteps(patch[0], last as Elements, patch);
    case SPLICES:
      return withSplices(last as Elements, patch);
    case SHARED:
      return patch[1];
    default:
      throw new TypeError(`there is no patch of the kind ${patch[0]}`);
  }
}

type Fields = Readonly<Record<string, unknown>>;
type Elements = readonly unknown[];

function withFields(last: Fields, patch: readonly unknown[]): Fields {
  let next: Record<string, unknown> | undefined;
  for (let i = 1; i < patch.length; i += 2) {
    const name = patch[i] as string;
    const part = patched(last[name], patch[i + 1] as Patch);
    if (part !== last[name]) {
      next ??= { ...last };
      next[name] = part;
    }
  }
  return next ?? last;
}

/** These elements instead of so many from there on. */
interface Splice {
  readonly index: number;
  readonly removed: number;
  readonly elements: unknown[];
}

function withSteps(kind: number, last: Elements, patch: readonly unknown[]): Elements {
  const places = Places.of(kind, last);
  const gone = new Map<unknown, unknown>();
  const splices: Splice[] = [];
  const changes: (readonly [index: number, element: unknown])[] = [];
  let placed: unknown[] = [];
  for (let i = 1; i < patch.length; ) {
    const step = patch[i];
    const key = patch[i + 1];
    if (step === FIRST || step === AFTER) {
      placed = [];
      const index = step === FIRST ? 0 : places.find(last, key) + 1;
      splices.push({ index, removed: 0, elements: placed });
      i += step === FIRST ? 1 : 2;
    } else if (step === GONE) {
      const index = places.find(last, key);
      splices.push({ index, removed: 1, elements: [] });
      gone.set(nameOf(key), last[index]);
      i += 2;
    } else {
      const about = patch[i + 2] as Patch;
      if (step === PLACED) {
        placed.push(elementOf(kind, key, gone.get(nameOf(key)), about));
      } else if (step === CHANGED) {
        const index = places.find(last, key);
        changes.push([index, elementOf(kind, key, last[index], about)]);
      }
      i += 3;
    }
  }
  const next = assembled(last, changes, splices);
  places.move(next, gone.keys(), splices);
  return next;
}

/** The element of this key, made of what it was, if it was. */
function elementOf(kind: number, key: unknown, last: any, about: Patch): unknown {
  if (kind === VALUES) {
    return last ?? key;
  }
  const field = kind === ITEMS ? 'value' : 1;
  const before: unknown = last?.[field];
  const value = patched(before, about);
  if (last !== undefined && value === before) {
    return last;
  }
  return kind === ITEMS ? { id: key, value } : [key, value];
}

function withSplices(last: Elements, patch: readonly unknown[]): Elements {
  const splices: Splice[] = [];
  const gone = new Map<unknown, unknown>();
  for (let i = 1; i < patch.length; i += 3) {
    const [index, removed] = [patch[i] as number, patch[i + 1] as number];
    splices.push({ index, removed, elements: patch[i + 2] as unknown[] });
    for (const element of last.slice(index, index + removed)) {
      gone.set(keyOf(element), element);
    }
  }
  for (const { index, removed, elements } of splices) {
    for (const [offset, element] of elements.entries()) {
      // What it was: found by its id, wherever that is now, or else in its place.
      const key = keyOf(element);
      const before = key === undefined && offset < removed ? last[index + offset] : gone.get(key);
      elements[offset] = key === undefined && offset >= removed ? element : shared(before, element);
    }
  }
  return assembled(last, [], splices);
}

/** `last` with these changes, and then these splices, whose indexes are `last`'s. */
function assembled(
  last: Elements,
  changes: readonly (readonly [index: number, element: unknown])[],
  splices: Splice[],
): Elements {
  let base = last;
  const other = changes.filter(([index, element]) => element !== last[index]);
  if (other.length > 0) {
    const copy = last.slice();
    for (const [index, element] of other) {
      copy[index] = element;
    }
    base = copy;
  }
  if (splices.length === 0) {
    return base;
  }
  // What comes where an element is gone comes before that.
  splices.sort((one, other) => one.index - other.index || one.removed - other.removed);
  const runs: Elements[] = [];
  let from = 0;
  for (const { index, removed, elements } of splices) {
    runs.push(base.slice(from, index), elements);
    from = index + removed;
  }
  runs.push(base.slice(from));
  // `concat` moves memory, but takes no more arguments than the stack does.
  const next = runs.length < 1000 ? ([] as unknown[]).concat(...runs) : runs.flat();
  const same = next.length === last.length && next.every((element, i) => element === last[i]);
  return same ? last : next;
}

/**
 * Where in an array the elements of a kind are, by their keys. It goes on from an
 * array to the one that comes of it: what moved because something before it came
 * or went is looked for around where it was.
 */
class Places {
  static readonly #known = new WeakMap<Elements, Places>();
  readonly #kind: number;
  readonly #indexes = new Map<unknown, number>();
  /** By how much an element may be away from where it was. */
  #away = 0;

  static of(kind: number, array: Elements): Places {
    return Places.#known.get(array) ?? new Places(kind, array);
  }

  private constructor(kind: number, array: Elements) {
    this.#kind = kind;
    for (const [index, element] of array.entries()) {
      this.#indexes.set(this.#nameOf(element), index);
    }
  }

  #nameOf(element: any): unknown {
    const kind = this.#kind;
    return nameOf(kind === ITEMS ? element?.id : kind === ENTRIES ? element?.[0] : element);
  }

  find(array: Elements, key: unknown): number {
    const name = nameOf(key);
    const index = this.#indexes.get(name) ?? NaN;
    for (let away = 0; away <= this.#away; away += 1) {
      for (const place of [index - away, index + away]) {
        if (place in array && this.#nameOf(array[place]) === name) {
          return place;
        }
      }
    }
    throw new TypeError(`there is no element ${String(name)}`);
  }

  /** Goes on to `next`, that comes by these splices, in their order. */
  move(next: Elements, gone: Iterable<unknown>, splices: readonly Splice[]): void {
    for (const name of gone) {
      this.#indexes.delete(name);
    }
    let longer = 0;
    for (const { index, removed, elements } of splices) {
      for (const [offset, element] of elements.entries()) {
        this.#indexes.set(this.#nameOf(element), index + longer + offset);
      }
      longer += elements.length - removed;
      this.#away += elements.length + removed;
    }
    // To look around costs more and more; to begin anew costs a pass.
    if (this.#away <= Math.max(16, Math.sqrt(next.length))) {
      Places.#known.set(next, this);
    }
  }
}

/** A key as what is equal to that of an equal key. */
function nameOf(key: unknown): unknown {
  return typeof key === 'object' ? `\0${JSON.stringify(key)}` : key;
}
