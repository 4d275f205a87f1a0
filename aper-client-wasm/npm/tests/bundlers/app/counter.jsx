'use client';

import { useClient, useSelector, useStatus } from '@aper-examples/counter/react';
import { useState } from 'react';

export function Counter() {
  // Nothing that is shown depends on it before there is a connection.
  const [session] = useState(() =>
    typeof location === 'undefined'
      ? 'prerendered'
      : (new URLSearchParams(location.search).get('session') ?? 'consumer'),
  );
  const client = useClient({ url: '/', session });
  const value = useSelector(client, (state) => state.value);
  const { connection } = useStatus(client);
  const [outcome, setOutcome] = useState('');
  const submit = async (transition) => {
    setOutcome('');
    const outcome = await client.submit(transition);
    setOutcome(outcome.ok ? 'ok' : JSON.stringify(outcome));
  };
  return (
    <>
      <output id="value">{value}</output>
      <button id="increment" onClick={() => submit('increment')}>
        +1
      </button>
      <button id="decrement" onClick={() => submit('decrement')}>
        −1
      </button>
      <p id="outcome">{outcome}</p>
      <p id="connection">{connection}</p>
    </>
  );
}
