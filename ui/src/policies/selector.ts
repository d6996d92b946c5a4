// Calico's selector language: `app == 'web' && !has(canary)`.
//
// Read as Calico reads it: projectcalico/calico libcalico-go/lib/selector/tokenizer/tokenizer.go (AppendTokens: blanks are space
// and tab only, strings have no escapes) and parser/parser.go (`||` binds weaker than `&&`, `!` strongest, any number of `!`);
// what each operation says of labels that are not there as in parser/ast.go (`!=` and `not in` fit them, all others do not).
//
// Selectors of namespaces and of service accounts look at an endpoint's labels that are inherited, under a prefix; `all()` in
// them is "is in a namespace" and `global()` "is in none" (syncersv1/updateprocessors/rules.go, getEndpointSelector).
//
// Invariants: nothing that a cluster says makes this recurse deeper than MOST_DEEP or read more than MOST_LONG.

/** Labels by name. A Map, so that no name means anything to JavaScript. */
export type Labels = ReadonlyMap<string, string>;

export interface Selector {
  test(labels: Labels): boolean;
  /** The labels that it looks at. */
  uses: ReadonlySet<string>;
}

export const MOST_DEEP = 64;
export const MOST_LONG = 64 * 1024;

export class SelectorError extends Error {}

export interface Inherited {
  /** `pcns.` or `pcsa.` */
  prefix: string;
  /** The label that says that there is a namespace, or a service account, at all. */
  present: string;
}

type Test = (labels: Labels) => boolean;

type Token =
  | { is: "label" | "text" | "has"; value: string }
  | { is: "(" | ")" | "{" | "}" | "," | "==" | "!=" | "!" | "&&" | "||" | "in" | "not in" | "contains" | "starts with" | "ends with" | "all" | "global" | "end" };

const SIGNS = ["==", "!=", "&&", "||", "(", ")", "{", "}", ",", "!"] as const;
const AFTER_LABEL: [RegExp, "in" | "not in" | "contains" | "starts with" | "ends with"][] = [
  [/^contains/, "contains"],
  [/^starts[ \t]*with/, "starts with"],
  [/^ends[ \t]*with/, "ends with"],
  [/^not[ \t]*in/, "not in"],
  [/^in/, "in"],
];
const NAME = /^[a-zA-Z0-9_./-]+/;

