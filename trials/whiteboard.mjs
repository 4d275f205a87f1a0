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
/** The WebSocket's opcode. */
const BINARY = 2;
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
  // What came when, by the clock of the browser's network, which is not kept
  // waiting when the page or this program are.
  const wire = [];
  const network = await context.newCDPSession(page);
  network.on('Network.webSocketFrameReceived', ({ timestamp, response }) => {
    if (response.opcode === BINARY) {
      const payload = Buffer.from(response.payloadData, 'base64');
      // The variant, the extent, how many.
      const values = payload[0] === PRESENCE ? length(payload, 2) : 0;
      wire.push({ at: timestamp * 1_000, bytes: payload.length, values });
    }
  });
  await network.send('Network.enable');
  await network.send('Performance.enable');
  /** Time that the page's thread has been at work, in milliseconds. */
  const worked = async () => {
    const { metrics } = await network.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration').value * 1_000;
  };
  await page.goto(plan.page);
  const cursors = page.locator('.cursor:not([hidden])');
  const end = Date.now() + PATIENCE;
  while ((await cursors.count()) < plan.bots) {
    if (Date.now() > end) {
      fail(`only ${await cursors.count()} of ${plan.bots} cursors came`);
    }
    await pause(LOOK);
  }
  return { page, wire, cursors, worked };
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
const results = looking.map(async ({ page, wire, cursors, worked }) => {
  await page.evaluate(watch);
  const [began, before] = [wire.length, await worked()];
  await pause(plan.seconds * 1_000);
  const came = wire.slice(began);
  const seen = await page.evaluate(() => globalThis.seen);
  const work = (await worked()) - before;
  const millis = came.at(-1).at - came[0].at;
  const shown = came.filter(({ values }) => values > 0);
  const moments = wire.filter(({ values }) => values > 0).map(({ at }) => at);
  const sum = (of, number) => of.reduce((total, one) => total + number(one), 0);
  return {
    millis,
    frames: seen.frames * (millis / (seen.last - seen.began)),
    longest: seen.longest,
    work: work / seen.frames,
    messages: shown.length,
    held: Math.max(...moments.slice(1).map((at, index) => at - moments[index])),
    values: sum(shown, ({ values }) => values),
    most: Math.max(...shown.map(({ values }) => values)),
    bytes: sum(shown, ({ bytes }) => bytes),
    other: sum(came, ({ bytes }) => bytes) - sum(shown, ({ bytes }) => bytes),
    cursors: await cursors.count(),
  };
});
console.log(JSON.stringify(await Promise.all(results)));
await browser.close();
process.exit(0);
