/**
 * What of the packages can be tested without a browser: as they were built, in
 * Node and, for React, in jsdom. `cargo xtask test --only script` builds them.
 */

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['aper-client-wasm/npm/tests/unit/*.test.{ts,tsx}', 'aper-document/npm/tests/*.test.{ts,tsx}'],
    // A test that hangs has failed; nothing here waits for anything slow.
    testTimeout: 30_000,
    reporters: process.env['APER_REPORT'] === undefined ? ['default'] : ['default', 'json'],
    ...(process.env['APER_REPORT'] === undefined
      ? {}
      : { outputFile: { json: process.env['APER_REPORT'] } }),
  },
});
