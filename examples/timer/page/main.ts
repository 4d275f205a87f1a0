/**
 * Shared timers. A running timer is a time at which it rings; what is left is
 * computed here, ten times a second, from the server's clock. That it rings
 * is the server's doing: the page only notices.
 */

import {
  connect,
  type Conflict,
  type State,
  type Timer,
  type Transition,
} from '@aper-examples/timer';
import { html, nothing, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';

import { icons } from '../../shared/icons.js';
import { match } from '../../shared/match.js';
import { openPage, type Page } from '../../shared/page.js';
import { newId } from '../../shared/session.js';
import { Bell } from './bell.js';
import { clock, spoken } from './format.js';

type TimerPage = Page<State, Transition, Conflict>;

const PRESETS = [
  { label: '10 s', seconds: 10 },
  { label: '1 min', seconds: 60 },
  { label: '3 min', seconds: 180 },
  { label: '5 min', seconds: 300 },
  { label: '10 min', seconds: 600 },
  { label: '25 min', seconds: 1_500 },
];

/** How often a running timer is drawn, in milliseconds. */
const TICK = 100;

const bell = new Bell();

const page = await openPage<State, Transition, Conflict>({
  machine: 'timer',
  title: 'Timers',
  connect,
  explain,
  view,
});

setInterval(() => {
  if (!document.hidden && page.client.state?.timers.some((timer) => isRunning(timer))) {
    page.draw();
  }
}, TICK);

function explain(conflict: Conflict): string {
  return match(conflict, {
    tooMany: ({ max }) => `There are ${max} timers already. Remove one first.`,
    repeatedId: () => 'That timer is there already.',
    labelTooLong: ({ max }) => `That label is too long: ${max} characters at most.`,
    duration: ({ shortestMs, longestMs }) =>
      `A timer runs for ${spoken(shortestMs)} at least and ${spoken(longestMs)} at most.`,
    noSuchTimer: () => 'Somebody has removed that timer.',
    notRunning: () => 'That timer is not running any more.',
    notPaused: () => 'That timer is not paused any more.',
    timeIsUp: () => 'Too late to pause: the time is up.',
    serverOnly: () => 'Only the server can let a timer ring.',
    tooEarly: () => 'The time has not come yet.',
  });
}

function view(state: State, page: TimerPage): TemplateResult {
  const now = page.client.now();
  const rung = state.timers.filter((timer) => 'rung' in timer.phase).map((timer) => timer.id);
  bell.hears(rung);
  document.title = title(state, now);
  return html`
    <div class="timers-page">
      ${form(page)}
      <div class="list-head">
        <h2>${state.timers.length === 1 ? '1 timer' : `${state.timers.length || 'No'} timers`}</h2>
        ${sound(page)}
      </div>
      <p class="hidden-text" role="status">${announcement(state)}</p>
      ${
        state.timers.length === 0
          ? html`<p class="empty">
              Whoever has the link sees the same timers, and hears them ring at the same moment.
            </p>`
          : html`<ul class="timers">
              ${repeat(
                state.timers,
                (timer) => timer.id,
                (timer) => card(timer, now, page),
              )}
            </ul>`
      }
    </div>
  `;
}

function isRunning(timer: Timer): boolean {
  return 'running' in timer.phase;
}

/** What is left, in milliseconds. */
function left(timer: Timer, now: number): number {
  return match(timer.phase, {
    running: ({ endsAt }) => Math.min(Math.max(endsAt - now, 0), timer.durationMs),
    paused: ({ remainingMs }) => remainingMs,
    rung: () => 0,
  });
}

function name(timer: Timer): string {
  return timer.label === '' ? spoken(timer.durationMs) : timer.label;
}

function title(state: State, now: number): string {
  if (state.timers.some((timer) => 'rung' in timer.phase)) {
    return '⏰ Time is up!';
  }
  const next = state.timers.filter(isRunning).map((timer) => left(timer, now));
  return next.length === 0 ? 'Timers · Aper' : `${clock(Math.min(...next))} · Timers`;
}

function announcement(state: State): string {
  const rung = state.timers.filter((timer) => 'rung' in timer.phase);
  return rung.length === 0 ? '' : `Time is up: ${rung.map(name).join(', ')}`;
}

// A new timer

function form(page: TimerPage): TemplateResult {
  const add = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    const minutes = Number(fields.get('minutes') || 0);
    const seconds = Number(fields.get('seconds') || 0);
    start(page, String(fields.get('label') ?? ''), Math.round(minutes * 60 + seconds));
    form.querySelector<HTMLInputElement>('[name=label]')!.value = '';
  };
  const preset = (event: Event, seconds: number) => {
    const label = (event.currentTarget as HTMLButtonElement).form!.elements.namedItem('label');
    start(page, (label as HTMLInputElement).value, seconds);
    (label as HTMLInputElement).value = '';
  };
  return html`<form class="new" @submit=${add} aria-label="New timer">
    <label class="label"
      ><span>What for?</span
      ><input name="label" maxlength="40" placeholder="Tea, pizza, break…" autocomplete="off"
    /></label>
    <label
      ><span>Minutes</span
      ><input name="minutes" type="number" inputmode="numeric" min="0" max="1440" value="5"
    /></label>
    <label
      ><span>Seconds</span
      ><input name="seconds" type="number" inputmode="numeric" min="0" max="59" value="0"
    /></label>
    <button type="submit" class="primary">Start</button>
    <div class="presets" role="group" aria-label="Start at once">
      ${PRESETS.map(
        ({ label, seconds }) =>
          html`<button type="button" @click=${(event: Event) => preset(event, seconds)}>
            ${label}
          </button>`,
      )}
    </div>
  </form>`;
}

