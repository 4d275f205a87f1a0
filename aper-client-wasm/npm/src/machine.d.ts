// In place of wasm-bindgen's types of the machine's module, which the build
// puts here. What the class does is said in `aper-client-wasm/src/export.rs`.

export class Machine {
  constructor(
    url: string,
    token: string | null | undefined,
    identity: string | null | undefined,
    kept: any[] | null | undefined,
    listener: any,
  );
  static machineName(): string;
  static onPanic(handler: any): void;
  changes(): any;
  id(): number | undefined;
  version(): number | undefined;
  connection(): number;
  pending(): number;
  kept(): boolean;
  setPresence(value: any): void;
  clearPresence(): void;
  presenceChanges(): any;
  undo(settle: any): boolean;
  redo(settle: any): boolean;
  canUndo(): boolean;
  canRedo(): boolean;
  beginGesture(): void;
  endGesture(): void;
  restored(settle: any): boolean;
  discarded(): number;
  stored(serial: number): void;
  notStored(): void;
  problem(): string | undefined;
  problemText(): string | undefined;
  serverTime(): number | undefined;
  submit(transition: any, settle: any): void;
  reconnect(): void;
  close(): void;
  abandon(): void;
  free(): void;
}

export default function init(options: { module_or_path: any }): Promise<unknown>;
