// Patterns that are looked for in lines: a part of the text, or a regular expression that takes a time linear in the line,
// whatever the expression (Thompson's construction, as in RE2). Browsers' own expressions can take for ever.
//
// Known: letters, `.`, `[a-z]`, `[^a-z]`, `\d \w \s` and their opposites, `( )`, `(?: )`, `|`, `* + ?`, `{m,n}`, `^` at the
// beginning and `$` at the end of an alternative. Not known, and told: backreferences, looking ahead or behind, `\b`.
//
// Invariants: a program has at most MOST_STATES states; a line is looked at up to its first LONGEST_LINE letters.
// Letter case counts when the pattern has a capital letter.

const MOST_STATES = 1_000;
const MOST_REPEATS = 100;
const MOST_KNOWN = 2_000;
const LONGEST_EXPRESSION = 500;
export const LONGEST_LINE = 16 * 1024;

export interface Pattern {
  matches(line: string): boolean;
  /** Where it is in the line: beginnings and ends, in order, none within another. */
  places(line: string): [number, number][];
}

/** Why an expression is none, in words. */
export class InvalidPattern extends Error {}

type Test = (code: number) => boolean;

type State =
  | { kind: "letter"; test: Test; next: number }
  | { kind: "split"; first: number; second: number }
  | { kind: "begin" | "end"; next: number }
  | { kind: "done" };

/** A part of the text as it stands. */
export function substring(text: string): Pattern {
  const exact = hasCapital(text);
  const needle = exact ? text : text.toLowerCase();
  const fold = (line: string) => folded(line.slice(0, LONGEST_LINE), exact);
  return {
    matches: (line) => fold(line).includes(needle),
    places: (line) => {
      const found: [number, number][] = [];
      const hay = fold(line);
      if (needle === "") return found;
      for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + needle.length)) found.push([at, at + needle.length]);
      return found;
    },
  };
}

/** A regular expression. */
export function expression(text: string): Pattern {
  if (text.length > LONGEST_EXPRESSION) throw new InvalidPattern(`the expression is longer than ${LONGEST_EXPRESSION} letters`);
  const exact = hasCapital(text.replace(/\\[DWS]/g, ""));
  const machine = new Machine(new Reader(text).program());
  return {
    matches: (line) => machine.matches(folded(line.slice(0, LONGEST_LINE), exact)),
    places: (line) => machine.places(folded(line.slice(0, LONGEST_LINE), exact)),
  };
}

function hasCapital(text: string): boolean {
  return text !== text.toLowerCase();
}

/** In lower case, letter for letter: places stay what they are. */
function folded(line: string, exact: boolean): string {
  if (exact) return line;
  const lower = line.toLowerCase();
  return lower.length === line.length ? lower : [...line].map((letter) => (letter.toLowerCase().length === letter.length ? letter.toLowerCase() : letter)).join("");
}

/** What runs in place of the expression: a state that is left, and where to go on. */
interface Piece {
  start: number;
  /** The states whose `next` is still to be said. */
  open: ((to: number) => void)[];
}

class Reader {
  private at = 0;
  private readonly states: State[] = [];

  constructor(private readonly text: string) {}

  program(): { states: State[]; start: number } {
    const whole = this.any();
    if (this.at < this.text.length) throw new InvalidPattern("there is a ) without its (");
    const done = this.put({ kind: "done" });
    whole.open.forEach((fill) => fill(done));
    return { states: this.states, start: whole.start };
  }

  private put(state: State): number {
    if (this.states.length >= MOST_STATES) throw new InvalidPattern("the expression is too large");
    return this.states.push(state) - 1;
  }

  private any(): Piece {
    let piece = this.all();
    while (this.text[this.at] === "|") {
      this.at++;
      const other = this.all();
      const split = this.put({ kind: "split", first: piece.start, second: other.start });
      piece = { start: split, open: [...piece.open, ...other.open] };
    }
    return piece;
  }

  private all(): Piece {
    let piece: Piece | null = null;
    while (this.at < this.text.length && this.text[this.at] !== "|" && this.text[this.at] !== ")") {
      const next = this.repeated();
      if (piece === null) piece = next;
      else {
        piece.open.forEach((fill) => fill(next.start));
        piece = { start: piece.start, open: next.open };
      }
    }
    return piece ?? this.nothing();
  }

  private nothing(): Piece {
    const state = { kind: "split" as const, first: -1, second: -1 };
    return { start: this.put(state), open: [(to) => { state.first = to; state.second = to; }] };
  }

  private repeated(): Piece {
    const from = this.at;
    let piece = this.one();
    for (let times = 0; ; times++) {
      const bounds = this.quantifier();
      if (bounds === null) return piece;
      if (times > 0) throw new InvalidPattern("one repetition stands behind another");
      const end = this.at;
      // What is repeated is read again for each time.
      const again = () => {
        this.at = from;
        const copy = this.one();
        this.at = end;
        return copy;
      };
      piece = this.times(piece, again, ...bounds);
    }
  }

