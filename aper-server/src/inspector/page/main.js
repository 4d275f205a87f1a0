/** The inspector's page: which session is looked at, and what is new of it. */

import { asTest, recorded, save } from './recording.js';
import { Unanswered, json, sessionPath, token } from './server.js';
import { Timeline } from './timeline.js';
import { Tree } from './tree.js';
import * as views from './views.js';
import { by } from './views.js';

/** Rows of the log at a time. */
const ROWS = 200;
/** Between two looks at a session, at least; and between two at the list. */
const LOOK_AGAIN = 250;
const LIST_AGAIN = 3000;

const tree = new Tree('State');
const transition = new Tree('Transition');
by('state').append(tree.element);
by('transition').append(transition.element);

/** The session that is looked at. */
let subject;
let timeline;
let overview;
let log;
/** The last version of the rows that are shown; null for the last that there is. */
let rowsTo = null;
let listed = [];
/** Where the next part of the list begins; null if there is none. */
let next = null;
let ended = new AbortController();

const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

// Who may look.

by('token-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  token.set(by('token').value.trim());
  await enter();
});

by('leave').addEventListener('click', () => {
  token.forget();
  stop();
  entrance('');
});

async function enter() {
  try {
    await list();
    by('token').value = '';
    by('entrance').hidden = true;
    by('inspector').hidden = false;
    follow();
  } catch (error) {
    wrong(error);
  }
}

function entrance(sentence) {
  by('inspector').hidden = true;
  by('entrance').hidden = false;
  by('token-error').textContent = sentence;
  by('token').focus();
}

/** Says why something could not be had. */
function wrong(error) {
  if (error instanceof Unanswered && error.status === 401) {
    stop();
    token.forget();
    entrance(error.message);
  } else if (by('inspector').hidden) {
    entrance(error.message);
  } else {
    problem(error.message);
  }
}

function problem(sentence) {
  by('problem').textContent = sentence;
  by('problem').hidden = sentence === '';
}

// Which sessions there are.

async function list(after) {
  const containing = encodeURIComponent(by('filter').value.trim());
  const more = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
  const answer = await json(`sessions?containing=${containing}${more}`);
  listed = after === undefined ? answer.sessions : [...listed, ...answer.sessions];
  views.sessions(listed, subject);
  next = answer.next;
  by('more-sessions').hidden = next === null;
  by('no-sessions').hidden = listed.length > 0;
  by('no-sessions').textContent = containing === '' ? 'There is no session yet.' : 'No session has this in its name.';
}

by('filter').addEventListener('input', () => list().catch(wrong));
by('more-sessions').addEventListener('click', () => list(next).catch(wrong));

setInterval(() => {
  const away = document.hidden || by('inspector').hidden || listed.length > ROWS;
  const inside = by('session-list').contains(document.activeElement);
  if (!away && !inside) {
    list().catch((error) => (error.status === 401 ? wrong(error) : undefined));
  }
}, LIST_AGAIN);

// Which of them is looked at.

addEventListener('hashchange', follow);

function named() {
  // Neither has anything in its name that an address would write otherwise.
  const [, machine, session, version] = /^#([^/]+)\/([^/]+)(?:\/(\d+))?$/.exec(location.hash) ?? [];
  return machine ? { machine, session, version: version ? Number(version) : null } : undefined;
}

function stop() {
  ended.abort();
  timeline?.end();
  subject = timeline = overview = log = undefined;
}

function follow() {
  const wanted = named();
  if (wanted && subject && wanted.machine === subject.machine && wanted.session === subject.session) {
    if (wanted.version !== timeline.chosen) {
      timeline.choose(wanted.version);
      chosen();
    }
    return;
  }
  stop();
  problem('');
  rowsTo = null;
  by('record-from').value = '';
  by('choose').hidden = wanted !== undefined;
  by('subject').hidden = true;
  if (wanted === undefined || by('inspector').hidden) {
    return;
  }
  subject = { machine: wanted.machine, session: wanted.session };
  views.sessions(listed, subject);
  by('name').textContent = `${subject.machine}/${subject.session}`;
  document.title = `${subject.session} · Inspector · Aper`;
  timeline = new Timeline(subject, showState, failState);
  timeline.chosen = wanted.version;
  ended = new AbortController();
  void watch(subject, ended.signal);
}

/** Keeps up with a session, for as long as it is looked at. */
async function watch(session, signal) {
  const path = sessionPath(session);
  let stamp;
  let logStamp;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const news = await json(stamp === undefined ? path : `${path}?unless=${encodeURIComponent(stamp)}`, signal);
      overview = news;
      if (news.log_stamp !== logStamp) {
        await rows(signal);
        logStamp = news.log_stamp;
        drawLog();
      }
      stamp = news.stamp;
      failures = 0;
      problem('');
      draw();
      await pause(LOOK_AGAIN);
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      failures += 1;
      wrong(error);
      await pause(Math.min(5000, 500 * 2 ** failures));
    }
  }
}

/** Gets the rows of the log that are shown. */
async function rows(signal) {
  const to = rowsTo === null ? '' : `&to=${rowsTo}`;
  log = await json(`${sessionPath(subject)}/log?count=${ROWS}${to}`, signal);
  timeline.reaches(log.from, log.to);
}

function draw() {
  by('subject').hidden = false;
  views.facts(overview, log);
  views.clients(overview);
  views.presence(overview);
}

