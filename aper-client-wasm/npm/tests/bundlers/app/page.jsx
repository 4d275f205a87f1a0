// Imported where there is no browser.
import { AperError } from '@aper-examples/counter';

import { Counter } from './counter';

export default function Page() {
  const error = new AperError('load', 'of a server');
  return (
    <main>
      <p id="server">{error.text ?? error.message}</p>
      <Counter />
    </main>
  );
}
