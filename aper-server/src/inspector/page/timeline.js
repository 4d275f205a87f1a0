/** Which version is looked at, and the states that were: one session's. */

import { json, sessionPath } from './server.js';

/** States that are remembered. */
const STATES = 40;

export class Timeline {
  /**
   * @param {{ machine: string, session: string }} subject
   * @param {(shown: { version: number, answer: any, before: any }) => void} show
   * @param {(error: Error, version: number) => void} fail
   */
  constructor(subject, show, fail) {
    this.path = sessionPath(subject);
    this.show = show;
    this.fail = fail;
    this.from = 0;
    this.to = 0;
    /** The version that is looked at; null for whatever is the last. */
    this.chosen = null;
    this.states = new Map();
    this.working = false;
    this.shown = undefined;
    this.ended = new AbortController();
  }

  get version() {
    return this.chosen ?? this.to;
  }

  get live() {
    return this.chosen === null;
  }

  /** There are these versions now. */
  reaches(from, to) {
    this.from = from;
    this.to = to;
    if (this.chosen !== null) {
      this.chosen = Math.min(Math.max(this.chosen, from), to);
    }
    void this.catchUp();
  }

  choose(version) {
    this.chosen = version === null ? null : Math.min(Math.max(version, this.from), this.to);
    void this.catchUp();
  }

  end() {
    this.ended.abort();
  }

  /** Gets what is to be shown; if that changes meanwhile, only the last. */
  async catchUp() {
    if (this.working) {
      return;
    }
    this.working = true;
    let failed;
    while (!this.ended.signal.aborted && this.shown !== this.version && failed !== this.version) {
      const { version } = this;
      try {
        const answer = await this.state(version);
        // Another is wanted already: its neighbour is not waited for.
        const before =
          version > this.from && version === this.version
            ? await this.state(version - 1).catch(() => undefined)
            : undefined;
        if (!this.ended.signal.aborted && version === this.version) {
          this.shown = version;
          this.show({ version, answer, before });
        }
      } catch (error) {
        failed = version;
        if (!this.ended.signal.aborted && version === this.version) {
          this.shown = undefined;
          this.fail(error, version);
        }
      }
    }
    this.working = false;
  }

  async state(version) {
    const known = this.states.get(version);
    if (known !== undefined) {
      this.states.delete(version);
      this.states.set(version, known);
      return known;
    }
    const answer = await json(`${this.path}/state?version=${version}`, this.ended.signal);
    this.states.set(version, answer);
    for (const oldest of this.states.keys()) {
      if (this.states.size <= STATES) {
        break;
      }
      this.states.delete(oldest);
    }
    return answer;
  }
}
