/** What is drawn of a session besides its state. Text is only ever text. */

import { brief, oneLine } from './tree.js';

export const by = (id) => document.getElementById(id);

export function make(tag, { kind = '', text = '', title = '' } = {}, ...children) {
  const made = document.createElement(tag);
  if (kind !== '') {
    made.className = kind;
  }
  if (title !== '') {
    made.title = title;
  }
  made.append(text, ...children);
  return made;
}

const UNITS = ['B', 'kB', 'MB', 'GB'];

export function bytes(count) {
  let unit = 0;
  let size = count;
  while (size >= 1000 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${UNITS[unit]}`;
}

const pad = (number, digits = 2) => String(number).padStart(digits, '0');

export function time(millis) {
  const at = new Date(millis);
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => pad(part)).join(':');
  return `${clock}.${pad(at.getMilliseconds(), 3)}`;
}

function moment(millis) {
  return make('time', { text: time(millis), title: new Date(millis).toISOString() });
}

function since(millis, now) {
  const seconds = Math.max(0, Math.round((now - millis) / 1000));
  const [count, unit] =
    seconds < 120 ? [seconds, 's'] : seconds < 7200 ? [Math.round(seconds / 60), 'min'] : [Math.round(seconds / 3600), 'h'];
  return make('time', { text: `${count} ${unit}`, title: new Date(millis).toISOString() });
}

/** Who: the client's number, and as whom it is known. The server is client 0. */
export function author(client, user) {
  const who = client === 0 ? 'server' : `#${client}`;
  return user ? `${who} ${user}` : who;
}

/** The rows of the log, the latest first. */
export function log(entries, chosen, choose) {
  const rows = [...entries].reverse().map((entry) => {
    const pick = make('button', { kind: 'version', text: String(entry.version) });
    pick.setAttribute('aria-label', `Version ${entry.version}`);
    const row = make(
      'tr',
      {},
      make('td', { kind: 'number' }, pick),
      make('td', { kind: 'time' }, moment(entry.at)),
      make('td', { kind: 'author', text: author(entry.client, entry.user) }),
      make('td', { kind: 'code', text: brief(entry.transition), title: oneLine(entry.transition) }),
    );
    row.dataset.version = String(entry.version);
    row.addEventListener('click', () => choose(entry.version));
    return row;
  });
  const had = document.activeElement?.closest?.('#log tr')?.dataset.version;
  by('log').replaceChildren(...rows);
  select(chosen);
  if (had !== undefined) {
    rowOf(had)?.querySelector('button')?.focus({ preventScroll: true });
  }
}

const rowOf = (version) => by('log').querySelector(`tr[data-version="${Number(version)}"]`);

/** Marks the row of a version. */
export function select(version) {
  for (const row of by('log').querySelectorAll('[aria-current]')) {
    row.removeAttribute('aria-current');
  }
  const row = rowOf(version);
  row?.setAttribute('aria-current', 'true');
  const scroll = row?.closest('.scroll');
  if (row && scroll) {
    const [inner, outer] = [row.getBoundingClientRect(), scroll.getBoundingClientRect()];
    const head = 28;
    if (inner.top < outer.top + head) {
      scroll.scrollTop -= outer.top + head - inner.top;
    } else if (inner.bottom > outer.bottom) {
      scroll.scrollTop += inner.bottom - outer.bottom;
    }
  }
}

export function clients(overview) {
  const rows = overview.clients.map((client) =>
    make(
      'tr',
      {},
      make('td', { text: author(client.client, client.user) }),
      make('td', {}, since(client.since, overview.now)),
      ...[client.sent, client.lag, client.undecided, client.submitted, client.refused].map((count, column) =>
        make('td', { kind: column === 1 && count > 0 ? 'number behind' : 'number', text: String(count) }),
      ),
      make('td', { kind: 'number', text: bytes(client.received) }),
      make('td', { kind: 'number', text: bytes(client.delivered) }),
    ),
  );
  by('clients').replaceChildren(...rows);
  by('clients-count').textContent = counted(overview.connected, overview.clients.length, 'connected');
}

function counted(all, shown, what) {
  return all > shown ? `${shown} of ${all} ${what}` : `${all} ${what}`;
}

/** Those who may come back. */
export function away(log) {
  const gone = log.clients.filter((client) => !client.here);
  by('away').hidden = gone.length === 0;
  by('away-title').textContent = `${gone.length} away, who may come back`;
  by('away-list').replaceChildren(
    ...gone.map((client) =>
      make('li', { text: `${author(client.client, client.user)}, last seen at ` }, moment(client.seen)),
    ),
  );
}

export function presence(overview) {
  by('presence-count').textContent = counted(overview.showing, overview.presence.length, 'shown');
  by('no-presence').hidden = overview.presence.length > 0;
  by('presence').replaceChildren(
    ...overview.presence.flatMap(({ client, value }) => [
      make('dt', { text: author(client, null) }),
      make('dd', { kind: 'code', text: oneLine(value, 1000) }),
    ]),
  );
}

export function refused(log) {
  by('refused-count').textContent = `${log.refused.length} lately`;
  by('no-refused').hidden = log.refused.length > 0;
  by('refused').replaceChildren(
    ...[...log.refused].reverse().map((refusal) => {
      const when = refusal.after === null ? '' : `after version ${refusal.after}`;
      return make(
        'li',
        {},
        make('span', { text: `${author(refusal.client, refusal.user)}, submission ${refusal.seq}` }),
        make('span', { kind: 'code', text: oneLine(refusal.refusal, 1000) }),
        make('span', { kind: 'muted', text: when }),
      );
    }),
  );
}

/** What is known of a session as a whole. */
export function facts(overview, log) {
  const last = Math.max(overview.version ?? 0, log?.to ?? 0);
  const facts = [
    ['Version', String(last)],
    ['Clients', String(overview.connected)],
    ['Schema', String(log?.schema ?? overview.schema)],
  ];
  if (log !== undefined) {
    facts.push(['History', `from ${log.from}`], ['Log', bytes(log.log_bytes)]);
  }
  by('facts').replaceChildren(
    ...facts.map(([name, value]) => make('div', {}, make('dt', { text: name }), make('dd', { text: value }))),
  );
  by('waking').textContent = overview.awake ? 'awake' : 'asleep';
  by('waking').dataset.awake = String(overview.awake);
}

/** The list of sessions. */
export function sessions(list, chosen) {
  by('session-list').replaceChildren(
    ...list.map((session) => {
      const link = make('a', { title: `${session.machine}/${session.session}` });
      link.href = `#${session.machine}/${session.session}`;
      if (chosen?.machine === session.machine && chosen.session === session.session) {
        link.setAttribute('aria-current', 'page');
      }
      const here = session.clients === 1 ? '1 client' : `${session.clients} clients`;
      const stands = session.awake ? 'awake' : 'asleep';
      const dot = make('span', { kind: 'dot', title: stands });
      dot.dataset.awake = String(session.awake);
      const about = session.version === null ? stands : `${stands} · v${session.version} · ${here}`;
      link.append(
        dot,
        make('span', { kind: 'name' }, make('span', { kind: 'muted', text: `${session.machine}/` }), session.session),
        make('span', { kind: 'about muted', text: about }),
      );
      return make('li', {}, link);
    }),
  );
}
