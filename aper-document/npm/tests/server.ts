import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A real server on a port of its own: the examples', unless APER_SERVER names another. */
export class Server {
  private constructor(
    readonly url: string,
    readonly process: ChildProcess,
  ) {}

  static async start(): Promise<Server> {
    const program = process.env['APER_SERVER'] ?? 'target/debug/aper-examples-server';
    const server = spawn(program, ['--listen', '127.0.0.1:0', '--journal-in-memory'], {
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    for await (const line of createInterface(server.stderr)) {
      const address = /127\.0\.0\.1:\d+/.exec(line)?.[0];
      if (address !== undefined) {
        server.stderr.resume();
        return new Server(`ws://${address}`, server);
      }
    }
    throw new Error(`${program} ended before it listened`);
  }

  async stop(): Promise<void> {
    const ended = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    await ended;
  }
}
