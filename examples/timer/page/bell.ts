/**
 * The sound of a timer that rings. Browsers let a page make sounds only after
 * the visitor has asked for it, so it is off until somebody switches it on.
 */
export class Bell {
  #audio: AudioContext | undefined;
  /** The timers that have rung and been heard of; none before the first look. */
  #known: Set<string> | undefined;

  /** Whether it would sound. */
  get on(): boolean {
    return this.#audio?.state === 'running';
  }

  /** To be called in a click. */
  async toggle(): Promise<void> {
    if (this.on) {
      await this.#audio?.suspend();
      return;
    }
    this.#audio ??= new AudioContext();
    await this.#audio.resume();
    this.#strike(0, 660);
  }

  /** Sounds for every timer that has not rung when last asked. */
  hears(rung: readonly string[]): void {
    const news = rung.some((id) => this.#known?.has(id) === false);
    this.#known = new Set(rung);
    if (news && this.on) {
      [0, 0.25, 0.5, 1, 1.25, 1.5].forEach((after, index) =>
        this.#strike(after, index % 3 === 2 ? 880 : 660),
      );
    }
  }

  #strike(after: number, frequency: number): void {
    if (!this.#audio) {
      return;
    }
    const start = this.#audio.currentTime + after;
    const tone = new OscillatorNode(this.#audio, { type: 'sine', frequency });
    const volume = new GainNode(this.#audio, { gain: 0 });
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(0.35, start + 0.01);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.6);
    tone.connect(volume).connect(this.#audio.destination);
    tone.start(start);
    tone.stop(start + 0.7);
  }
}
