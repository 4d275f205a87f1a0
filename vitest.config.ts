/**
 * What of the packages can be tested without a browser: as they were built, in
 * Node and, for the frameworks, in jsdom. `cargo xtask test --only script` builds them.
 */

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte({ configFile: false })],
  // Or Svelte would be its part for servers, where nothing is ever mounted.
  resolve: { conditions: ['browser'] },
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
