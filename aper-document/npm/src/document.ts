import { Live, type CreateOptions, type LiveClient } from './create.js';
import type { Outcome } from './index.js';
import type {
  At,
  Counter,
  Existing,
  Input,
  ItemAt,
  Json,
  Leading,
  List,
  Path,
  View,
} from './shape.js';
import type { Operation, Place, Transition } from './types.js';
import { newId, tagged } from './values.js';

export {
  AperError,
  type Client,
  type CreateOptions,
  type ErrorCode,
  type Events,
  type Identity,
  type ListenOptions,
  type LiveClient,
  type Options,
  type Outcome,
  type Problem,
  type ProblemCode,
  type Settled,
  type Status,
  type Wasm,
} from './index.js';
export type { Conflict, Kind, Operation, Place, Reason, Transition, Value } from './types.js';
export type { At, Counter, Input, Item, Json, List, Path, View } from './shape.js';
export { counter, list, newId } from './values.js';

/** Where a new item goes, and who chooses its id. */
export interface InsertOptions {
  /** Where in the list: at its end, if nothing is said. */
  readonly place?: Place;
  /** The item's id: a new one, if nothing is said. */
  readonly id?: string;
}

/**
 * What can be done to a document of a shape. `R` is what each gives: a client
 * gives a promise of the outcome, a batch nothing.
 *
 * A path is an array of keys and ids, and is checked against the shape:
 * `['todos', id, 'done']`.
 */
export interface Operations<S, R> {
  /**
   * This is the value at the path now, whatever was there. The last step may
   * be a new key of an object, or an item that a list has.
   */
  set<const P extends Path>(path: Existing<S, P> & P, value: Input<At<S, P>>): R;
  /** This is the value of a new key: refused as `exists` if there is something. */
  create<const P extends Path>(path: Existing<S, P> & P, value: Input<At<S, P>>): R;
  /** A key or an item goes. */
  remove<const P extends Path>(path: Existing<S, P> & P): R;
  /** A new item of the list at the path. */
  insert<const P extends Path>(
    path: Leading<S, P, List<any>> & P,
    value: Input<ItemAt<S, P>>,
    options?: InsertOptions,
  ): R;
  /** The item at the path goes to another place of its list, or into another list. */
  move<const P extends Path>(
    path: Existing<S, P> & P,
    place: Place,
    options?: { readonly into?: Path },
  ): R;
  /** So much more on the counter at the path, or less if it is negative. */
  add<const P extends Path>(path: Leading<S, P, Counter> & P, amount: number): R;
  /**
   * Changes nothing, and is refused as `changed` unless this is what is there;
   * undefined if nothing may be there. In a batch, it is a condition for the
   * rest.
   */
  test<const P extends Path>(path: Existing<S, P> & P, value: Input<At<S, P>> | undefined): R;
}

/** A client of one document. */
export interface DocumentClient<S, P = Json>
  extends LiveClient<View<S>, P>, Operations<S, Promise<Outcome>> {
  /**
   * Several operations that happen together or not at all, and that nobody
   * comes between.
   *
   * ```ts
   * client.batch((change) => {
   *   change.set(['todos', id, 'done'], true);
   *   change.add(['finished'], 1);
   * });
   * ```
   */
  batch(build: (change: Operations<S, void>) => void): Promise<Outcome>;
}

/**
 * A client of a document on an Aper server, at once. `S` is the shape of the
 * document, `P` of what clients show each other; without one, anything goes
 * anywhere.
 *
 * ```ts
 * interface Board { todos: List<{ title: string; done: boolean }> }
 * const client = createClient<Board>({ url: 'wss://example.org', session: 'board-7' });
 * ```
 */
export function createClient<S = any, P = Json>(options: CreateOptions): DocumentClient<S, P> {
  const client = new LiveDocument<S, P>(options);
  client.open();
  return client;
}

/** {@link DocumentClient}; for React it can be there before it is opened. */
export class LiveDocument<S, P = Json>
  extends Live<View<S>, P>
  implements DocumentClient<S, P>
{
  set(path: Path, value: unknown): Promise<Outcome> {
    return this.#do((change) => change.set(path, value));
  }

  create(path: Path, value: unknown): Promise<Outcome> {
    return this.#do((change) => change.create(path, value));
  }

  remove(path: Path): Promise<Outcome> {
    return this.#do((change) => change.remove(path));
  }

  insert(path: Path, value: unknown, options?: InsertOptions): Promise<Outcome> {
    return this.#do((change) => change.insert(path, value, options));
  }

  move(path: Path, place: Place, options?: { readonly into?: Path }): Promise<Outcome> {
    return this.#do((change) => change.move(path, place, options));
  }

  add(path: Path, amount: number): Promise<Outcome> {
    return this.#do((change) => change.add(path, amount));
  }

  test(path: Path, value: unknown): Promise<Outcome> {
    return this.#do((change) => change.test(path, value));
  }

  batch(build: (change: Operations<S, void>) => void): Promise<Outcome> {
    return this.#do(build as (change: Operations<any, void>) => void);
  }

  async #do(build: (change: Operations<any, void>) => void): Promise<Outcome> {
    const batch = new Batch();
    build(batch);
    return this.submit(batch.transition);
  }
}

class Batch implements Operations<any, void> {
  readonly transition: Transition = [];

  set(path: Path, value: unknown): void {
    this.#push({ set: { path: [...path], value: tagged(value) } });
  }

  create(path: Path, value: unknown): void {
    this.#push({ create: { path: [...path], value: tagged(value) } });
  }

  remove(path: Path): void {
    this.#push({ remove: { path: [...path] } });
  }

  insert(path: Path, value: unknown, options: InsertOptions = {}): void {
    const { place = 'last', id = newId() } = options;
    this.#push({ insert: { path: [...path], id, place, value: tagged(value) } });
  }

  move(path: Path, place: Place, { into }: { readonly into?: Path } = {}): void {
    const list = into === undefined ? null : [...into];
    this.#push({ move: { path: [...path], into: list, place } });
  }

  add(path: Path, amount: number): void {
    this.#push({ add: { path: [...path], amount } });
  }

  test(path: Path, value: unknown): void {
    const expected = value === undefined ? null : tagged(value);
    this.#push({ test: { path: [...path], value: expected } });
  }

  #push(operation: Operation): void {
    this.transition.push(operation);
  }
}
