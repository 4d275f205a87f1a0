import { useClient, useSelector, useStatus } from 'aper-document/react';
import { memo, useEffect, useState, type FormEvent } from 'react';

import { prepare, session, type Board, type Client, type Todo } from './board.js';

const SESSION = session();

export function App() {
  const client = useClient<Board>({ url: '/', session: SESSION });
  const todos = useSelector(client, (board) => board.todos);
  useEffect(() => {
    // Closed before it was ready: there is nothing left to prepare.
    prepare(client).catch(() => {});
  }, [client]);
  return (
    <main>
      <h1>To do</h1>
      <Saved client={client} />
      <NewTodo client={client} isReady={todos !== undefined} />
      <ul>
        {todos?.map(({ id, value }) => (
          <Row key={id} client={client} id={id} todo={value} />
        ))}
      </ul>
      {todos?.length === 0 && <p className="hint">Nothing to do. Open this page twice.</p>}
    </main>
  );
}

function Saved({ client }: { client: Client }) {
  const { connection, saved, problem } = useStatus(client);
  const text =
    problem?.text ??
    (connection !== 'online' ? 'Offline: changes are kept' : saved ? 'Saved' : 'Saving…');
  return <p role="status">{text}</p>;
}

/** There is nowhere to put one before the list is there. */
function NewTodo({ client, isReady }: { client: Client; isReady: boolean }) {
  const [title, setTitle] = useState('');
  const add = (event: FormEvent) => {
    event.preventDefault();
    if (title.trim() !== '') {
      void client.insert(['todos'], { title: title.trim(), done: false });
      setTitle('');
    }
  };
  return (
    <form onSubmit={add}>
      <input
        aria-label="What is to be done"
        placeholder="What is to be done?"
        value={title}
        onChange={(event) => setTitle(event.target.value)}
      />
      <button disabled={!isReady}>Add</button>
    </form>
  );
}

/** Rendered again only when its own to-do has changed. */
const Row = memo(function Row({ client, id, todo }: { client: Client; id: string; todo: Todo }) {
  return (
    <li>
      <label className={todo.done ? 'done' : ''}>
        <input
          type="checkbox"
          checked={todo.done}
          onChange={(event) => void client.set(['todos', id, 'done'], event.target.checked)}
        />
        {todo.title}
      </label>
      <button
        aria-label={`Remove “${todo.title}”`}
        onClick={() => void client.remove(['todos', id])}
      >
        ×
      </button>
    </li>
  );
});
