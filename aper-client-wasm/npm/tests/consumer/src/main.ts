/** The smallest page that is of use: it shows the number and changes it. */

import { connect, type State, type Transition } from '@aper-examples/counter';

const session = new URLSearchParams(location.search).get('session') ?? 'consumer';
const client = await connect(new URL(`/counter/${session}`, location.href.replace(/^http/, 'ws')));

const element = (id: string): HTMLElement => {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no #${id}`);
  return found;
};

client.subscribe(draw);
draw();

function draw(): void {
  const state: State | undefined = client.state;
  element('value').textContent = state === undefined ? '' : String(state.value);
}

for (const transition of ['increment', 'decrement'] satisfies Transition[]) {
  element(transition).addEventListener('click', async () => {
    element('outcome').textContent = '';
    const outcome = await client.submit(transition);
    element('outcome').textContent = outcome.ok ? 'ok' : JSON.stringify(outcome);
  });
}
