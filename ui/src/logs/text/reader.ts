// From a regular expression to a program: states, and which comes after which (Thompson's construction).
//
// Invariant: a program has at most MOST_STATES states, however often something is repeated.

const MOST_STATES = 1_000;
const MOST_REPEATS = 100;

/** Why an expression is none, in words. */
export class InvalidPattern extends Error {}

export type Test = (code: number) => boolean;

export type State =
  | { kind: "letter"; test: Test; next: number }
  | { kind: "split"; first: number; second: number }
  | { kind: "begin" | "end"; next: number }
  | { kind: "done" };

export interface Program {
  states: State[];
  start: number;
}

/** What runs in place of the expression: a state that is left, and where to go on. */
interface Piece {
  start: number;
  /** The states whose `next` is still to be said. */
  open: ((to: number) => void)[];
}

export class Reader {
  private at = 0;
  private readonly states: State[] = [];

  constructor(private readonly text: string) {}

  program(): Program {
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
