import { describe, expect, it } from "vitest";
import { fieldBeingTyped, joined, mistakeIn, term, toggled, wordsOf } from "./grammar.ts";

const marked = (text: string) => {
  const mistake = mistakeIn(text);
  return mistake === null ? null : text.slice(mistake.from, mistake.to);
};

describe("a line of words and fields", () => {
  it.each([
    "", "error timeout", '"connection refused"', "conn*", "app:web", "pod:web-*", "http.status:*", "a OR b", "-a", "NOT a", "(a OR b) c", "a AND b",
    'app:"my app"', "http://example.com/x", "12:30", "a -", 'x "\\"q\\""', "((((((((a))))))))", "NOT -a",
  ].map((text) => [text]))("%s can be asked", (text) => {
    if (text === "a -") expect(marked(text)).toBe("-");
    else expect(mistakeIn(text)).toBeNull();
  });

  it.each([
    ['say "hello', '"hello'], ["(a", "("], ["a)", ")"], ["OR a", "OR"], ["a OR", "OR"], ["a OR OR b", "OR"], ["a AND", "AND"], ["NOT", "NOT"], ["(a OR) b", "OR"],
    ["app: web", "app:"], [":web", ":web"], ["co*", "co*"], ["*", "*"], ["x a*b c", null], ["app:w*b", "app:w*b"], ["err a | b", "|"], ["...", "..."],
    ['app:""', 'app:""'], ["(((((((((a)))))))))", "("], [`${"a ".repeat(64)}last`, "last"],
  ])("%s is wrong at its place", (text, place) => expect(marked(text)).toBe(place));

  it("says | is OR", () => expect(mistakeIn("a | b")?.words).toContain("OR"));
});

describe("a click", () => {
  it("adds a field, the other way round turns it, and once more takes it out", () => {
    expect(toggled("error", "app:web", false)).toBe("error app:web");
    expect(toggled("error app:web", "app:web", true)).toBe("error -app:web");
    expect(toggled("error -app:web", "app:web", true)).toBe("error");
    expect(toggled("app:web error", "app:web", false)).toBe("error");
  });
  it("keeps what an OR means", () => {
    expect(toggled("a OR b", "app:web", false)).toBe("(a OR b) app:web");
    expect(joined("x", "a OR b")).toBe("x (a OR b)");
    expect(toggled("(app:web OR b)", "app:web", false)).toBe("(app:web OR b) app:web");
  });
  it("quotes what needs it, so that it is read as it was", () => {
    expect(term("app", "web-0")).toBe("app:web-0");
    expect(term("app", "a b")).toBe('app:"a b"');
    expect(term("path", "//x")).toBe('path:"//x"');
    expect(term("q", 'say "x" \\')).toBe('q:"say \\"x\\" \\\\"');
    for (const value of ["a b", 'x"y', "a*", "(", "\\", "http://x:1/"]) {
      expect(mistakeIn(term("f", value)), value).toBeNull();
      expect(toggled(term("f", value), term("f", value), false), value).toBe("");
    }
  });
});

describe("the words that are asked for", () => {
  it("are marked, and not those of fields or of what must not be there", () => {
    expect(wordsOf('app:web error -debug NOT trace "connection refused" time* x:"y"')).toEqual(["error", "connection refused", "time"]);
  });
});

describe("the field that is typed", () => {
  it("is the word before the caret", () => {
    expect(fieldBeingTyped("error na", 8)).toEqual({ typed: "na", from: 6 });
    expect(fieldBeingTyped("(-na", 4)).toEqual({ typed: "na", from: 2 });
    expect(fieldBeingTyped("app:we", 6)).toBeNull();
    expect(fieldBeingTyped("a OR", 4)).toBeNull();
  });
});
