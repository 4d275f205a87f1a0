import { onMounted, onScopeDispose, onUnmounted, shallowRef, type ShallowRef } from 'vue';

import { Live, type CreateOptions, type LiveClient } from './create.js';
import type { Status } from './index.js';
import type { Presence, State } from './types.js';

/**
 * A client of a session, for as long as the component lives; to be called in
 * its `setup`, as everything here. The options count then: another session is
 * another component, `:key="session"`.
 *
 * The client is there at once and connects when the component is on the page:
 * never on a server.
 */
export function useClient(options: CreateOptions): LiveClient {
  return useLive(new Live<State, Presence>(options));
}

/** {@link useClient} for a client of any kind, which is not opened yet. */
export function useLive<C extends Live<any, any>>(client: C): C {
  onMounted(() => client.open());
  onUnmounted(() => client.close());
  return client;
}

/**
 * What the selector takes out of the state; undefined before there is a state,
 * and while a page is rendered on a server. It changes when that is another
 * value than before, and not otherwise: what did not change in the state is
 * identical. A selector that makes a new value each time needs an `equal` that
 * compares what is in it.
 */
export function useSelector<S, T>(
  client: LiveClient<S, any>,
  selector: (state: S) => T,
  equal: (one: T, other: T) => boolean = Object.is,
): Readonly<ShallowRef<T | undefined>> {
  const { state } = client;
  const selected = shallowRef(state === undefined ? undefined : selector(state));
  const follow = (value: T | undefined): void => void (selected.value = value);
  onScopeDispose(client.select(selector, follow, { equal }));
  return selected;
}

/** How things stand with the client; see {@link Status}. */
export function useStatus(client: LiveClient<any, any>): Readonly<ShallowRef<Status>> {
  const status = shallowRef(client.status);
  onScopeDispose(client.on('status', (now) => void (status.value = now)));
  return status;
}

/**
 * What the other clients show of themselves, by their numbers; nobody, while a
 * page is rendered on a server. Another map whenever something of it changes,
 * up to 30 times a second; every value that does not is the same. What is shown
 * to the others is set by `client.setPresence`.
 */
export function usePresence<P>(
  client: LiveClient<any, P>,
): Readonly<ShallowRef<ReadonlyMap<number, P>>> {
  const presence = shallowRef(client.presence);
  onScopeDispose(client.on('presence', (now) => void (presence.value = now)));
  return presence;
}
