/**
 * What an application says of its document, once, as a type, and what follows
 * from it: what the state shows, what can be put in, and which paths there are.
 *
 * ```ts
 * interface Board {
 *   title: string;
 *   todos: List<{ title: string; done: boolean }>;
 *   likes: Counter;
 *   settings: { theme: 'light' | 'dark' };
 *   tags: string[]; // a plain array: replaced as a whole
 * }
 * ```
 */

declare const kind: unique symbol;

/** Values in an order, each with an id that stays. Made by `list()`. */
export interface List<T> {
  readonly [kind]: 'list';
  readonly items: readonly Item<T>[];
}

/** A number that several people count at once. Made by `counter()`. */
export interface Counter {
  readonly [kind]: 'counter';
  readonly value: number;
}

/** An item of a list, as the state shows it. */
export interface Item<T> {
  /** A UUID, which stays when the item is changed or moved. */
  readonly id: string;
  readonly value: T;
}

/** Any JSON value. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** What `client.state` shows of a shape. */
export type View<S> = 0 extends 1 & S
  ? any
  : S extends List<infer T>
    ? readonly Item<View<T>>[]
    : S extends Counter
      ? number
      : S extends object
        ? { readonly [K in keyof S]: View<S[K]> }
        : S;

/** What can be put where a shape is. */
export type Input<S> = 0 extends 1 & S
  ? any
  : S extends List<infer T>
    ? List<T>
    : S extends Counter
      ? Counter
      : S extends object
        ? { readonly [K in keyof S]: Input<S[K]> }
        : S;

/** Where in a document: keys of objects and ids of items. */
export type Path = readonly string[];

/**
 * What a shape has at a path; `never` if it has nothing there. Of a path that
 * is put together when the program runs nobody knows: `any`.
 */
export type At<S, P extends Path> = 0 extends 1 & S
  ? any
  : P extends readonly []
    ? S
    : P extends readonly [infer K extends string, ...infer Rest extends Path]
      ? S extends List<infer T>
        ? At<T, Rest>
        : S extends Counter | readonly unknown[]
          ? never
          : S extends object
            ? K extends keyof S
              ? At<Exclude<S[K], undefined>, Rest>
              : never
            : never
      : any;

/** The path, if the shape has anything there. */
export type Existing<S, P extends Path> = [At<S, P>] extends [never] ? never : P;

/** The path, if what the shape has there is a `T`. */
export type Leading<S, P extends Path, T> = [At<S, P>] extends [never]
  ? never
  : At<S, P> extends T
    ? P
    : never;

/** What an item of the list at a path is. */
export type ItemAt<S, P extends Path> =
  At<S, P> extends infer L ? (0 extends 1 & L ? any : L extends List<infer T> ? T : never) : never;
