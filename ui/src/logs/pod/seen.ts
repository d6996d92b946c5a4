// What was shown of a log just now, so that a log that is opened again goes on without a line lost or doubled.
//
// A log is opened again from a whole second on, since that is all that the API takes, and says some lines a second time. Each of
// them that was shown (same moment to the nanosecond, same text; as often as it was shown) is dropped.
//
// Invariants: lines that come out of order within two seconds are neither lost nor doubled; it is certain that nothing is missing
// only when the last line that was shown comes again; no more than MOST_HELD lines are remembered.

import { secondOf } from "./line.ts";

const MOST_HELD = 20_000;
/** So many seconds before the newest are asked for again. */
const OVERLAP = 1;

export type Fresh = "shown" | "new" | "after a gap";

export class Seen {
  /** Seconds, and how often each of their lines was shown. */
  private held = new Map<number, Map<string, number>>();
  private count = 0;
  private newest = "";
  private first = "";
  private last = "";
  /** Nothing is remembered of what was before this second. */
  private from = 0;
  /** The second of which not everything was remembered. */
  private overflowed = 0;
  /** What the log that was opened again may still say a second time. */
  private again: Map<string, number> | null = null;
  private until = 0;
  private met = true;

  /** A line is shown. */
  take(stamp: string, text: string): void {
    if (stamp === "") return;
    const second = secondOf(stamp);
    this.first ||= stamp;
    if (stamp >= this.newest) {
      this.newest = stamp;
      this.last = nameOf(stamp, text);
    }
    const lines = this.held.get(second) ?? new Map<string, number>();
    this.held.set(second, lines);
    const name = nameOf(stamp, text);
    lines.set(name, (lines.get(name) ?? 0) + 1);
    this.count++;
    this.forget(secondOf(this.newest));
  }

  private forget(newest: number): void {
    for (const [second, gone] of this.held) {
      const tooMany = this.count > MOST_HELD && second < newest;
      if (second >= newest - OVERLAP && !tooMany) continue;
      if (tooMany) this.from = second + 1;
      this.held.delete(second);
      for (const times of gone.values()) this.count -= times;
    }
    if (this.count > MOST_HELD) {
      // Of one second alone more than can be remembered.
      this.overflowed = newest;
      this.held.clear();
      this.count = 0;
    }
  }

  /** From when on the log is opened again; null when nothing was shown. Whatever comes then is put to `fresh`. */
  reopen(): string | null {
    if (this.newest === "") return null;
    const newest = secondOf(this.newest);
    const from = Math.max(newest - OVERLAP, this.from);
    this.again = new Map();
    for (const lines of this.held.values()) for (const [name, times] of lines) this.again.set(name, times);
    this.until = newest + OVERLAP;
    this.met = false;
    return new Date(from * 1_000).toISOString().replace(".000Z", "Z");
  }

  /** The moment of the newest line that was shown, to sort by. */
  get newestStamp(): string {
    return this.newest;
  }

  /** Whether a line of the log that was opened again was shown before, and if not, whether something may be missing before it. */
  fresh(stamp: string, text: string): Fresh {
    if (this.again === null) return "new";
    // What stood before the first line was not asked for.
    if (stamp !== "" && stamp < this.first) return "shown";
    const name = nameOf(stamp, text);
    // Of that second it is not known what was shown: nothing of it is shown again, and it is told that some may be missing.
    if (stamp !== "" && secondOf(stamp) === this.overflowed && stamp <= this.newest) return "shown";
    const times = this.again.get(name) ?? 0;
    if (times > 0) {
      this.again.set(name, times - 1);
      if (name === this.last) this.met = true;
      return "shown";
    }
    const gap = stamp > this.newest && !this.met;
    if (gap) this.met = true;
    if (stamp !== "" && secondOf(stamp) > this.until) this.again = null;
    return gap ? "after a gap" : "new";
  }
}

/** A short name of a line: its moment, its length and 53 bits of what it says. */
function nameOf(stamp: string, text: string): string {
  let one = 0xdeadbeef;
  let other = 0x41c6ce57;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    one = Math.imul(one ^ code, 2_654_435_761);
    other = Math.imul(other ^ code, 1_597_334_677);
  }
  one = Math.imul(one ^ (one >>> 16), 2_246_822_507) ^ Math.imul(other ^ (other >>> 13), 3_266_489_909);
  other = Math.imul(other ^ (other >>> 16), 2_246_822_507) ^ Math.imul(one ^ (one >>> 13), 3_266_489_909);
  return `${stamp} ${text.length} ${4_294_967_296 * (2_097_151 & other) + (one >>> 0)}`;
}
