/**
 * The page of `consumer/`, by other ways than Vite: `dist/webpack`,
 * `dist/esbuild`, and `dist/plain` without any. Next has a page of its own.
 */

import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import * as esbuild from 'esbuild';
import webpack from 'webpack';

const PACKAGE = '@aper-examples/counter';
const installed = join('node_modules', PACKAGE);

const source = readFileSync('page/src/main.ts', 'utf8');
const { code } = await esbuild.transform(source, { loader: 'ts', target: 'es2022' });
mkdirSync('build', { recursive: true });
writeFileSync('build/main.js', code);

await bundleWithWebpack();
page('webpack');

await esbuild.build({
  entryPoints: ['build/main.js'],
  bundle: true,
  format: 'esm',
  outdir: 'dist/esbuild',
});
// It leaves `new URL(…, import.meta.url)` as it is: the module is beside the bundle.
cpSync(join(installed, 'machine_bg.wasm'), 'dist/esbuild/machine_bg.wasm');
page('esbuild');

cpSync('build/main.js', 'dist/plain/main.js');
cpSync(installed, 'dist/plain/counter', { recursive: true });
page('plain', { imports: { [PACKAGE]: './counter/index.js' } });

/** The page with the script that was made for it. */
function page(directory, importMap) {
  const imports =
    importMap === undefined
      ? ''
      : `<script type="importmap">${JSON.stringify(importMap)}</script>\n    `;
  const html = readFileSync('page/index.html', 'utf8').replace(
    '<script type="module" src="/src/main.ts">',
    `${imports}<script type="module" src="./main.js">`,
  );
  writeFileSync(join('dist', directory, 'index.html'), html);
}

async function bundleWithWebpack() {
  const compiler = webpack({
    mode: 'production',
    entry: './build/main.js',
    output: { path: resolve('dist/webpack') },
  });
  const stats = await new Promise((done, failed) => {
    compiler.run((error, stats) => (error ? failed(error) : done(stats)));
  });
  if (stats.hasErrors() || stats.hasWarnings()) {
    throw new Error(stats.toString());
  }
}
