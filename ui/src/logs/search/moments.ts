// Times in words: "last 2h", "yesterday", "14:00 to 15:30", "2026-11-27 06:00 to now". Pure: now and the zone are given.
//
// In the address a time is either so long before now (`2h`, `30m`) or a moment in ISO 8601; so a link to "last 2h" means
// whoever opens it, and a link to an hour of yesterday means that hour.

/** From when on, and until when; an empty end is now. */
export interface Range {
  from: string;
  to: string;
}

export type Zone = "local" | "utc";

export const LAST_HOUR: Range = { from: "1h", to: "" };

export const PRESETS: { words: string; range: Range }[] = [
  { words: "last 5m", range: { from: "5m", to: "" } },
  { words: "last 15m", range: { from: "15m", to: "" } },
  { words: "last 1h", range: { from: "1h", to: "" } },
  { words: "last 6h", range: { from: "6h", to: "" } },
  { words: "last 24h", range: { from: "24h", to: "" } },
  { words: "last 7d", range: { from: "7d", to: "" } },
  { words: "last 14d", range: { from: "14d", to: "" } },
];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS: Record<string, number> = { s: 1_000, m: MINUTE, h: HOUR, d: DAY, w: 7 * DAY };
const LENGTH = /^(\d{1,5})\s*(s|m|h|d|w|sec|secs|seconds?|min|mins|minutes?|hours?|hrs?|days?|weeks?)$/;

/** The moment that a time of the address is. */
export function moment(time: string, now: number): number {
  const length = lengthOf(time);
  if (length !== null) return now - length;
  const at = Date.parse(time);
  return Number.isNaN(at) ? now : at;
}

/** Both ends as moments, the earlier first. */
export function resolve(range: Range, now: number): { from: number; to: number } {
  const to = range.to === "" ? now : moment(range.to, now);
  return { from: Math.min(moment(range.from, now), to - 1), to };
}

/** `2h`, in milliseconds. */
function lengthOf(text: string): number | null {
  const found = LENGTH.exec(text.trim());
  return found === null ? null : Number(found[1]) * (UNITS[(found[2] ?? "")[0] ?? ""] ?? 0);
}

function short(text: string): string {
  const found = LENGTH.exec(text.trim());
  return found === null ? text : `${Number(found[1])}${(found[2] ?? "")[0] ?? ""}`;
}

/** The range that words mean, or why they mean none. */
export function understand(words: string, now: number, zone: Zone): Range | { error: string } {
  const text = words.trim().toLowerCase().replace(/\s+/g, " ").replace(/^(the )?(last|past|since the last) /, "last ");
  const last = /^(?:last )?(.+)$/.exec(text)?.[1] ?? "";
  if (lengthOf(last) !== null) return checked({ from: short(last), to: "" }, now);
  if (lengthOf(`1 ${last}`) !== null && text.startsWith("last ")) return checked({ from: short(`1 ${last}`), to: "" }, now);
  const today = dayOf(now, zone);
  if (text === "today") return { from: iso(today), to: "" };
  if (text === "yesterday") return { from: iso(dayOf(today - 1, zone)), to: iso(today) };
  const since = /^(?:since|from|after) (.+)$/.exec(text);
  const ends = (since?.[1] ?? text).split(/ (?:to|until|till|–|\.\.) | - /);
  if (ends.length > 2) return { error: "a range has one beginning and one end" };
  const [first = "", second] = ends;
  const from = read(first, now, zone, null);
  if (from === null) return { error: `"${first}" is no time: write last 2h, 14:00 to 15:00, yesterday, or 2026-11-27 14:00` };
  if (second === undefined) {
    // A day alone is all of it; a moment alone is from then on.
    const isDay = since === null && /^\d{4}-\d\d-\d\d$/.test(first);
    return checked({ from: from.time, to: isDay ? iso(dayOf(from.at + DAY + 2 * HOUR, zone)) : "" }, now);
  }
  const to = read(second, now, zone, from.at);
  if (to === null) return { error: `"${second}" is no time` };
  return checked({ from: from.time, to: to.time }, now);
}

