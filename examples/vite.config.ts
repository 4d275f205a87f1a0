/**
 * Bundles every example's page, and the index page, into target/pages, where
 * the examples' server finds them: examples/counter/page/index.html becomes
 * /counter/index.html.
 */

import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const examples = fileURLToPath(new URL('.', import.meta.url));
const target = fileURLToPath(new URL('../target', import.meta.url));
const pages = join(target, 'pages');

const names = readdirSync(examples).filter((name) =>
  existsSync(join(examples, name, 'page/index.html')),
);
const input = Object.fromEntries(
  names.map((name) => [name, join(examples, name, 'page/index.html')]),
);
const index = join(examples, 'index.html');
if (existsSync(index)) {
  input['index'] = index;
}

export default defineConfig({
  root: examples,
  // Nobody's settings but those in this file.
  envDir: false,
  publicDir: false,
  resolve: {
    alias: [
      // The packages as `cargo xtask npm` assembles them, not installed ones.
      { find: /^@aper-examples\/([a-z0-9-]+)$/, replacement: join(target, 'npm/$1/index.js') },
      {
        find: /^@aper-examples\/([a-z0-9-]+)\/([a-z]+)$/,
        replacement: join(target, 'npm/$1/$2.js'),
      },
      // The modules of the pages in Rust.
      { find: /^@aper-front-ends\/([a-z0-9-]+)$/, replacement: join(target, 'front-ends/$1/machine.js') },
    ],
  },
  build: {
    outDir: pages,
    emptyOutDir: true,
    target: 'es2022',
    // A module in a data: URL would have to be decoded before it could stream.
    assetsInlineLimit: 0,
    rolldownOptions: { input },
  },
  plugins: [pagesAtTheirAddress()],
});

/** Vite writes a page to where its source is; the server's address is shorter. */
function pagesAtTheirAddress(): Plugin {
  return {
    name: 'pages-at-their-address',
    async closeBundle() {
      for (const name of names) {
        const written = join(pages, name, 'page/index.html');
        if (existsSync(written)) {
          const wanted = join(pages, name, 'index.html');
          await mkdir(dirname(wanted), { recursive: true });
          await rename(written, wanted);
          await rm(dirname(written), { recursive: true });
        }
      }
    },
  };
}
