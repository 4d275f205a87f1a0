/**
 * What the pages' shared code needs of a package's client. The packages type
 * it for their machine; this is the same shape for any machine.
 */

export interface Status {
  connection: 'connecting' | 'online' | 'offline' | 'closed';
  pending: number;
  saved: boolean;
  kept: boolean;
  problem: { code: string; text: string } | null;
}

export type Outcome<Conflict> =
  | { ok: true; version: number }
  | { ok: false; conflict: Conflict; affected: number }
  | { ok: false; conflict: null; error: { code: string; text: string } }
  | { ok: null; version: number };

export interface Client<State, Transition, Conflict> {
  readonly state: State | undefined;
  readonly id: number | undefined;
  readonly version: number | undefined;
  readonly status: Status;
  readonly presence: ReadonlyMap<number, unknown>;
  readonly discarded: number;
  submit(transition: Transition): Promise<Outcome<Conflict>>;
  subscribe(listener: () => void): () => void;
  subscribePresence(listener: () => void): () => void;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  undo(): Promise<Outcome<Conflict>> | undefined;
  redo(): Promise<Outcome<Conflict>> | undefined;
  onRestored(listener: (outcome: Outcome<Conflict>) => void): () => void;
  now(): number;
  reconnect(): void;
  close(): void;
}
