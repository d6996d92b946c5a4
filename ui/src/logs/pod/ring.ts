// The newest lines of all containers together, in the order of their moments.
//
// Invariants: no more than `most` are kept, the oldest go; lines of one moment stay in the order in which they came; what comes
// late is put where it belongs, as far back as LATE lines.

import type { LogLine } from "./line.ts";

export const MOST_LINES = 50_000;
/** A line that is later than so many others stands where it came. */
const LATE = 10_000;

export class Ring {
  private kept: LogLine[] = [];
  private gone = 0;

  constructor(private readonly most = MOST_LINES) {}

  get lines(): readonly LogLine[] {
    return this.kept;
  }

  /** How many went for want of room. */
  get dropped(): number {
    return this.gone;
  }

  add(lines: LogLine[]): void {
    if (lines.length === 0) return;
    const lot = ordered(lines);
    const first = lot[0]?.stamp ?? "";
    const floor = Math.max(0, this.kept.length - LATE);
    let cut = this.kept.length;
    while (first !== "" && cut > floor && (this.kept[cut - 1]?.stamp ?? "") > first) cut--;
    const after = this.kept.splice(cut);
    for (let left = 0, right = 0; left < after.length || right < lot.length; ) {
      const one = after[left];
      const other = lot[right];
      // What has no moment stands where it came.
      if (one !== undefined && (other === undefined || (other.stamp !== "" && one.stamp <= other.stamp))) {
        this.kept.push(one);
        left++;
      } else if (other !== undefined) {
        this.kept.push(other);
        right++;
      }
    }
    const over = this.kept.length - this.most;
    if (over > 0) {
      this.kept.splice(0, over);
      this.gone += over;
    }
  }

  clear(): void {
    this.kept = [];
    this.gone = 0;
  }
}

/** By moment, where that is not so already; what has none stays behind what it came after. */
function ordered(lines: LogLine[]): LogLine[] {
  let before = "";
  const keyed = lines.map((line) => {
    const key = line.stamp === "" ? before : line.stamp;
    before = key;
    return { line, key };
  });
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ line }) => line);
}
