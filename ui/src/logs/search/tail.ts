// The live tail: records as they arrive, by the tab's socket.
//
// Invariants: no more than MOST_KEPT records are kept, and it is counted what went; what was passed over by the gateway, and
// when the socket was away, stands between the records where it was, since a tail does not catch up: the search does.

import { Batched } from "../../api/batch.ts";
import type { Shapes } from "../../api/client.ts";
import type { Fault } from "../../api/fault.ts";
import type { Live } from "../../api/live.ts";
import { parameters } from "./find.ts";
import type { LogRecord } from "./record.ts";

export const MOST_KEPT = 5_000;

export type Tailed =
  | { kind: "record"; key: number; record: LogRecord }
  | { kind: "passedOver"; key: number; records: number }
  | { kind: "away"; key: number; from: number; to: number | null };

export interface TailView {
  items: Tailed[];
  arrived: number;
  dropped: number;
  state: "opening" | "live" | "away";
  since: number;
  fault: Fault | null;
}

export interface TailOf {
  q: string;
  clusters: string;
  selector: string;
}

export class Tail extends Batched<TailView> {
  private items: Tailed[] = [];
  private arrived = 0;
  private dropped = 0;
  private last = 0;
  private state: TailView["state"] = "opening";
  private since = Date.now();
  private fault: Fault | null = null;
  private leave: () => void = () => undefined;

  constructor(
    private readonly live: Live,
    private readonly of: TailOf,
  ) {
    super();
  }

  start(): void {
    const path = `/trunkline/v1/logs/tail?${new URLSearchParams(parameters({ ...this.of })).toString()}`;
    this.leave = this.live.keep(() => path, {
      begun: () => {
        const away = this.items.at(-1);
        if (away?.kind === "away" && away.to === null) this.items[this.items.length - 1] = { ...away, to: Date.now() };
        this.is("live", null);
      },
      lines: (lines) => {
        for (const line of lines) this.hear(line);
        this.changed();
      },
      ended: ({ fault, lost }) => {
        if (this.state === "live") this.put({ kind: "away", key: ++this.last, from: Date.now(), to: null });
        this.is(this.state === "opening" ? "opening" : "away", fault);
        // What is refused waits for somebody.
        return lost || fault === null || fault.status === 0 || fault.status >= 500;
      },
    });
  }

  stop(): void {
    this.leave();
  }

  protected override build(): TailView {
    return { items: [...this.items], arrived: this.arrived, dropped: this.dropped, state: this.state, since: this.since, fault: this.fault };
  }

  private is(state: TailView["state"], fault: Fault | null): void {
    if (state !== this.state) this.since = Date.now();
    this.state = state;
    this.fault = fault;
    this.changed();
  }

  private hear(line: string): void {
    let event: Shapes["LogEvent"];
    try {
      event = JSON.parse(line) as Shapes["LogEvent"];
    } catch {
      // A record that is longer than a message comes cut: it counts, and the search has it.
      this.put({ kind: "passedOver", key: ++this.last, records: 1 });
      return;
    }
    if (event.type === "passedOver") {
      const before = this.items.at(-1);
      if (before?.kind === "passedOver") this.items[this.items.length - 1] = { ...before, records: before.records + event.records };
      else this.put({ kind: "passedOver", key: ++this.last, records: event.records });
    } else {
      this.arrived++;
      this.put({ kind: "record", key: ++this.last, record: event });
    }
  }

  private put(item: Tailed): void {
    this.items.push(item);
    // Now and then many at once: a removal moves all that stay.
    if (this.items.length >= MOST_KEPT * 1.1) this.dropped += this.items.splice(0, this.items.length - MOST_KEPT).filter(({ kind }) => kind === "record").length;
  }
}
