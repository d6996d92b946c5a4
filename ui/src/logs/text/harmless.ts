// What a cluster says, made harmless to look at: colours may stay, everything else that a terminal or a browser would obey is
// taken out or shown as what it is.
//
// Invariants:
// - no control character and no bidirectional override is in what comes out;
// - nothing is hidden: of a sequence that does not end only its beginning is taken, and a colour never equals its ground;
// - it takes one pass, whatever the text.

/** How a piece of text looks. `colour` is one of the sixteen that terminals have. */
export interface Look {
  colour?: number;
  bold?: boolean;
  dim?: boolean;
  italic?: boolean;
  underline?: boolean;
}

export interface Piece {
  text: string;
  look: Look | null;
}

const ESC = "\u001b";
/** A sequence that is longer is none. */
const LONGEST_SEQUENCE = 4_096;
/** Invisible, or changes the order in which letters are shown: told by its number in place of being obeyed. */
const UNSEEN = /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]/;

/** The text in pieces, each with its look. */
export function pieces(line: string): Piece[] {
  const found: Piece[] = [];
  let look: Look | null = null;
  let text = "";
  const flush = () => {
    if (text !== "") found.push({ text, look });
    text = "";
  };
  const end = line.endsWith("\r") ? line.length - 1 : line.length;
  for (let at = 0; at < end; ) {
    const sequence = sequenceAt(line, at);
    if (sequence !== null) {
      if (sequence.look !== undefined) {
        flush();
        look = looked(look, sequence.look);
      }
      at = sequence.end;
      continue;
    }
    const point = line.codePointAt(at) ?? 0;
    text += shown(point);
    at += point > 0xffff ? 2 : 1;
  }
  flush();
  return found;
}

/** The text alone. */
export function plain(line: string): string {
  return pieces(line).map(({ text }) => text).join("");
}

/** Several lines, each as `plain` has it. */
export function plainLines(text: string): string {
  return text.split("\n").map(plain).join("\n");
}

function shown(point: number): string {
  if (point === 0x09) return "\t";
  if (point < 0x20) return String.fromCodePoint(0x2400 + point);
  if (point === 0x7f) return "\u2421";
  if (point < 0x7f) return String.fromCodePoint(point);
  if (point < 0xa0 || (point >= 0xe0000 && point <= 0xe0fff)) return numbered(point);
  if (point >= 0xd800 && point <= 0xdfff) return "\ufffd";
  const letter = String.fromCodePoint(point);
  return UNSEEN.test(letter) ? numbered(point) : letter;
}

function numbered(point: number): string {
  return `\u27e8U+${point.toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
}

interface Sequence {
  end: number;
  /** The numbers of a `CSI ... m`. */
  look?: string;
}

/** The sequence that begins here, if one does. */
function sequenceAt(line: string, at: number): Sequence | null {
  const first = line.charCodeAt(at);
  if (first === 0x1b) {
    const second = line[at + 1];
    if (second === undefined) return { end: at + 1 };
    if (second === "[") return control(line, at + 2);
    if (second === "]" || "PX^_".includes(second)) return string(line, at + 2);
    // Intermediates, and then what ends it.
    let next = at + 1;
    while (next < line.length && inRange(line, next, 0x20, 0x2f)) next++;
    return { end: inRange(line, next, 0x30, 0x7e) ? next + 1 : Math.max(next, at + 1) };
  }
  if (first === 0x9b) return control(line, at + 1);
  if (first === 0x9d || first === 0x90 || first === 0x98 || first === 0x9e || first === 0x9f) return string(line, at + 1);
  return null;
}

/** Parameters, intermediates and one final letter; where that does not come, the introducer alone. */
function control(line: string, from: number): Sequence {
  let at = from;
  const most = Math.min(line.length, from + LONGEST_SEQUENCE);
  while (at < most && inRange(line, at, 0x30, 0x3f)) at++;
  const numbers = line.slice(from, at);
  const middle = at;
  while (at < most && inRange(line, at, 0x20, 0x2f)) at++;
  if (at >= most || !inRange(line, at, 0x40, 0x7e)) return { end: from };
  const isLook = line[at] === "m" && at === middle && /^[\d;:]*$/.test(numbers);
  return isLook ? { end: at + 1, look: numbers } : { end: at + 1 };
}

/** Up to BEL or ST; where neither comes, the introducer alone. */
function string(line: string, from: number): Sequence {
  const most = Math.min(line.length, from + LONGEST_SEQUENCE);
  for (let at = from; at < most; at++) {
    const code = line.charCodeAt(at);
    if (code === 0x07 || code === 0x9c) return { end: at + 1 };
    if (code === 0x1b) return line[at + 1] === "\\" ? { end: at + 2 } : { end: at };
  }
  return { end: from };
}

function inRange(line: string, at: number, from: number, to: number): boolean {
  const code = line.charCodeAt(at);
  return code >= from && code <= to;
}

/** The look after a `CSI ... m`. Grounds, blinking and concealing are read past: text could be hidden by them. */
function looked(before: Look | null, numbers: string): Look | null {
  const codes = numbers.split(/[;:]/).map((code) => (code === "" ? 0 : Number(code)));
  let look: Look = { ...before };
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0;
    if (code === 0) look = {};
    else if (code === 1) look.bold = true;
    else if (code === 2) look.dim = true;
    else if (code === 3) look.italic = true;
    else if (code === 4) look.underline = true;
    else if (code === 22) look = without(look, "bold", "dim");
    else if (code === 23) look = without(look, "italic");
    else if (code === 24) look = without(look, "underline");
    else if (code >= 30 && code <= 37) look.colour = code - 30;
    else if (code >= 90 && code <= 97) look.colour = code - 82;
    else if (code === 39) look = without(look, "colour");
    else if (code === 38 || code === 48) {
      const colour = codes[at + 1] === 5 ? ofPalette(codes[at + 2] ?? 0) : nearest(codes[at + 2] ?? 0, codes[at + 3] ?? 0, codes[at + 4] ?? 0);
      at += codes[at + 1] === 5 ? 2 : codes[at + 1] === 2 ? 4 : 0;
      if (code === 38) look.colour = colour;
    }
  }
  return Object.keys(look).length === 0 ? null : look;
}

function without(look: Look, ...names: (keyof Look)[]): Look {
  const rest = { ...look };
  for (const name of names) delete rest[name];
  return rest;
}

/** One of the 256 colours, as the nearest of the sixteen. */
function ofPalette(index: number): number {
  if (index < 16) return index;
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return nearest(grey, grey, grey);
  }
  const step = (value: number) => (value === 0 ? 0 : 55 + value * 40);
  const cube = index - 16;
  return nearest(step(Math.floor(cube / 36)), step(Math.floor(cube / 6) % 6), step(cube % 6));
}

function nearest(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue);
  const least = Math.min(red, green, blue);
  if (most - least < 32) return most < 64 ? 0 : most < 160 ? 8 : most < 224 ? 7 : 15;
  const half = (most + least) / 2;
  const bits = (red > half ? 1 : 0) | (green > half ? 2 : 0) | (blue > half ? 4 : 0);
  return bits + (most > 192 ? 8 : 0);
}

/** Whether there is anything in a line that is not shown as it is. */
export function hasSequences(line: string): boolean {
  return line.includes(ESC) || line.includes("\u009b");
}
