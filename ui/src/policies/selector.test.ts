import { describe, expect, it } from "vitest";
import { MOST_DEEP, parseSelector, SelectorError, type Labels } from "./selector.ts";

const labels = (own: Record<string, string>) => new Map(Object.entries(own));
const fits = (selector: string, own: Record<string, string>) => parseSelector(selector).test(labels(own));

describe("Calico's selectors", () => {
  it.each([
    ["", {}, true],
    ["all()", {}, true],
    ["all( )", {}, true],
    ["!all()", {}, false],
    ["global()", {}, true],
    ["a == 'x'", { a: "x" }, true],
    ["a==\"x\"", { a: "x" }, true],
    ["a == 'x'", { a: "y" }, false],
    ["a == 'x'", {}, false],
    ["a != 'x'", { a: "y" }, true],
    ["a != 'x'", {}, true],
    ["a != 'x'", { a: "x" }, false],
    ["a in {'x', 'y'}", { a: "y" }, true],
    ["a in{'x',}", { a: "x" }, true],
    ["a in {}", { a: "x" }, false],
    ["a in {'x'}", {}, false],
    ["a not in {'x'}", {}, true],
    ["a notin {'x'}", { a: "x" }, false],
    ["a not in {'x'}", { a: "y" }, true],
    ["has(a)", { a: "" }, true],
    ["has( a )", {}, false],
    ["!has(a)", {}, true],
    ["!!has(a)", { a: "" }, true],
    ["a contains 'bc'", { a: "abcd" }, true],
    ["a starts with 'ab'", { a: "abcd" }, true],
    ["a startswith 'ab'", { a: "abcd" }, true],
    ["a starts  with 'bc'", { a: "abcd" }, false],
    ["a ends with 'cd'", { a: "abcd" }, true],
    ["a ends with 'ab'", {}, false],
    ["a == 'x' || b == 'y' && c == 'z'", { a: "x" }, true],
    ["(a == 'x' || b == 'y') && c == 'z'", { a: "x" }, false],
    ["!(a == 'x' && b == 'y')", { a: "x", b: "y" }, false],
    ["projectcalico.org/orchestrator == 'k8s'", { "projectcalico.org/orchestrator": "k8s" }, true],
    ["has == 'x'", { has: "x" }, true],
    ["all == 'x'", { all: "x" }, true],
    ["in in {'in'}", { in: "in" }, true],
    ["a == 'it\"s'", { a: "it\"s" }, true],
    ["a == '\\n'", { a: "\\n" }, true],
    ["has(constructor)", {}, false],
    ["has(__proto__)", {}, false],
  ] as [string, Record<string, string>, boolean][])("%s of %j is %s", (selector, own, expected) => {
    expect(fits(selector, own)).toBe(expected);
  });

  it.each([
    "a", "a =", "a = 'x'", "a == x", "a == 'x", "== 'x'", "a in 'x'", "a in {'x'", "a in {x}", "(a == 'x'", "a == 'x')", "a == 'x' &&",
    "a == 'x' & b == 'y'", "a == 'x' | b == 'y'", "|| has(a)", "has()", "has(a", "all(a)", "!", "a == 'x' b == 'y'", "a\n== 'x'", "ä == 'x'", "a starts 'x'", "has(a) has(b)",
  ])("%j is none", (selector) => {
    expect(() => parseSelector(selector)).toThrow(SelectorError);
  });

  it("of namespaces look at labels that are inherited, and their all() at whether there is a namespace", () => {
    const namespaces = { prefix: "pcns.", present: "projectcalico.org/namespace" };
    const inShop = labels({ "projectcalico.org/namespace": "shop", "pcns.team": "a", team: "b" });
    const nowhere = labels({ team: "a" });
    expect(parseSelector("team == 'a'", namespaces).test(inShop)).toBe(true);
    expect(parseSelector("team == 'a'", namespaces).test(nowhere)).toBe(false);
    expect(parseSelector("all()", namespaces).test(inShop)).toBe(true);
    expect(parseSelector("all()", namespaces).test(nowhere)).toBe(false);
    expect(parseSelector("global()", namespaces).test(inShop)).toBe(false);
    expect(parseSelector("global()", namespaces).test(nowhere)).toBe(true);
  });

  it("say which labels they look at", () => {
    expect([...parseSelector("a == 'x' && (has(b) || c in {'y'})").uses]).toEqual(["a", "b", "c"]);
  });

  it("that are too deep or too long are refused, and do no harm", () => {
    expect(fits(`${"(".repeat(MOST_DEEP)}has(a)${")".repeat(MOST_DEEP)}`, { a: "" })).toBe(true);
    expect(() => parseSelector("(".repeat(MOST_DEEP + 1))).toThrow(SelectorError);
    expect(() => parseSelector("(".repeat(100_000))).toThrow(SelectorError);
    expect(fits("!".repeat(10_001) + "has(a)", {})).toBe(true);
  });
});