/** The tokens of a selector; the last is `end`. */
function tokens(selector: string): Token[] {
  if (selector.length > MOST_LONG) throw new SelectorError("it is too long");
  const found: Token[] = [];
  let rest = selector;
  const take = (length: number, token: Token) => {
    found.push(token);
    rest = rest.slice(length);
  };
  for (;;) {
    rest = rest.replace(/^[ \t]+/, "");
    if (rest === "") return [...found, { is: "end" }];
    const sign = SIGNS.find((one) => rest.startsWith(one));
    const afterLabel = found.at(-1)?.is === "label";
    const quote = rest[0];
    if (sign !== undefined) take(sign.length, { is: sign });
    else if (quote === "'" || quote === '"') {
      const end = rest.indexOf(quote, 1);
      if (end === -1) throw new SelectorError("a string has no end");
      take(end + 1, { is: "text", value: rest.slice(1, end) });
    } else if (afterLabel) {
      const operation = AFTER_LABEL.map(([pattern, is]) => ({ length: pattern.exec(rest)?.[0].length, is })).find(({ length }) => length !== undefined);
      if (operation === undefined) throw new SelectorError(`after a label comes an operator, and not ${shown(rest)}`);
      take(operation.length ?? 0, { is: operation.is });
    } else {
      const call = /^(has|all|global)\([ \t]*([a-zA-Z0-9_./-]*)[ \t]*\)/.exec(rest);
      const name = NAME.exec(rest)?.[0];
      const what = call?.[1];
      if (call !== null && what === "has" && call[2] !== "") take(call[0].length, { is: "has", value: call[2] ?? "" });
      else if (call !== null && (what === "all" || what === "global") && call[2] === "") take(call[0].length, { is: what });
      else if (/^(has|all|global)\(/.test(rest) || name === undefined) throw new SelectorError(`${shown(rest)} means nothing here`);
      else take(name.length, { is: "label", value: name });
    }
  }
}

function shown(rest: string): string {
  return `"${rest.slice(0, 20)}${rest.length > 20 ? "..." : ""}"`;
}

/** Reads a selector. An empty one fits everything. Throws SelectorError. */
export function parseSelector(selector: string, inherited?: Inherited): Selector {
  const uses = new Set<string>();
  const reader = new Parser(tokens(selector), uses, inherited);
  return { test: reader.whole(), uses };
}

const COMPARISONS: Record<string, (value: string, other: string) => boolean> = {
  "==": (value, other) => value === other,
  "!=": (value, other) => value !== other,
  contains: (value, other) => value.includes(other),
  "starts with": (value, other) => value.startsWith(other),
  "ends with": (value, other) => value.endsWith(other),
};

class Parser {
  private at = 0;
  private deep = 0;

  constructor(
    private readonly tokens: Token[],
    private readonly uses: Set<string>,
    private readonly inherited: Inherited | undefined,
  ) {}

  whole(): Test {
    if (this.peek().is === "end") return () => true;
    const test = this.or();
    if (this.peek().is !== "end") throw new SelectorError(`nothing more may come before ${JSON.stringify(this.peek().is)}`);
    return test;
  }

  private peek(): Token {
    return this.tokens[this.at] ?? { is: "end" };
  }

  private or(): Test {
    const tests = this.several("||", () => this.and());
    return tests.length === 1 ? (tests[0] as Test) : (labels) => tests.some((test) => test(labels));
  }

  private and(): Test {
    const tests = this.several("&&", () => this.operation());
    return tests.length === 1 ? (tests[0] as Test) : (labels) => tests.every((test) => test(labels));
  }

  private several(between: "||" | "&&", read: () => Test): Test[] {
    const tests = [read()];
    while (this.peek().is === between) {
      this.at++;
      tests.push(read());
    }
    return tests;
  }

  private operation(): Test {
    let negated = false;
    for (; this.peek().is === "!"; this.at++) negated = !negated;
    const test = this.plain();
    return negated ? (labels) => !test(labels) : test;
  }

  private plain(): Test {
    const token = this.peek();
    this.at++;
    const present = this.inherited?.present;
    if (token.is === "has") {
      const name = this.label(token.value);
      return (labels) => labels.has(name);
    }
    if (token.is === "all") return present === undefined ? () => true : (labels) => labels.has(present);
    if (token.is === "global") return present === undefined ? () => true : (labels) => !labels.has(present);
    if (token.is === "label") return this.comparison(this.label(token.value));
    if (token.is === "end") throw new SelectorError("it ends too early");
    if (token.is !== "(") throw new SelectorError(`${JSON.stringify(token.is)} cannot stand here`);
    if (++this.deep > MOST_DEEP) throw new SelectorError("it has too many parentheses in each other");
    const test = this.or();
    this.expect(")");
    this.deep--;
    return test;
  }

  private comparison(name: string): Test {
    const operator = this.peek().is;
    this.at++;
    if (operator === "in" || operator === "not in") {
      const values = this.set();
      const isIn = (labels: Labels) => {
        const value = labels.get(name);
        return value !== undefined && values.has(value);
      };
      return operator === "in" ? isIn : (labels) => !isIn(labels);
    }
    const compare = COMPARISONS[operator];
    if (compare === undefined) throw new SelectorError(`after the label ${name} comes an operator`);
    return this.against(name, operator === "!=", compare);
  }

  private against(name: string, absent: boolean, compare: (value: string, other: string) => boolean): Test {
    const other = this.literal();
    return (labels) => {
      const value = labels.get(name);
      return value === undefined ? absent : compare(value, other);
    };
  }

  private set(): Set<string> {
    this.expect("{");
    const values = new Set<string>();
    while (this.peek().is === "text") {
      values.add(this.literal());
      if (this.peek().is !== ",") break;
      this.at++;
    }
    this.expect("}");
    return values;
  }

  private literal(): string {
    const token = this.peek();
    if (token.is !== "text") throw new SelectorError("a string in quotes is missing");
    this.at++;
    return token.value;
  }

  private expect(is: Token["is"]): void {
    if (this.peek().is !== is) throw new SelectorError(`${JSON.stringify(is)} is missing`);
    this.at++;
  }

  private label(name: string): string {
    const own = `${this.inherited?.prefix ?? ""}${name}`;
    this.uses.add(own);
    return own;
  }
}
