/** Lines that come when they come, for one reader who takes them at its own pace. */
import type { Lines } from "../door/answer.ts";

/** So many lines may wait; who reads slower loses the oldest. */
const MOST = 20_000;

export class Queue {
  private waiting: string[] = [];
  private wake: () => void = () => undefined;
  private over = false;
  private last: (() => void)[] = [];
  /** How many were passed over. */
  lost = 0;

  constructor(private readonly signal: AbortSignal) {
    signal.addEventListener("abort", () => this.end());
  }

  push(line: string): void {
    this.waiting.push(line);
    if (this.waiting.length > MOST) this.lost += this.waiting.splice(0, this.waiting.length - MOST).length;
    this.wake();
  }

  /** Is done when the reader has gone. */
  finally(done: () => void): void {
    this.last.push(done);
  }

  end(): void {
    this.over = true;
    this.wake();
  }

  async *lines(): Lines {
    try {
      while (!this.over && !this.signal.aborted) {
        if (this.waiting.length === 0) await new Promise<void>((resolve) => (this.wake = resolve));
        const some = this.waiting;
        this.waiting = [];
        if (some.length > 0) yield some;
      }
    } finally {
      for (const done of this.last) done();
    }
  }
}