  private times(first: Piece, again: () => Piece, least: number, most: number): Piece {
    if (most === 0) return this.nothing();
    const chain: Piece[] = [];
    const wanted = most === Infinity ? Math.max(least, 1) : most;
    for (let at = 0; at < wanted; at++) chain.push(at === 0 ? first : again());
    const open: Piece["open"] = [];
    let start = -1;
    let fill: Piece["open"] = [(to) => { start = to; }];
    chain.forEach((piece, at) => {
      const isLast = at === chain.length - 1;
      if (isLast && most === Infinity) {
        const split: State & { kind: "split" } = { kind: "split", first: piece.start, second: -1 };
        const loop = this.put(split);
        piece.open.forEach((to) => to(loop));
        fill.forEach((to) => to(least === 0 ? loop : piece.start));
        fill = [(to) => { split.second = to; }];
      } else if (at >= least) {
        const split: State & { kind: "split" } = { kind: "split", first: piece.start, second: -1 };
        const optional = this.put(split);
        fill.forEach((to) => to(optional));
        open.push((to) => { split.second = to; });
        fill = piece.open;
      } else {
        fill.forEach((to) => to(piece.start));
        fill = piece.open;
      }
    });
    return { start, open: [...open, ...fill] };
  }

  private quantifier(): [number, number] | null {
    const letter = this.text[this.at];
    let bounds: [number, number] | null = null;
    if (letter === "*") bounds = [0, Infinity];
    else if (letter === "+") bounds = [1, Infinity];
    else if (letter === "?") bounds = [0, 1];
    if (bounds !== null) {
      this.at++;
    } else {
      const counted = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.text.slice(this.at, this.at + 12));
      if (counted === null) return null;
      this.at += counted[0].length;
      const least = Number(counted[1]);
      bounds = [least, counted[2] === undefined ? least : counted[3] === "" ? Infinity : Number(counted[3])];
      if (bounds[0] > bounds[1]) throw new InvalidPattern(`${counted[0]} has its numbers the wrong way round`);
      if (bounds[0] > MOST_REPEATS || (bounds[1] !== Infinity && bounds[1] > MOST_REPEATS)) throw new InvalidPattern(`${counted[0]} repeats more than ${MOST_REPEATS} times`);
    }
    // As few as possible or as many: whether it matches is the same.
    if (this.text[this.at] === "?") this.at++;
    return bounds;
  }

  private one(): Piece {
    const letter = this.text[this.at++] ?? "";
    if (letter === "(") return this.group();
    if (letter === "[") return this.letter(this.set());
    if (letter === ".") return this.letter(() => true);
    if (letter === "^") return this.assertion("begin");
    if (letter === "$") return this.assertion("end");
    if (letter === "*" || letter === "+" || letter === "?") throw new InvalidPattern(`${letter} has nothing before it to repeat`);
    if (letter === "\\") return this.letter(this.escaped());
    const code = letter.charCodeAt(0);
    return this.letter((other) => other === code);
  }

  private group(): Piece {
    if (this.text[this.at] === "?") {
      if (this.text[this.at + 1] !== ":") throw new InvalidPattern("looking ahead, behind and named groups are not known here");
      this.at += 2;
    }
    const inner = this.any();
    if (this.text[this.at] !== ")") throw new InvalidPattern("there is a ( without its )");
    this.at++;
    return inner;
  }

  private letter(test: Test): Piece {
    const state = { kind: "letter" as const, test, next: -1 };
    return { start: this.put(state), open: [(to) => { state.next = to; }] };
  }

  private assertion(kind: "begin" | "end"): Piece {
    const state = { kind, next: -1 };
    return { start: this.put(state), open: [(to) => { state.next = to; }] };
  }

  private escaped(): Test {
    const letter = this.text[this.at++];
    if (letter === undefined) throw new InvalidPattern("a \\ stands at the end");
    const known = CLASSES[letter];
    if (known !== undefined) return known;
    const control = ({ t: 9, n: 10, r: 13 } as Record<string, number>)[letter];
    if (control === undefined && /[a-z0-9]/i.test(letter)) throw new InvalidPattern(`\\${letter} is not known here`);
    const code = control ?? letter.charCodeAt(0);
    return (other) => other === code;
  }

  private set(): Test {
    const not = this.text[this.at] === "^";
    if (not) this.at++;
    const tests: Test[] = [];
    for (let first = true; ; first = false) {
      const letter = this.text[this.at++];
      if (letter === undefined) throw new InvalidPattern("there is a [ without its ]");
      if (letter === "]" && !first) break;
      if (letter === "\\") {
        tests.push(this.escaped());
        continue;
      }
      const low = letter.charCodeAt(0);
      const to = this.text[this.at + 1];
      if (this.text[this.at] === "-" && to !== undefined && to !== "]" && to !== "\\") {
        const high = to.charCodeAt(0);
        if (high < low) throw new InvalidPattern(`${letter}-${to} has its letters the wrong way round`);
        this.at += 2;
        tests.push((code) => code >= low && code <= high);
      } else {
        tests.push((code) => code === low);
      }
    }
    const one = (code: number) => tests.some((test) => test(code));
    return not ? (code) => !one(code) : one;
  }
}

