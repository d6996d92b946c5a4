// A line of a container's log as the API server gives it with `timestamps=true`: a moment to the nanosecond, and what was said.

export interface LogLine {
  /** Counts all lines of a page, so that each has a name. */
  seq: number;
  /** Which container said it: an index into the view's sources. */
  source: number;
  /** Sorts as the moment does; empty where the line has none. */
  stamp: string;
  /** As it came. */
  at: string;
  text: string;
  /** Not said by the container: told by this page. */
  mark?: boolean;
  /** Of the pattern that was looked for last: whether it is in the line. */
  looked?: { for: object; hit: boolean };
}

const MOMENT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ?/;

/** The moment as text that sorts: seconds since 1970, and nanoseconds. */
export function stampOf(line: string): { stamp: string; at: string; text: string } {
  const found = MOMENT.exec(line);
  const ms = found === null ? NaN : Date.parse(`${found[1] ?? ""}${found[3] ?? ""}`);
  if (found === null || Number.isNaN(ms)) return { stamp: "", at: "", text: line };
  const seconds = String(Math.floor(ms / 1_000)).padStart(12, "0");
  return { stamp: `${seconds}.${(found[2] ?? "").padEnd(9, "0")}`, at: found[0].trimEnd(), text: line.slice(found[0].length) };
}

export function secondOf(stamp: string): number {
  return Number(stamp.slice(0, 12));
}

export function msOf(stamp: string): number {
  return secondOf(stamp) * 1_000 + Number(stamp.slice(13, 16));
}