function checked(range: Range, now: number): Range | { error: string } {
  const from = moment(range.from, now);
  const to = range.to === "" ? now : moment(range.to, now);
  if (from >= to) return { error: range.to === "" && from >= now ? "this begins in the future" : "the end is not after the beginning" };
  return range;
}

/** One end: a length before now, a moment, or a time of day. */
function read(text: string, now: number, zone: Zone, after: number | null): { time: string; at: number } | null {
  const word = text.trim().replace(/^now-/, "").replace(/ ago$/, "");
  if (word === "now" || word === "") return { time: "", at: now };
  const length = lengthOf(word);
  if (length !== null) return { time: short(word), at: now - length };
  const at = momentOf(word, now, zone, after);
  return at === null ? null : { time: iso(at), at };
}

function momentOf(word: string, now: number, zone: Zone, after: number | null): number | null {
  const clock = /^(?:(today|yesterday) )?(\d{1,2}):(\d\d)(?::(\d\d))?$/.exec(word);
  if (clock !== null) {
    const base = after ?? now;
    const day = dayOf(clock[1] === "yesterday" ? dayOf(now, zone) - 1 : base, zone);
    if (Number(clock[2]) > 24 || Number(clock[3]) > 59) return null;
    const at = day + Number(clock[2]) * HOUR + Number(clock[3]) * MINUTE + Number(clock[4] ?? 0) * 1_000;
    if (after !== null) return at <= after ? at + DAY : at;
    // A time that is still to come was yesterday's.
    return clock[1] === undefined && at > now ? at - DAY : at;
  }
  if (word === "today") return dayOf(now, zone);
  if (word === "yesterday") return dayOf(dayOf(now, zone) - 1, zone);
  const parts = /^(\d{4})-(\d\d)-(\d\d)(?:[t ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?(z|[+-]\d\d:?\d\d)?)?$/.exec(word);
  if (parts === null) return null;
  if (parts[8] !== undefined) {
    const at = Date.parse(word.replace(" ", "t").toUpperCase());
    return Number.isNaN(at) ? null : at;
  }
  const numbers = parts.slice(1, 7).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  const [year, month, day, hour, minute, second] = numbers;
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60) return null;
  const rest = Math.round(Number(`0${parts[7] ?? ""}`) * 1_000);
  const at = zone === "utc" ? Date.UTC(year, month - 1, day, hour, minute, second) : new Date(year, month - 1, day, hour, minute, second).getTime();
  return at + rest;
}

/** When the day of a moment begins. */
function dayOf(at: number, zone: Zone): number {
  if (zone === "utc") return Math.floor(at / DAY) * DAY;
  const day = new Date(at);
  day.setHours(0, 0, 0, 0);
  return day.getTime();
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

/** The range in words. */
export function inWords(range: Range, zone: Zone): string {
  const isLength = lengthOf(range.from) !== null;
  if (isLength && range.to === "") return `last ${short(range.from)}`;
  const end = (time: string) => (time === "" ? "now" : lengthOf(time) !== null ? `${short(time)} ago` : clockTime(Date.parse(time), zone, "seconds"));
  return `${end(range.from)} to ${end(range.to)}`;
}

/** `2026-11-27 06:00:12.345`, in the zone. */
export function clockTime(at: number, zone: Zone, to: "seconds" | "milliseconds" = "milliseconds"): string {
  if (Number.isNaN(at)) return "–";
  const shift = zone === "utc" ? 0 : new Date(at).getTimezoneOffset() * MINUTE;
  const text = new Date(at - shift).toISOString().replace("T", " ").replace("Z", "");
  return to === "seconds" ? text.slice(0, 19) : text;
}

/** The range twice as long around the same middle, not beyond now. */
export function wider(range: Range, now: number): Range {
  const length = range.to === "" ? lengthOf(range.from) : null;
  if (length !== null) {
    const twice = length * 2;
    const [unit, size] = twice % DAY === 0 ? ["d", DAY] : twice % HOUR === 0 ? ["h", HOUR] : twice % MINUTE === 0 ? ["m", MINUTE] : ["s", 1_000];
    return { from: `${twice / size}${unit}`, to: "" };
  }
  const { from, to } = resolve(range, now);
  const half = Math.ceil((to - from) / 2);
  return { from: iso(from - half), to: to + half >= now ? "" : iso(to + half) };
}
