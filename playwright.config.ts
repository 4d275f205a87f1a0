/**
 * The browser tests, in the Chromium that is installed here; Playwright's own
 * is never downloaded. `cargo xtask test --only browser` builds what they need
 * and sets the variables; by hand, after `cargo xtask demo` has built it:
 *
 *     npx playwright test examples/counter
 *
 * APER_CHROMIUM  the browser (else Playwright looks for an installed Chrome)
 * APER_SERVER    the examples' server (else target/debug/aper-examples-server)
 * APER_PAGES     what it serves (else target/pages)
 * APER_TEST_PORT where it listens (else 4790)
 * APER_TEMPLATE  an installed template, whose development server is tested
 * APER_TEMPLATE_PORT where that listens (else 4791)
 * APER_REPORT    where to write the results as JSON (else nowhere)
 */

import { defineConfig, type ReporterDescription } from '@playwright/test';

import { ADMIN_TOKEN } from './examples/testing/admin.js';

const { env } = process;
const port = Number(env['APER_TEST_PORT'] ?? 4790);
const origin = `http://127.0.0.1:${port}`;
const server = env['APER_SERVER'] ?? 'target/debug/aper-examples-server';
const pages = env['APER_PAGES'] ?? 'target/pages';
const browser = env['APER_CHROMIUM'];
const template = env['APER_TEMPLATE'];
const templatePort = Number(env['APER_TEMPLATE_PORT'] ?? 4791);
const templateOrigin = `http://127.0.0.1:${templatePort}`;
const report = env['APER_REPORT'];

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
const reporters: ReporterDescription[] = [['list']];
if (report !== undefined) {
  reporters.push(['json', { outputFile: report }]);
}

export default defineConfig({
  outputDir: 'target/playwright',
  forbidOnly: true,
  // A test that sometimes fails is a failing test.
  retries: 0,
  workers: 2,
  fullyParallel: true,
  // Longer than a client's longest wait before it tries again, which is 20 s.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: reporters,
  use: {
    baseURL: origin,
    // Without pictures of every step: to take them costs more than the step.
    trace: { mode: 'retain-on-failure', screenshots: false },
    screenshot: 'only-on-failure',
    ...(browser === undefined ? { channel: 'chrome' } : {}),
    launchOptions: {
      ...(browser === undefined ? {} : { executablePath: browser }),
      args: [
        // Chromium refuses its sandbox to root, as whom containers run.
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'examples', testDir: 'examples', testMatch: '*/tests/**/*.spec.ts' },
    {
      name: 'template',
      testDir: 'templates/tests',
      testMatch: 'react-todo.spec.ts',
      use: { baseURL: templateOrigin },
    },
    // Served by the server of the application that was made.
    { name: 'new', testDir: 'templates/tests', testMatch: 'new.spec.ts' },
    { name: 'package', testDir: 'aper-client-wasm/npm/tests', testMatch: '**/*.spec.ts' },
  ],
  webServer: [
    {
      command: `exec ${quoted(server)} --listen 127.0.0.1:${port} --pages ${quoted(pages)} --journal-in-memory --inspector --log warn`,
      env: { APER_ADMIN_TOKEN: ADMIN_TOKEN },
      url: `${origin}/healthz`,
      reuseExistingServer: false,
      gracefulShutdown: { signal: 'SIGTERM', timeout: 5_000 },
    },
    ...(template === undefined
      ? []
      : [
          {
            command: `npm run dev -- --host 127.0.0.1 --port ${templatePort} --strictPort`,
            cwd: template,
            env: { APER_URL: origin },
            url: templateOrigin,
            reuseExistingServer: false,
          },
        ]),
  ],
});