// A property: a random expression, written as text and read, says what it says when it is evaluated as a tree.

type Tree =
  | { is: "or"; of: Tree[] }
  | { is: "and"; of: Tree[] }
  | { is: "not"; of: Tree }
  | { is: "all" }
  | { is: "has"; name: string }
  | { is: "==" | "!=" | "contains" | "starts with" | "ends with"; name: string; value: string }
  | { is: "in" | "not in"; name: string; values: string[] };

/** mulberry32: the same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const NAMES = ["a", "b", "in", "has", "not", "x.io/y", "all"];
const VALUES = ["", "x", "xy", "yx", "a b", "(", "||", "in", "it's"];

function maker(next: () => number) {
  const pick = <T,>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T;
  const several = <T,>(make: () => T): T[] => Array.from({ length: 1 + Math.floor(next() * 3) }, make);
  const tree = (deep: number): Tree => {
    const kind = deep === 0 ? 3 + Math.floor(next() * 4) : Math.floor(next() * 7);
    if (kind === 0) return { is: "or", of: several(() => tree(deep - 1)) };
    if (kind === 1) return { is: "and", of: several(() => tree(deep - 1)) };
    if (kind === 2) return { is: "not", of: tree(deep - 1) };
    if (kind === 3) return { is: "all" };
    if (kind === 4) return { is: "has", name: pick(NAMES) };
    if (kind === 5) return { is: pick(["in", "not in"] as const), name: pick(NAMES), values: several(() => pick(VALUES)) };
    return { is: pick(["==", "!=", "contains", "starts with", "ends with"] as const), name: pick(NAMES), value: pick(VALUES) };
  };
  const blank = () => pick(["", " ", "  ", "\t"]);
  const quoted = (value: string) => (value.includes("'") ? `"${value}"` : pick([`'${value}'`, `"${value}"`]));
  const written = (of: Tree): string => {
    switch (of.is) {
      case "or":
        return `(${blank()}${of.of.map(written).join(`${blank()}||${blank()}`)}${blank()})`;
      case "and":
        return `(${of.of.map(written).join(`${blank()}&&${blank()}`)})`;
      case "not":
        return `!${blank()}${written(of.of)}`;
      case "all":
        return `all(${blank()})`;
      case "has":
        return `has(${blank()}${of.name}${blank()})`;
      case "in":
      case "not in":
        return `${of.name} ${of.is}${blank()}{${of.values.map(quoted).join(`${blank()},${blank()}`)}}`;
      case "==":
      case "!=":
        return `${of.name}${blank()}${of.is}${blank()}${quoted(of.value)}`;
      case "contains":
      case "starts with":
      case "ends with":
        return `${of.name} ${of.is}${blank()}${quoted(of.value)}`;
    }
  };
  const some = (): Labels => new Map(NAMES.filter(() => next() < 0.5).map((name) => [name, pick(VALUES)]));
  return { tree, written, some };
}

function evaluate(of: Tree, own: Labels): boolean {
  if (of.is === "or" || of.is === "and") {
    const all = of.of.map((one) => evaluate(one, own));
    return of.is === "or" ? all.includes(true) : !all.includes(false);
  }
  if (of.is === "not") return !evaluate(of.of, own);
  if (of.is === "all") return true;
  const value = own.get(of.name);
  if (of.is === "has") return value !== undefined;
  if (value === undefined) return of.is === "!=" || of.is === "not in";
  switch (of.is) {
    case "==":
      return value === of.value;
    case "!=":
      return value !== of.value;
    case "contains":
      return value.includes(of.value);
    case "starts with":
      return value.startsWith(of.value);
    case "ends with":
      return value.endsWith(of.value);
    case "in":
      return of.values.includes(value);
    case "not in":
      return !of.values.includes(value);
  }
}

describe("any selector", () => {
  it("that is written from a tree says what the tree says", () => {
    const next = random(20_261_127);
    const { tree, written, some } = maker(next);
    for (let round = 0; round < 3_000; round++) {
      const of = tree(4);
      const selector = written(of);
      const read = parseSelector(selector);
      for (let time = 0; time < 4; time++) {
        const own = some();
        expect(read.test(own), `${selector} of ${JSON.stringify([...own])}`).toBe(evaluate(of, own));
      }
    }
  });

  it("and any text that is none is refused in words", () => {
    const next = random(7);
    const signs = ["a", "has(", "all(", ")", "(", "'", "\"", "x", "==", "!=", "!", "&&", "&", "||", " ", "in", "{", "}", ",", "not", "\n", "ü", "global()", "\u202e"];
    for (let round = 0; round < 5_000; round++) {
      const text = Array.from({ length: 1 + Math.floor(next() * 12) }, () => signs[Math.floor(next() * signs.length)]).join("");
      try {
        expect(typeof parseSelector(text).test(new Map())).toBe("boolean");
      } catch (error) {
        expect(error, text).toBeInstanceOf(SelectorError);
        expect((error as Error).message).not.toBe("");
      }
    }
  });
});
