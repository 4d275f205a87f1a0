/**
 * Exhaustive matching on the unions that come from Rust enums: a variant
 * without fields is a string, one with fields an object of one key.
 *
 * ```ts
 * match(conflict, {
 *   atZero: () => 'There is nothing left to take away.',
 *   atMax: ({ max }) => `The counter goes up to ${max}.`,
 * });
 * ```
 *
 * An arm too few or too many does not compile, so a new conflict in Rust asks
 * each page for its sentence.
 */

type Tag<U> = U extends string ? U : U extends object ? keyof U & string : never;

type Content<U, K extends string> = U extends string
  ? U extends K
    ? undefined
    : never
  : U extends object
    ? K extends keyof U
      ? U[K]
      : never
    : never;

export type Arms<U, R> = { [K in Tag<U>]: (content: Content<U, K>) => R };

export function match<U extends string | object, R>(value: U, arms: Arms<U, R>): R {
  const [tag, content] =
    typeof value === 'string' ? [value, undefined] : (Object.entries(value)[0] ?? ['', undefined]);
  const arm = (arms as Record<string, (content: unknown) => R>)[tag];
  if (!arm) {
    throw new Error(`no arm for ${tag}`);
  }
  return arm(content);
}
