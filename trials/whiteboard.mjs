/**
 * Looks at the whiteboard's page in several browsers, each with a storage of
 * its own, for `trial-whiteboard`, and prints as JSON what each saw.
 *
 *     node trials/whiteboard.mjs '{"page": "http://…", "browser": "/usr/bin/chromium", "tabs": 2, "bots": 20, "seconds": 20}'
 */

import { setTimeout as pause } from 'node:timers/promises';

import { chromium } from 'playwright-core';

const plan = JSON.parse(process.argv[2] ?? '{}');

/** The variant of `ServerMessage::Presence`. */
const PRESENCE = 7;
/** Between two looks at a page. */
const LOOK = 100;
const PATIENCE = 60_000;

const browser = await chromium.launch({
  executablePath: plan.browser,
  args: [
    // Chromium refuses its sandbox to root, as whom containers run.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});

/** A length, as the protocol has it: below 251 one byte, else two after 251. */
function length(bytes, at) {
  return bytes[at] < 251 ? bytes[at] : bytes.readUInt16LE(at + 1);
}

async function open() {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.on('pageerror', (error) => fail(`a page failed: ${error}`));
  const wire = { messages: 0, values: 0, most: 0, bytes: 0, other: 0 };
  page.on('websocket', (socket) => {
    socket.on('framereceived', ({ payload }) => {
      if (typeof payload === 'string') {
        return;
      }
      if (payload[0] !== PRESENCE) {
        wire.other += payload.length;
        return;
      }
      // The variant, the extent, how many.
      const values = length(payload, 2);
      wire.messages += 1;
      wire.values += values;
      wire.most = Math.max(wire.most, values);
      wire.bytes += payload.length;
    });
  });
  await page.goto(plan.page);
  const cursors = page.locator('.cursor:not([hidden])');
  const end = Date.now() + PATIENCE;
  while ((await cursors.count()) < plan.bots) {
    if (Date.now() > end) {
      fail(`only ${await cursors.count()} of ${plan.bots} cursors came`);
    }
    await pause(LOOK);
  }
  return { page, wire, cursors };
}

/** Counts frames from now on. */
const watch = () => {
  const seen = { began: performance.now(), last: 0, frames: 0, longest: 0 };
  globalThis.seen = seen;
  const frame = (now) => {
    if (seen.last > 0) {
      seen.frames += 1;
      seen.longest = Math.max(seen.longest, now - seen.last);
    }
    seen.last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
};

function fail(text) {
  console.error(text);
  process.exit(1);
}

const looking = await Promise.all([...Array(plan.tabs).keys()].map(open));
const results = looking.map(async ({ page, wire, cursors }) => {
  const before = { ...wire };
  const began = performance.now();
  await page.evaluate(watch);
  await pause(plan.seconds * 1_000);
  const after = { ...wire };
  const millis = performance.now() - began;
  const seen = await page.evaluate(() => globalThis.seen);
  return {
    millis,
    frames: seen.frames * (millis / (seen.last - seen.began)),
    longest: seen.longest,
    messages: after.messages - before.messages,
    values: after.values - before.values,
    most: after.most,
    bytes: after.bytes - before.bytes,
    other: after.other - before.other,
    cursors: await cursors.count(),
  };
});
console.log(JSON.stringify(await Promise.all(results)));
await browser.close();
process.exit(0);
