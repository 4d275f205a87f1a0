import type { Client } from './api.js';
import { MachineClient, crash } from './client.js';
import { AperError, type ErrorCode } from './error.js';
import { runErrands } from './errand.js';
import { ownSeat, type Identity, type Seat } from './identity.js';
import init, { Machine } from './machine.js';
import { freeSeat } from './seat.js';

export type * from './api.js';
export type * from './types.js';
export { AperError, type ErrorCode };
export type { Identity } from './identity.js';
export {
  createClient,
  type CreateOptions,
  type Events,
  type ListenOptions,
  type LiveClient,
  type Settled,
} from './create.js';

/** What {@link connect} may be told. */
export interface Options {
  /**
   * The session's name, if the URL is the server's address and does not name
   * one: letters, digits, `-` and `_`.
   */
  readonly session?: string;
  /** For the server's own authentication. */
  readonly token?: string;
  /**
   * Where this client's key lives, by which it is the same client the next
   * time. Normally the browser keeps one for each tab and session, together
   * with what has no answer yet. A text stands for another set of places in the
   * browser, so that it is another client; an object is the application's own
   * place, for the key and nothing else.
   */
  readonly identity?: Identity | string;
  /**
   * The module, if it is not where `import.meta.url` says. Only the first
   * call's counts: the module is loaded once.
   */
  readonly wasm?: Wasm | Promise<Wasm>;
}

/** What a WebAssembly module may come as. */
export type Wasm = string | URL | Request | Response | BufferSource | WebAssembly.Module;

/**
 * A client of the session at `url`, which is `wss://host/machine/session`, or
 * `wss://host` if the options name the session; `https:` and paths on the
 * page's own host do as well. Resolves when the WebAssembly module is loaded,
 * and does not wait for the network.
 */
export async function connect(url: string | URL, options: Options = {}): Promise<Client> {
  let address = webSocketAddress(url);
  // Before there is a seat: one that is taken for nothing makes another client
  // of the next attempt.
  await load(options.wasm);
  if (options.session !== undefined) {
    address = sessionAddress(address, options.session);
  }
  const { identity = '' } = options;
  if (typeof identity !== 'string') {
    return client(address, options, await ownSeat(identity));
  }
  const session = `${address} ${identity}`.trim();
  const made = client(address, options, await freeSeat(session));
  runErrands(made, session, (seat) => client(address, options, seat));
  return made;
}

function client(address: string, { token }: Options, seat: Seat): MachineClient {
  try {
    return new MachineClient(address, token, seat);
  } catch (error) {
    seat.release();
    throw error;
  }
}

/** What a recording comes to. */
export interface Replayed {
  /** The last version. */
  readonly version: number;
  /** The hash of the state at that version: 16 hexadecimal digits. */
  readonly hash: string;
}

/**
 * Runs a recording of a session, `aper::sync::Recording` in its encoding, by
 * the machine in this module: to see in a test that it comes to the same here
 * as on a server. Only in packages that are made with
 * `export_client!(…, replay)`. Rejects with `malformed` what is none of this
 * machine's, or cannot be run.
 */
export async function replay(
  recording: Uint8Array,
  options: Pick<Options, 'wasm'> = {},
): Promise<Replayed> {
  await load(options.wasm);
  const machine: typeof Machine & { replay?: (recording: Uint8Array) => BigUint64Array } = Machine;
  if (machine.replay === undefined) {
    throw new AperError('load', 'this package was made without `replay`');
  }
  try {
    const [version = 0n, hash = 0n] = machine.replay(recording);
    return { version: Number(version), hash: hash.toString(16).padStart(16, '0') };
  } catch (text) {
    throw new AperError('malformed', String(text));
  }
}

function webSocketAddress(url: string | URL): string {
  try {
    const address = new URL(url, globalThis.location?.href);
    // Only between these two kinds of schemes may the protocol be set, and
    // http: may become ws:.
    address.protocol = address.protocol.replace(/^http/, 'ws');
    address.hash = '';
    return address.href;
  } catch (cause) {
    throw new AperError('address', `${String(url)} is no address`, { cause });
  }
}

/** The machine's own name is in its module, so that nobody need know it. */
function sessionAddress(server: string, session: string): string {
  const address = new URL(server);
  const within = address.pathname.replace(/\/+$/, '');
  address.pathname = `${within}/${Machine.machineName()}/${encodeURIComponent(session)}`;
  return address.href;
}

let loading: Promise<unknown> | undefined;

/** Loads the module, once. What failed may be tried again. */
async function load(wasm: Options['wasm']): Promise<void> {
  loading ??= (async () => {
    await init({ module_or_path: (await wasm) ?? (await packaged()) });
    Machine.onPanic(crash);
  })();
  try {
    await loading;
  } catch (cause) {
    loading = undefined;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AperError('load', `the WebAssembly module cannot be loaded: ${why}`, { cause });
  }
}

/** The module beside this file. Bundlers know this way of naming it. */
async function packaged(): Promise<Wasm> {
  const module = new URL('./machine_bg.wasm', import.meta.url);
  if (module.protocol !== 'file:' || !('process' in globalThis)) {
    return module;
  }
  // In Node `fetch` does not read files, and what does is not for a bundler to see.
  const files = 'node:fs/promises';
  const { readFile } = await import(/* @vite-ignore */ /* webpackIgnore: true */ files);
  return readFile(module);
}
