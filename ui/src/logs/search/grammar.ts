// The line of words and fields, as the gateway reads it (crates/trunkline-logs/src/filter/read.rs): here so that a mistake is
// shown where it is while somebody types, and so that a click can add to the line. The gateway has the last word.

const MOST_BYTES = 4_096;
const MOST_LEAVES = 64;
const MOST_NESTING = 8;
const SHORTEST_BEGINNING = 3;

export interface Mistake {
  words: string;
  /** Where in the text. */
  from: number;
  to: number;
}

interface Piece {
  kind: "open" | "close" | "not" | "or" | "and" | "bare" | "quoted";
  /** As written. */
  from: number;
  to: number;
  text: string;
  /** The quoted value of `name:"value"`. */
  value?: string;
}

const isSpace = (letter: string) => /\s/.test(letter);

/** What is wrong with the text; null if it can be asked. */
export function mistakeIn(text: string): Mistake | null {
  const read = piecesOf(text);
  if ("words" in read) return read;
  if (new TextEncoder().encode(text).length > MOST_BYTES) return { words: `longer than ${MOST_BYTES} bytes`, from: 0, to: text.length };
  const open: Piece[] = [];
  let leaves = 0;
  let before: Piece | null = null;
  for (const piece of read) {
    if (piece.kind === "open" && open.push(piece) > MOST_NESTING) return at(piece, `parentheses lie deeper than ${MOST_NESTING}`);
    const begins = before === null || ["open", "or", "and", "not"].includes(before.kind);
    if (piece.kind === "close") {
      const inner = open.pop();
      if (inner === undefined) return at(piece, "a ) without its (");
      if (before !== null && ["or", "and", "not"].includes(before.kind)) return lonely(before);
    }
    if ((piece.kind === "or" || piece.kind === "and") && begins) return lonely(piece);
    if (piece.kind === "bare" || piece.kind === "quoted") {
      if (++leaves > MOST_LEAVES) return at(piece, `more than ${MOST_LEAVES} words and fields`);
      const wrong = mistakeOfLeaf(piece);
      if (wrong !== null) return at(piece, wrong);
    }
    before = piece;
  }
  const unclosed = open.pop();
  if (unclosed !== undefined) return at(unclosed, "a ( without its )");
  if (before !== null && ["or", "and", "not"].includes(before.kind)) return lonely(before);
  return null;
}

function at(piece: Piece, words: string): Mistake {
  return { words, from: piece.from, to: piece.to };
}

function lonely(piece: Piece): Mistake {
  return at(piece, `${piece.text} stands beside nothing; put it in quotation marks to look for the word itself`);
}

function mistakeOfLeaf(piece: Piece): string | null {
  if (piece.kind === "quoted") return hasLetter(piece.text) ? null : "no letter or digit to look for";
  if (piece.value !== undefined) return piece.text === "" || piece.value === "" ? HALF : null;
  const colon = piece.text.indexOf(":");
  if (colon >= 0) {
    const name = piece.text.slice(0, colon);
    const value = piece.text.slice(colon + 1);
    if (name === "" || value === "") return HALF;
    if (/^\p{L}/u.test(name) && !value.startsWith("//")) return /\*./.test(value) ? STAR : null;
  }
  if (piece.text === "|" || piece.text === "||") return "write OR in place of |";
  if (piece.text === "&&") return "words beside each other must all be there; && is not needed";
  if (piece.text.endsWith("*")) {
    const beginning = piece.text.slice(0, -1);
    const words = beginning.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
    return words.length === 1 && /[\p{L}\p{N}]$/u.test(beginning) && [...(words[0] ?? "")].length >= SHORTEST_BEGINNING ? null : STAR;
  }
  return hasLetter(piece.text) ? null : "no letter or digit to look for";
}

const HALF = "nothing on one side of the colon; write name:value, or name:* for any value";
const STAR = "a star stands at the end, after at least three letters of a word, or as name:*";

