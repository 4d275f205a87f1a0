'use client';

import { useDebugValue, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';

import { NOBODY } from './client.js';
import { CONNECTING, Live, type CreateOptions, type LiveClient } from './create.js';
import type { Outcome, Status } from './index.js';
import type { Presence, State } from './types.js';

/** What the hooks need of a client; every client is one. */
export interface Source<S> {
  readonly state: S | undefined;
  readonly status: Status;
  subscribe(listener: () => void): () => void;
}

/** What {@link usePresence} needs of a client; every client is one. */
export interface PresenceSource<P> {
  readonly presence: ReadonlyMap<number, P>;
  subscribePresence(listener: () => void): () => void;
}

/**
 * A client of a session, for as long as the component lives. Another URL,
 * session, token or name of an identity makes another client; the other options
 * count when it is made.
 *
 * The client is there at the first rendering and connects when the component is
 * on the page: never on a server. A component that leaves and returns at once,
 * as React's StrictMode has it, keeps its connection.
 */
export function useClient(options: CreateOptions): LiveClient {
  return useLive(options, (options) => new Live<State, Presence>(options));
}

/** {@link useClient} for a client of any kind. */
export function useLive<C extends Live<any, any>>(
  options: CreateOptions,
  make: (options: CreateOptions) => C,
): C {
  const { url, session, token, identity } = options;
  const name = typeof identity === 'string' ? identity : null;
  const key = JSON.stringify([String(url), session, token, name]);
  const [held, hold] = useState(() => ({ key, client: make(options) }));
  let { client } = held;
  if (held.key !== key) {
    client = make(options);
    hold({ key, client });
  }
  useEffect(() => {
    retain(client);
    return () => release(client);
  }, [client]);
  return client;
}

/** How many components use a client. */
const users = new WeakMap<Live<any, any>, number>();

function retain(client: Live<any, any>): void {
  users.set(client, (users.get(client) ?? 0) + 1);
  client.open();
}

function release(client: Live<any, any>): void {
  users.set(client, (users.get(client) ?? 0) - 1);
  // Not at once: under StrictMode, and when a page is reloaded while it runs,
  // the same component is back before this.
  setTimeout(() => {
    if (users.get(client) === 0) {
      client.close();
    }
  });
}

/**
 * What the selector takes out of the state; undefined before there is a state,
 * and while a page is rendered on a server. The component is rendered again
 * when that is another value than before, and not otherwise: what did not
 * change in the state is identical. A selector that makes a new value each time
 * needs an `equal` that compares what is in it.
 */
export function useSelector<S, T>(
  client: Source<S>,
  selector: (state: S) => T,
  equal: (one: T, other: T) => boolean = Object.is,
): T | undefined {
  // What the component was last rendered with, by whichever selector: a
  // selector that is made anew in each rendering makes no new value of it.
  const rendered = useRef<{ readonly value: T | undefined } | null>(null);
  const selected = useMemo(() => {
    let memo: { readonly state: S | undefined; readonly value: T | undefined } | undefined;
    return (): T | undefined => {
      const { state } = client;
      if (memo !== undefined && memo.state === state) {
        return memo.value;
      }
      let value = state === undefined ? undefined : selector(state);
      const before = memo ?? rendered.current;
      if (before?.value !== undefined && value !== undefined && equal(before.value, value)) {
        value = before.value;
      }
      memo = { state, value };
      return value;
    };
  }, [client, selector, equal]);
  const value = useSyncExternalStore(useSubscribe(client), selected, onServer);
  useEffect(() => {
    rendered.current = { value };
  }, [value]);
  useDebugValue(value);
  return value;
}

/** How things stand with the client; see {@link Status}. */
export function useStatus(client: Source<unknown>): Status {
  return useSyncExternalStore(
    useSubscribe(client),
    () => client.status,
    // Of a page that is rendered on a server, and of the same when it is first shown.
    () => CONNECTING,
  );
}

/**
 * What the other clients show of themselves, by their numbers; nobody, while a
 * page is rendered on a server. The component is rendered again whenever
 * something of it changes, up to 30 times a second: what need not be is better
 * in a component of its own. What is shown to the others is set by
 * `client.setPresence`, in a listener or an effect.
 */
export function usePresence<P>(client: PresenceSource<P>): ReadonlyMap<number, P> {
  const subscribe = useMemo(
    () => (listener: () => void) => client.subscribePresence(listener),
    [client],
  );
  return useSyncExternalStore(
    subscribe,
    () => client.presence,
    () => NOBODY,
  );
}

/** What {@link useUndo} needs of a client; every client is one. */
export interface UndoSource extends Source<unknown> {
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  undo(): Promise<Outcome> | undefined;
  redo(): Promise<Outcome> | undefined;
}

/** What {@link useUndo} gives, for buttons and keys. */
export interface Undo {
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  undo(): Promise<Outcome> | undefined;
  redo(): Promise<Outcome> | undefined;
}

/**
 * Taking back and doing again what was submitted to this client; the component
 * is rendered again when either becomes possible or impossible. The same object
 * until then.
 */
export function useUndo(client: UndoSource): Undo {
  const both = (): number => Number(client.canUndo) + 2 * Number(client.canRedo);
  const can = useSyncExternalStore(useSubscribe(client), both, () => 0);
  return useMemo(
    () => ({
      canUndo: (can & 1) !== 0,
      canRedo: (can & 2) !== 0,
      undo: () => client.undo(),
      redo: () => client.redo(),
    }),
    [client, can],
  );
}

/** The same function as long as it is the same client. */
function useSubscribe(client: Source<unknown>): (listener: () => void) => () => void {
  return useMemo(() => (listener: () => void) => client.subscribe(listener), [client]);
}

function onServer(): undefined {
  return undefined;
}
