/**
 * Drives the tabs of `trial-chaos`: opens the counter's page in several, each
 * with a browser's storage of its own, and counts up and down in each.
 *
 *     node trials/tabs.mjs '{"page": "http://…", "browser": "/usr/bin/chromium", "tabs": 4, "seed": 7}'
 *
 * Says `open N` when all are online. Then takes lines: `finish MS` stops the
 * counting and answers `clicks N` when all is saved, `expect VALUE MS` answers
 * `equal N`, how many come to show it, and `close` ends everything.
 */

import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

import { chromium } from 'playwright-core';

const plan = JSON.parse(process.argv[2] ?? '{}');

/** Between two clicks of one tab. */
const [SHORTEST, LONGEST] = [20, 400];
/** Between two looks at a page. */
const LOOK = 100;

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

/** Mulberry32: the same seed, the same numbers from 0 to 1. */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Whether the page is online with everything saved; helps it if it is told that it is open elsewhere. */
const look = () => {
  const banner = document.querySelector('.banner[data-problem=replaced] button');
  banner?.click();
  const { connection, saved } = document.querySelector('.connection')?.dataset ?? {};
  return connection === 'online' && saved === 'true';
};

/** Clicks, if the page is at a state in which it can be clicked: whether it was. */
const click = (label) => {
  const button = document.querySelector(`button[aria-label="${label}"]`);
  button?.click();
  return button !== null;
};

async function until(isSo, millis) {
  const end = Date.now() + millis;
  while (Date.now() < end) {
    if (await isSo()) {
      return true;
    }
    await pause(LOOK);
  }
  return false;
}

let counting = true;
let clicks = 0;

async function open(index) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on('pageerror', (error) => fail(`a page failed: ${error}`));
  await page.goto(plan.page);
  if (!(await until(() => page.evaluate(look), 60_000))) {
    fail(`tab ${index} did not come online`);
  }
  return page;
}

async function count(page, index) {
  const dice = random(plan.seed + index);
  let mine = 0;
  while (counting) {
    await pause(SHORTEST + (LONGEST - SHORTEST) * dice());
    if (!counting) {
      break;
    }
    // In turns: the counter has two ends.
    if (await page.evaluate(click, mine % 2 === 0 ? 'One more' : 'One less')) {
      mine += 1;
      clicks += 1;
    }
    await page.evaluate(look);
  }
}

function fail(text) {
  console.error(text);
  process.exit(1);
}

const indexes = [...Array(plan.tabs).keys()];
const pages = await Promise.all(indexes.map(open));
const counts = pages.map(count);
console.log(`open ${pages.length}`);

for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...numbers] = line.split(' ');
  if (word === 'finish') {
    counting = false;
    await Promise.all(counts);
    const saved = pages.map((page) => until(() => page.evaluate(look), Number(numbers[0])));
    if ((await Promise.all(saved)).includes(false)) {
      fail('a tab did not come back');
    }
    console.log(`clicks ${clicks}`);
  } else if (word === 'expect') {
    const shown = () => document.querySelector('output.value')?.textContent?.replace(/\D/g, '');
    const equal = pages.map((page) =>
      until(async () => (await page.evaluate(shown)) === numbers[0], Number(numbers[1])),
    );
    console.log(`equal ${(await Promise.all(equal)).filter(Boolean).length}`);
  } else if (word === 'close') {
    break;
  }
}
await browser.close();
process.exit(0);
