// Follows the log of one container (of one start of it), across cuts of the way.
//
// Invariants: a cut is told at once; after it the log is opened again from the last line on, and what was shown is dropped; where
// it is not certain that nothing is missing, that is told in the place where it would be.

import type { End, Live } from "../../api/live.ts";
import type { Fault } from "../../api/fault.ts";
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

export class Follow {
  state: FollowState = { at: "opening", since: Date.now() };
  private readonly seen = new Seen();
  private leave: () => void = () => undefined;
  /** What to say once it is known whether anything is missing. */
  private cut: { from: number; stamp: string } | null = null;

  constructor(
    private readonly live: Live,
    /** The address, from a moment on; for null as it was asked for at first. */
    private readonly path: (sinceTime: string | null) => string,
    private readonly hearer: Hearer,
    /** Whether the log goes on when its end came: it does while the container runs. */
    private readonly goesOn: () => boolean,
  ) {}

  start(): void {
    this.leave = this.live.keep(() => this.path(this.seen.reopen()), {
      begun: () => this.is({ at: "live", since: Date.now() }),
      lines: (lines) => this.hear(lines),
      ended: (end) => this.ended(end),
    });
  }

  stop(): void {
    this.leave();
    this.leave = () => undefined;
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

  private ended({ fault, lost }: End): boolean {
    if (fault === null) {
      if (this.goesOn()) return true;
      this.is({ at: "ended", since: Date.now() });
      return false;
    }
    // A no stays a no; what is on the way comes back.
    if (!lost && fault.status >= 400 && fault.status < 500 && fault.status !== 429) {
      this.is({ at: "refused", since: Date.now(), fault });
      return false;
    }
    this.cut ??= this.seen.newestStamp === "" ? null : { from: Date.now(), stamp: this.seen.newestStamp };
    this.is({ at: "away", since: this.state.at === "away" ? this.state.since : Date.now(), fault });
    return true;
  }

  private is(state: FollowState): void {
    this.state = state;
    this.hearer.changed();
  }
}

function momentOf(stamp: string): string {
  return `${new Date(Number(stamp.slice(0, 12)) * 1_000).toISOString().slice(0, 19)}.${stamp.slice(13)}Z`;
}