function drawLog() {
  views.refused(log);
  views.away(log);
  views.log(log.entries, timeline.version, choose);
  const [first, last] = [log.entries[0]?.version, log.entries.at(-1)?.version];
  by('log-range').textContent = first === undefined ? '' : `${first} to ${last} of ${log.to}`;
  by('no-log').textContent =
    first === undefined
      ? `Nothing has happened since version ${log.from}, with which the journal's history begins.`
      : '';
  by('earlier').hidden = first === undefined || first <= log.from + 1;
  by('later').hidden = rowsTo === null;
  chosen();
}

by('earlier').addEventListener('click', () => move(log.entries[0].version - 1));
by('later').addEventListener('click', () => {
  const to = log.entries.at(-1).version + ROWS;
  move(to >= log.to ? null : to);
});

function move(to) {
  rowsTo = to;
  rows(ended.signal).then(drawLog, wrong);
}

// Which version of it.

const slider = by('slider');

function choose(version) {
  timeline.choose(version);
  const at = timeline.chosen === null ? '' : `/${timeline.chosen}`;
  history.replaceState(null, '', `#${subject.machine}/${subject.session}${at}`);
  const shown = log.entries;
  if (timeline.live && rowsTo !== null) {
    move(null);
  } else if (!timeline.live && shown.length > 0) {
    const { version } = timeline;
    if (version > log.from && (version < shown[0].version || version > shown.at(-1).version)) {
      const to = version + ROWS / 2;
      move(to >= log.to ? null : to);
    }
  }
  chosen();
}

/** Shows which version is chosen. */
function chosen() {
  const { from, to, version, live } = timeline;
  slider.min = String(from);
  slider.max = String(to);
  slider.value = String(version);
  slider.disabled = from === to;
  slider.setAttribute('aria-valuetext', `version ${version} of ${to}`);
  by('at').textContent = `${version} / ${to}`;
  by('live').setAttribute('aria-pressed', String(live));
  by('first').disabled = by('back').disabled = version <= from;
  by('forth').disabled = live || version >= to;
  if (document.activeElement !== by('record-from') && document.activeElement !== by('record-to')) {
    by('record-from').value ||= String(from);
    by('record-to').value = String(version);
  }
  views.select(version);
}

slider.addEventListener('input', () => choose(Number(slider.value)));
by('first').addEventListener('click', () => choose(timeline.from));
by('back').addEventListener('click', () => choose(timeline.version - 1));
by('forth').addEventListener('click', () => choose(timeline.version + 1));
by('live').addEventListener('click', () => choose(timeline.live ? timeline.to : null));

addEventListener('keydown', (event) => {
  const { target } = event;
  const writes = target instanceof HTMLElement && target.closest('input, [role=tree]') !== null;
  if (timeline === undefined || log === undefined || writes || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  const inLog = target instanceof HTMLElement && target.closest('#log') !== null;
  const step = { ArrowLeft: -1, ArrowRight: 1, ...(inLog ? { ArrowDown: -1, ArrowUp: 1 } : {}) }[event.key];
  if (step !== undefined) {
    event.preventDefault();
    choose(timeline.version + step);
    if (inLog) {
      by('log').querySelector('[aria-current] button')?.focus({ preventScroll: true });
    }
  } else if (event.key === 'l' || event.key === 'L') {
    choose(null);
  }
});

// What it was like.

let state;

function showState({ version, answer, before }) {
  state = answer.state;
  by('state-title').textContent = `State at version ${version}`;
  by('state-facts').textContent = `${views.bytes(answer.bytes)} · ${answer.hash}`;
  by('state-problem').textContent = '';
  by('state').hidden = false;
  by('copy-state').hidden = false;
  tree.show(answer.state, before?.state);
  tree.reveal();
  const entry = log.entries.find((entry) => entry.version === version);
  by('made-by').hidden = entry === undefined;
  if (entry !== undefined) {
    by('made-by-text').textContent = `Made by ${views.author(entry.client, entry.user)} at ${views.time(entry.at)} with`;
    transition.show(entry.transition);
  }
}

function failState(error, version) {
  if (error.status === 401 || error.status === 0) {
    return;
  }
  by('state-title').textContent = `State at version ${version}`;
  by('state-facts').textContent = '';
  by('state-problem').textContent = error.message;
  by('state').hidden = by('made-by').hidden = by('copy-state').hidden = true;
}

by('copy-state').addEventListener('click', async () => {
  const text = JSON.stringify(state, (_key, part) => (typeof part === 'bigint' ? String(part) : part), 2);
  await copy(text, by('state-facts'));
});

// What is taken home.

by('download').addEventListener('click', () => reproduce((recording) => save(recording)));
by('copy-test').addEventListener('click', () =>
  reproduce((recording) => copy(asTest(recording, overview.type), by('recorded'))),
);

async function reproduce(use) {
  by('recorded').textContent = '';
  try {
    const [from, to] = [by('record-from'), by('record-to')].map((field) => Number(field.value));
    await use(await recorded(subject, from, to));
  } catch (error) {
    by('recorded').textContent = error.message;
  }
}

async function copy(text, say) {
  const before = say.textContent;
  try {
    await navigator.clipboard.writeText(text);
    say.textContent = 'Copied.';
  } catch {
    say.textContent = 'The browser does not let this page copy.';
  }
  setTimeout(() => (say.textContent = before), 3000);
}

if (token.get() === null) {
  entrance('');
} else {
  await enter();
}
