// A live socket for tests: what is asked for waits here, and the test answers.

import { Live, type Ask, type End, type Reader } from "../../api/live.ts";

export interface FakeStream {
  path: string;
  begun(): void;
  lines(lines: string[]): void;
  ended(end: End): void;
}

/** `keep` is the real one: only `open` is answered here. */
export class FakeLive extends Live {
  private readonly asked = new Map<number, FakeStream>();
  private serial = 0;

  constructor() {
    super("ws://localhost", () => "");
  }

  asLive(): Live {
    return this;
  }

  override open(ask: Ask, reader: Reader): () => void {
    const id = ++this.serial;
    this.asked.set(id, {
      path: typeof ask === "string" ? ask : ask.path,
      begun: () => reader.begun?.("text/plain"),
      lines: (lines) => reader.lines(lines, false),
      ended: (end) => {
        if (this.asked.delete(id)) reader.ended(end);
      },
    });
    return () => this.asked.delete(id);
  }

  /** Those that are open. */
  opened(): FakeStream[] {
    return [...this.asked.values()];
  }

  /** The only one that is open; the one that a timer is about to open, if none is. */
  only(): FakeStream {
    const [one, ...rest] = this.opened();
    if (one === undefined || rest.length > 0) throw new Error(`${this.opened().length} streams are open`);
    return one;
  }
}