const digit: Test = (code) => code >= 48 && code <= 57;
const word: Test = (code) => digit(code) || (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95;
const space: Test = (code) => code === 32 || (code >= 9 && code <= 13) || code === 0xa0;
const CLASSES: Record<string, Test> = {
  d: digit, w: word, s: space, D: (code) => !digit(code), W: (code) => !word(code), S: (code) => !space(code),
};

/** Sets of states that were met before know where each letter leads. */
interface Known {
  states: number[];
  to: Map<number, Known>;
  done: boolean;
  doneAtEnd: boolean;
}

class Machine {
  private known = new Map<string, Known>();
  private first: Known | null = null;

  constructor(private readonly program: { states: State[]; start: number }) {}

  matches(line: string): boolean {
    let now = (this.first ??= this.know([this.program.start], true));
    for (let at = 0; at < line.length; at++) {
      if (now.done) return true;
      now = this.step(now, line.charCodeAt(at));
    }
    return now.done || now.doneAtEnd;
  }

  /** The leftmost and longest each. Threads carry where they began; of two at one state the earlier goes on. */
  places(line: string): [number, number][] {
    const found: [number, number][] = [];
    if (!this.matches(line)) return found;
    const { states, start } = this.program;
    let from = 0;
    while (from <= line.length) {
      let best: [number, number] | null = null;
      let threads = new Map<number, number>();
      for (let at = from; at <= line.length; at++) {
        if (best === null) this.follow(start, at, threads, at === 0, at === line.length);
        else if (threads.size === 0) break;
        const next = new Map<number, number>();
        for (const [state, begun] of threads) {
          const here = states[state];
          if (here?.kind === "done") {
            if (best === null || begun < best[0] || (begun === best[0] && at > best[1])) best = [begun, at];
          } else if (here?.kind === "letter" && at < line.length && here.test(line.charCodeAt(at))) {
            if (best === null || begun <= best[0]) this.follow(here.next, begun, next, false, at + 1 === line.length);
          }
        }
        threads = next;
      }
      if (best === null) break;
      if (best[1] > best[0]) found.push(best);
      from = Math.max(best[1], from + 1, best[0] + 1);
    }
    return found;
  }

  private follow(from: number, begun: number, threads: Map<number, number>, atBegin: boolean, atEnd: boolean): void {
    for (const state of this.closure([from], atBegin, atEnd)) {
      const before = threads.get(state);
      if (before === undefined || begun < before) threads.set(state, begun);
    }
  }

  private step(from: Known, code: number): Known {
    const told = from.to.get(code);
    if (told !== undefined) return told;
    // It may begin anywhere.
    const next = [this.program.start];
    for (const at of from.states) {
      const state = this.program.states[at];
      if (state?.kind === "letter" && state.test(code)) next.push(state.next);
    }
    const known = this.know(next, false);
    if (from.to.size < 256) from.to.set(code, known);
    return known;
  }

  private know(from: number[], atBegin: boolean): Known {
    const states = [...this.closure(from, atBegin, false)].sort((a, b) => a - b);
    const name = `${atBegin ? "^" : ""}${states.join()}|${[...new Set(from)].sort((a, b) => a - b).join()}`;
    const before = this.known.get(name);
    if (before !== undefined) return before;
    if (this.known.size >= MOST_KNOWN) {
      this.known.clear();
      this.first = null;
    }
    const isDone = (set: Iterable<number>) => [...set].some((at) => this.program.states[at]?.kind === "done");
    const known = { states, to: new Map<number, Known>(), done: isDone(states), doneAtEnd: isDone(this.closure(from, atBegin, true)) };
    this.known.set(name, known);
    return known;
  }

  /** All that are reached without a letter. */
  private closure(from: number[], atBegin: boolean, atEnd: boolean): Set<number> {
    const seen = new Set<number>();
    const stack = [...from];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (at < 0 || seen.has(at)) continue;
      seen.add(at);
      const state = this.program.states[at];
      if (state?.kind === "split") stack.push(state.second, state.first);
      else if (state?.kind === "begin" && atBegin) stack.push(state.next);
      else if (state?.kind === "end" && atEnd) stack.push(state.next);
    }
    return seen;
  }
}
