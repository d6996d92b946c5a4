// Follows the log of one container (of one start of it), across cuts of the way.
//
// Invariants: a cut is told at once; after it the log is opened again from the last line on, and what was shown is dropped; where
// it is not certain that nothing is missing, that is told in the place where it would be. Before it is opened again it is asked
// whether the container is still the same start of it: the API would give the new one's log, which is another.

import type { End, Live } from "../../api/live.ts";
import { asFault, type Fault } from "../../api/fault.ts";
import { stampOf } from "./line.ts";
import { Seen } from "./seen.ts";

export type FollowState =
  | { at: "opening" | "live" | "ended"; since: number }
  | { at: "away"; since: number; fault: Fault | null }
  | { at: "refused"; since: number; fault: Fault };

export interface Said {
  stamp: string;
  at: string;
  text: string;
  mark?: boolean;
}

export interface Hearer {
  said(lines: Said[]): void;
  changed(): void;
}

/** The answer may end some time before it is known that the container has. */
const END_PAUSE_MS = 3_000;
const FIRST_WAIT_MS = 500;
const LAST_WAIT_MS = 8_000;

export class Follow {
  state: FollowState = { at: "opening", since: Date.now() };
  private readonly seen = new Seen();
  private close: () => void = () => undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;
  private stopped = false;
  /** What to say once it is known whether anything is missing. */
  private cut: { from: number; stamp: string } | null = null;

  constructor(
    private readonly live: Live,
    /** The address, from a moment on; for null as it was asked for at first. */
    private readonly path: (sinceTime: string | null) => string,
    private readonly hearer: Hearer,
    /** Asks whether this start of the container still runs. */
    private readonly runs: () => Promise<boolean>,
  ) {}

  start(): void {
    this.open();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.close();
  }

  private open(): void {
    this.close = this.live.open(this.path(this.seen.reopen()), {
      begun: () => {
        this.tries = 0;
        this.is({ at: "live", since: Date.now() });
      },
      lines: (lines) => this.hear(lines),
      ended: (end) => this.ended(end),
    });
  }

  /** Opens again after a while, if there is still something to open. */
  private again(ms: number): void {
    this.timer = setTimeout(() => void this.look(), ms);
  }

  private async look(): Promise<void> {
    try {
      const runs = await this.runs();
      if (this.stopped) return;
      if (runs) this.open();
      else this.over();
    } catch (error) {
      if (!this.stopped) this.ended({ fault: asFault(error), lost: false });
    }
  }

  private over(): void {
    if (this.cut !== null) {
      const text = `the container ended while the way was cut; lines after ${momentOf(this.cut.stamp)} may be missing, and are in the log of the previous start`;
      this.hearer.said([{ stamp: this.cut.stamp, at: "", text, mark: true }]);
    }
    this.cut = null;
    this.is({ at: "ended", since: Date.now() });
  }

  private hear(lines: string[]): void {
    const said: Said[] = [];
    for (const line of lines) {
      const { stamp, at, text } = stampOf(line);
      const fresh = this.seen.fresh(stamp, text);
      if (fresh === "shown") continue;
      if (this.cut !== null) {
        said.push(this.told(fresh === "after a gap", stamp, at));
        this.cut = null;
      }
      this.seen.take(stamp, text);
      said.push({ stamp, at, text });
    }
    if (said.length > 0) this.hearer.said(said);
  }

  private told(gap: boolean, stamp: string, at: string): Said {
    const from = this.cut?.stamp ?? "";
    const seconds = Math.max(1, Math.round((Date.now() - (this.cut?.from ?? 0)) / 1_000));
    const text = gap
      ? `lines may be missing between ${momentOf(from)} and ${at || "now"}`
      : `the way was cut for ${seconds} s; no line is missing`;
    return { stamp: gap ? stamp : from, at: "", text, mark: true };
  }

  private ended({ fault, lost }: End): void {
    if (fault === null) {
      this.again(END_PAUSE_MS);
      return;
    }
    // A no stays a no; what is on the way comes back.
    if (!lost && fault.status >= 400 && fault.status < 500 && fault.status !== 429) {
      this.is({ at: "refused", since: Date.now(), fault });
      return;
    }
    this.cut ??= this.seen.newestStamp === "" ? null : { from: Date.now(), stamp: this.seen.newestStamp };
    this.is({ at: "away", since: this.state.at === "away" ? this.state.since : Date.now(), fault });
    this.again(Math.min(FIRST_WAIT_MS * 2 ** this.tries++, LAST_WAIT_MS));
  }

  private is(state: FollowState): void {
    this.state = state;
    this.hearer.changed();
  }
}

function momentOf(stamp: string): string {
  return `${new Date(Number(stamp.slice(0, 12)) * 1_000).toISOString().slice(0, 19)}.${stamp.slice(13)}Z`;
}
