/**
 * A recording that a native build ran and wrote down, run by the browser's
 * module: see `examples/kanban/src/tests/recording.rs`.
 */

import { readFile } from 'node:fs/promises';

import { expect, test, type Package } from './fixture.js';

const FILE = new URL('../../../examples/kanban/tests/recording.txt', import.meta.url);

test('a recording comes to the same in a browser as elsewhere', async ({ blank: page }) => {
  const [version, hash, recording] = (await readFile(FILE, 'utf8')).split('\n');
  const bytes = [...Buffer.from(recording!, 'hex')];
  const run = (machine: string, bytes: number[]): Promise<unknown> =>
    page.evaluate(
      async ([module, bytes]) => {
        const { replay } = (await import(module)) as typeof Package;
        return replay(Uint8Array.from(bytes)).catch((error: Package.AperError) => error.code);
      },
      [`/npm/${machine}/index.js`, bytes] as const,
    );
  expect(await run('kanban', bytes)).toEqual({ version: Number(version), hash });
  expect(await run('kanban', bytes.slice(0, -1))).toBe('malformed');
  // Made without it: it has no use for a page.
  expect(await run('counter', bytes)).toBe('load');
});
