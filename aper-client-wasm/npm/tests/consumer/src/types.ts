/** What must not compile. `tsc` fails here when one of these lines does. */

import { connect, type Conflict, type State, type Transition } from '@aper-examples/counter';

export async function wrong(): Promise<void> {
  const client = await connect('wss://example.org/counter/types');
  // @ts-expect-error there is no such transition
  await client.submit('double');
  // @ts-expect-error a transition is no number
  await client.submit(1);
  // @ts-expect-error the state has no such field
  client.state?.total;
  // @ts-expect-error the state may not have come yet
  const state: State = client.state;
  // @ts-expect-error nobody changes what the client shows
  client.state = { value: 1 };
  // @ts-expect-error there is no such status
  client.status.connection === 'asleep';
  // @ts-expect-error there is no such conflict
  const conflict: Conflict = 'tooMany';
  const transition: Transition = 'increment';
  console.log(conflict, state, transition);
}
