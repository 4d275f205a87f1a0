/**
 * A TCP proxy that misbehaves on demand: what a bad network does to a page,
 * without asking the browser to pretend. It knows nothing of what passes.
 */

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** One browser's connection, and the server's end of it. */
interface Pair {
  browser: Socket;
  server: Socket;
}

export class Proxy {
  readonly #target: URL;
  readonly #listener: Server;
  readonly #pairs = new Set<Pair>();
  #refuses = false;
  #stalled = false;

  private constructor(target: URL) {
    this.#target = target;
    this.#listener = createServer((browser) => this.#accept(browser));
  }

  /** A proxy before the server of that address, on a port of its own. */
  static async before(target: string): Promise<Proxy> {
    const proxy = new Proxy(new URL(target));
    await new Promise<void>((listening) => proxy.#listener.listen(0, '127.0.0.1', listening));
    return proxy;
  }

  /** The address by which a page goes through the proxy. */
  get origin(): string {
    return `http://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  /** Breaks every connection, and lets no new one through. */
  cut(): void {
    this.#refuses = true;
    for (const { browser, server } of this.#pairs) {
      browser.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** Lets new connections through again. */
  restore(): void {
    this.#refuses = false;
  }

  /** Holds back every byte, both ways, until {@link flow}. Nothing is lost. */
  stall(): void {
    this.#stalled = true;
    for (const { browser, server } of this.#pairs) {
      browser.pause();
      server.pause();
    }
  }

  /** Lets what was held back pass, in its order. */
  flow(): void {
    this.#stalled = false;
    for (const { browser, server } of this.#pairs) {
      browser.resume();
      server.resume();
    }
  }

  /**
   * Swallows every byte of the connections that there are, for ever, and tells
   * nobody: a cable that is pulled out. New connections pass.
   */
  blackHole(): void {
    for (const pair of this.#pairs) {
      for (const socket of [pair.browser, pair.server]) {
        socket.removeAllListeners('data');
        socket.removeAllListeners('end');
        socket.resume();
      }
    }
  }

  /**
   * Swallows every byte that the server sends on the connections that there
   * are; what the browsers send arrives. New connections pass.
   */
  mute(): void {
    for (const { server } of this.#pairs) {
      server.removeAllListeners('data');
      server.resume();
    }
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.cut();
    await new Promise((closed) => this.#listener.close(closed));
  }

  #accept(browser: Socket): void {
    if (this.#refuses) {
      browser.on('error', () => {});
      browser.resetAndDestroy();
      return;
    }
    const server = connect({ host: this.#target.hostname, port: Number(this.#target.port) });
    const pair = { browser, server };
    this.#pairs.add(pair);
    this.#forward(browser, server, pair);
    this.#forward(server, browser, pair);
    if (this.#stalled) {
      browser.pause();
      server.pause();
    }
  }

  #forward(from: Socket, to: Socket, pair: Pair): void {
    // A delay of the kernel's own would only blur what a test arranges.
    from.setNoDelay(true);
    from.on('data', (bytes) => to.write(bytes));
    from.on('end', () => to.end());
    // A broken connection is what this is for; the other end breaks, too.
    from.on('error', () => {});
    from.on('close', () => {
      if (from.errored) {
        to.destroy();
      }
      if (to.destroyed) {
        this.#pairs.delete(pair);
      }
    });
  }
}
