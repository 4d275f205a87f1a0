import { onMount } from 'svelte';

import { Live, type CreateOptions, type LiveClient } from './create.js';
import type { Status } from './index.js';
import type { Presence, State } from './types.js';

/** A store as Svelte has them: in a component, `$store` is its value. */
export interface Store<T> {
  subscribe(run: (value: T) => void): () => void;
}

/**
 * A client of a session, for as long as the component lives; to be called while
 * that is made, as everything here. The options count then: another session is
 * another component, `{#key session}`.
 *
 * The client is there at once and connects when the component is on the page:
 * never on a server.
 */
export function useClient(options: CreateOptions): LiveClient {
  return useLive(new Live<State, Presence>(options));
}

/** {@link useClient} for a client of any kind, which is not opened yet. */
export function useLive<C extends Live<any, any>>(client: C): C {
  onMount(() => {
    client.open();
    return () => client.close();
  });
  return client;
}

/**
 * What the selector takes out of the state; undefined before there is a state,
 * and while a page is rendered on a server. The store tells when that is
 * another value than before, and not otherwise: what did not change in the
 * state is identical. A selector that makes a new value each time needs an
 * `equal` that compares what is in it.
 */
export function useSelector<S, T>(
  client: LiveClient<S, any>,
  selector: (state: S) => T,
  equal: (one: T, other: T) => boolean = Object.is,
): Store<T | undefined> {
  return {
    subscribe(run) {
      const { state } = client;
      run(state === undefined ? undefined : selector(state));
      return client.select(selector, (value) => run(value), { equal });
    },
  };
}

/** How things stand with the client; see {@link Status}. */
export function useStatus(client: LiveClient<any, any>): Store<Status> {
  return {
    subscribe(run) {
      run(client.status);
      return client.on('status', run);
    },
  };
}

/**
 * What the other clients show of themselves, by their numbers; nobody, while a
 * page is rendered on a server. Another map whenever something of it changes,
 * up to 30 times a second; every value that does not is the same. What is shown
 * to the others is set by `client.setPresence`.
 */
export function usePresence<P>(client: LiveClient<any, P>): Store<ReadonlyMap<number, P>> {
  return {
    subscribe(run) {
      run(client.presence);
      return client.on('presence', run);
    },
  };
}