function hasLetter(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

function piecesOf(text: string): Piece[] | Mistake {
  const found: Piece[] = [];
  for (let from = 0; from < text.length; ) {
    const letter = text[from] ?? "";
    if (isSpace(letter)) {
      from++;
    } else if (letter === "(" || letter === ")") {
      found.push({ kind: letter === "(" ? "open" : "close", from, to: from + 1, text: letter });
      from++;
    } else if (letter === '"') {
      const quote = quotedAt(text, from);
      if (quote === null) return { words: 'a " without its other', from, to: text.length };
      found.push({ kind: "quoted", from, to: quote.end, text: quote.inner });
      from = quote.end;
    } else if (letter === "-" && from + 1 < text.length && text[from + 1] !== " " && text[from + 1] !== ")") {
      found.push({ kind: "not", from, to: from + 1, text: "-" });
      from++;
    } else {
      let to = from;
      while (to < text.length && !isSpace(text[to] ?? "") && !'()"'.includes(text[to] ?? "")) to++;
      const word = text.slice(from, to);
      if (text[to] === '"' && word.endsWith(":")) {
        const quote = quotedAt(text, to);
        if (quote === null) return { words: 'a " without its other', from: to, to: text.length };
        found.push({ kind: "bare", from, to: quote.end, text: word.slice(0, -1), value: quote.inner });
        from = quote.end;
      } else {
        const kind = word === "OR" ? "or" : word === "AND" ? "and" : word === "NOT" ? "not" : "bare";
        found.push({ kind, from, to, text: word });
        from = to;
      }
    }
  }
  return found;
}

function quotedAt(text: string, from: number): { inner: string; end: number } | null {
  let inner = "";
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '"') return { inner, end: at + 1 };
    if (text[at] === "\\") at++;
    inner += text[at] ?? "";
  }
  return null;
}

/** `name:value`, in quotation marks where they are needed. */
export function term(field: string, value: string): string {
  const bare = value !== "" && !/[\s()"*\\]/.test(value) && !value.startsWith("//");
  return `${field}:${bare ? value : `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`}`;
}

/** The line with a field's value asked for, or asked not to be there; one click more takes it out again. */
export function toggled(text: string, wanted: string, not: boolean): string {
  const without = remove(text, wanted);
  if (without.hadNot === not) return without.text;
  return joined(without.text, (not ? "-" : "") + wanted);
}

/** Both must hold. */
export function joined(text: string, more: string): string {
  const own = text.trim();
  if (own === "") return more;
  if (more.trim() === "") return own;
  return `${hasOuterOr(own) ? `(${own})` : own} ${hasOuterOr(more) ? `(${more})` : more}`;
}

function hasOuterOr(text: string): boolean {
  const read = piecesOf(text);
  if ("words" in read) return false;
  let depth = 0;
  for (const { kind } of read) {
    if (kind === "open") depth++;
    else if (kind === "close") depth--;
    else if (kind === "or" && depth === 0) return true;
  }
  return false;
}

/** The text without a term that must hold, and whether that was asked not to be. */
function remove(text: string, wanted: string): { text: string; hadNot: boolean | null } {
  const read = piecesOf(text);
  if ("words" in read || hasOuterOr(text)) return { text, hadNot: null };
  let depth = 0;
  for (const [index, piece] of read.entries()) {
    if (piece.kind === "open") depth++;
    if (piece.kind === "close") depth--;
    const same = piece.kind === "bare" && depth === 0 && text.slice(piece.from, piece.to) === wanted;
    if (!same) continue;
    const sign = read[index - 1];
    const not = sign?.kind === "not";
    const from = not ? sign.from : piece.from;
    return { text: `${text.slice(0, from).trimEnd()} ${text.slice(piece.to).trimStart()}`.trim(), hadNot: not };
  }
  return { text, hadNot: null };
}

/** The words of messages that are asked for, to be marked in what is found. */
export function wordsOf(text: string): string[] {
  const read = piecesOf(text);
  if ("words" in read) return [];
  return read.flatMap((piece, index) => {
    if (read[index - 1]?.kind === "not" || piece.value !== undefined) return [];
    if (piece.kind === "quoted") return [piece.text];
    if (piece.kind !== "bare" || (/^\p{L}[^:]*:./u.test(piece.text) && !piece.text.includes("://"))) return [];
    return [piece.text.replace(/\*$/, "")];
  }).filter(hasLetter);
}

/** The name of a field that is being typed where the caret is. */
export function fieldBeingTyped(text: string, caret: number): { typed: string; from: number } | null {
  const before = text.slice(0, caret);
  const typed = /(?:^|[\s(])-?([\p{L}][\p{L}\p{N}._-]*)$/u.exec(before)?.[1];
  if (typed === undefined || /^(OR|AND|NOT)$/.test(typed)) return null;
  return { typed, from: caret - typed.length };
}