function start(page: TimerPage, label: string, seconds: number): void {
  void page.send({ add: { id: newId(), label: label.trim(), durationMs: seconds * 1_000 } });
}

function sound(page: TimerPage): TemplateResult {
  const change = async () => {
    await bell.toggle();
    page.draw();
  };
  return html`<button type="button" class="quiet sound" aria-pressed=${bell.on} @click=${change}>
    ${bell.on ? icons.sound : icons.silent} ${bell.on ? 'Sound on' : 'Sound off'}
  </button>`;
}

// One timer

const RADIUS = 54;
const AROUND = 2 * Math.PI * RADIUS;

function card(timer: Timer, now: number, page: TimerPage): TemplateResult {
  const phase = Object.keys(timer.phase)[0];
  const remaining = left(timer, now);
  const part = remaining / timer.durationMs;
  const { id } = timer;
  return html`<li class="timer" data-phase=${phase} aria-label=${name(timer)}>
    <h3>${name(timer)}</h3>
    <div class="ring">
      <svg viewBox="0 0 120 120" aria-hidden="true">
        <circle class="track" cx="60" cy="60" r=${RADIUS} />
        <circle
          class="left"
          cx="60"
          cy="60"
          r=${RADIUS}
          stroke-dasharray=${AROUND}
          stroke-dashoffset=${AROUND * (1 - part)}
        />
      </svg>
      <div class="time">
        <span class="digits" role="timer" aria-label="Time left">${clock(remaining)}</span>
        <span class="note">${note(timer)}</span>
      </div>
    </div>
    <div class="actions">
      ${match(timer.phase, {
        running: () => action(icons.pause, 'Pause', () => page.send({ pause: { id } })),
        paused: () => action(icons.play, 'Resume', () => page.send({ resume: { id } }), 'primary'),
        rung: () => nothing,
      })}
      ${action(
        icons.restart,
        'Restart',
        () => page.send({ restart: { id } }),
        'rung' in timer.phase ? 'primary' : '',
      )}
      ${action(icons.remove, 'Remove', () => page.send({ remove: { id } }), 'quiet')}
    </div>
  </li>`;
}

function note(timer: Timer): string {
  return match(timer.phase, {
    running: () => `of ${spoken(timer.durationMs)}`,
    paused: () => 'Paused',
    rung: ({ at }) => `Rang at ${new Date(at).toLocaleTimeString([], { timeStyle: 'short' })}`,
  });
}

function action(
  icon: TemplateResult,
  label: string,
  run: () => unknown,
  classes = '',
): TemplateResult {
  return html`<button
    type="button"
    class="icon ${classes}"
    aria-label=${label}
    title=${label}
    @click=${run}
  >
    ${icon}
  </button>`;
}
