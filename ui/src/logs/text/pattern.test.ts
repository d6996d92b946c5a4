import { describe, expect, it } from "vitest";
import { expression, InvalidPattern, substring } from "./pattern.ts";

describe("a part of the text", () => {
  it("is found wherever it is, whatever the case", () => {
    expect(substring("err").places("Error, ERR, terror")).toEqual([[0, 3], [7, 10], [13, 16]]);
  });
  it("is found in that case only when it has a capital letter", () => {
    expect(substring("Err").matches("error")).toBe(false);
    expect(substring("Err").matches("Error")).toBe(true);
  });
  it("keeps its places behind letters that get longer in lower case", () => {
    expect(substring("err").places("İİ err")).toEqual([[3, 6]]);
  });
});

describe("a regular expression", () => {
  const cases: [string, string[], string[]][] = [
    ["abc", ["abc", "xabcx"], ["ab", "acb"]],
    ["a.c", ["abc", "a-c"], ["ac"]],
    ["^a", ["abc"], ["ba"]],
    ["c$", ["abc"], ["cb"]],
    ["^$", [""], ["a"]],
    ["^(get|post) /", ["GET /", "post /x"], ["xget /", "put /"]],
    ["a|^b|c$", ["xa", "b", "xc"], ["xb", "cx"]],
    ["ab*c", ["ac", "abbbc"], ["abb"]],
    ["ab+c", ["abc"], ["ac"]],
    ["ab?c", ["ac", "abc"], ["abbc"]],
    ["^a{2,3}$", ["aa", "aaa"], ["a", "aaaa"]],
    ["^a{2}$", ["aa"], ["a", "aaa"]],
    ["^a{2,}$", ["aa", "aaaaa"], ["a"]],
    ["^(ab){0,2}$", ["", "ab", "abab"], ["a", "ababab"]],
    ["[a-c]x", ["bx"], ["dx"]],
    ["[^a-c]x", ["dx"], ["bx"]],
    ["[]a]x", ["]x"], ["bx"]],
    ["\\d{3} \\w+\\s\\S", ["503 bad x"], ["50 bad x"]],
    ["\\D\\W", ["a-"], ["1-", "aa"]],
    ["status=5\\d\\d", ["status=503"], ["status=404"]],
    ["(?:a|b)+?c", ["ababc"], ["c"]],
    ["a\\.b", ["a.b"], ["axb"]],
    ["ä+", ["ÄÄ"], ["a"]],
    ["(a*)*b", ["b", "aab"], ["a"]],
  ];
  it.each(cases)("%s finds what it says and nothing else", (text, yes, no) => {
    const pattern = expression(text);
    for (const line of yes) expect([line, pattern.matches(line)]).toEqual([line, true]);
    for (const line of no) expect([line, pattern.matches(line)]).toEqual([line, false]);
  });
  it("agrees with the browser's own on ten thousand small ones", () => {
    let seed = 7;
    const any = (most: number) => (seed = (seed * 48_271) % 2_147_483_647) % most;
    const atoms = ["a", "b", ".", "[ab]", "[^a]", "(a|b)", "(ab)", "(a|)", "(b*)"];
    for (let round = 0; round < 10_000; round++) {
      const text = Array.from({ length: 1 + any(4) }, () => (atoms[any(atoms.length)] ?? "") + (["", "", "*", "+", "?", "{1,2}"][any(6)] ?? "")).join(any(4) === 0 ? "|" : "");
      const line = Array.from({ length: any(7) }, () => "abc"[any(3)] ?? "").join("");
      const anchored = any(3) === 0 ? `^(${text})$` : text;
      expect([anchored, line, expression(anchored).matches(line)]).toEqual([anchored, line, new RegExp(anchored).test(line)]);
    }
  });
  it("says where it is", () => {
    expect(expression("\\d+").places("a 12 b 345")).toEqual([[2, 4], [7, 10]]);
    expect(expression("a|ab").places("xab")).toEqual([[1, 3]]);
    expect(expression("^x").places("xx")).toEqual([[0, 1]]);
    expect(expression("x*").places("aaa")).toEqual([]);
  });
  it("takes a linear time where others take for ever", () => {
    const line = "a".repeat(16_000);
    for (const text of ["(a+)+$b", "(a|aa)*c", "(a*)*b", "(.*)(.*)(.*)(.*)(.*)x", "(a?){50}a{50}b"]) {
      const begun = performance.now();
      expect(expression(text).matches(line)).toBe(false);
      expect(performance.now() - begun).toBeLessThan(2_000);
    }
  });
  it("says what is wrong with one that is none", () => {
    for (const text of ["(", ")", "[a", "*a", "a**", "a\\", "(?=a)", "(?<n>a)", "\\1", "\\b", "a{3,2}", "a{101}", "((a{100}){100})", "[b-a]", "(".repeat(501)]) {
      expect(() => expression(text), text).toThrow(InvalidPattern);
    }
  });
});
