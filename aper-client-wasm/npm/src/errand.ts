import type { MachineClient } from './client.js';
import type { Seat } from './identity.js';
import { seatWithWork } from './seat.js';

/**
 * What tabs that are gone have left to send, this one sends for them whenever
 * it comes online: as the clients that they were, one after the other. How it
 * ended is told by this tab's client.
 */
export function runErrands(
  client: MachineClient,
  session: string,
  open: (seat: Seat) => MachineClient,
): void {
  let running = false;
  let online = false;
  client.subscribe(() => {
    const was = online;
    online = client.status.connection === 'online';
    if (online && !was && !running) {
      running = true;
      // A client that cannot be made is one that cannot be made here at all.
      run()
        .catch(() => {})
        .finally(() => (running = false));
    }
  });

  async function run(): Promise<void> {
    let sent = true;
    while (sent && client.status.connection === 'online') {
      const seat = await seatWithWork(session);
      if (seat === null) {
        return;
      }
      sent = await send(open(seat));
    }
  }

  /** Whether all of it came to an end, before this tab's client did. */
  async function send(other: MachineClient): Promise<boolean> {
    other.onRestored((outcome) => client.tellRestored(outcome));
    await new Promise<void>((over) => {
      const look = (): void => {
        const { saved, problem } = other.status;
        const stopped = problem !== null && problem.code !== 'forgotten';
        if (saved || stopped || client.status.connection === 'closed') {
          over();
        }
      };
      other.subscribe(look);
      client.subscribe(look);
      look();
    });
    const { saved } = other.status;
    other.close();
    return saved;
  }
}
