import { describe, expect, it } from "vitest";
import { changed } from "./changed.ts";

/** A text after a change. */
function put(before: string, after: string): string {
  const piece = changed(before, after);
  return piece === null ? before : before.slice(0, piece.from) + piece.insert + before.slice(piece.to);
}

describe("what differs between two texts", () => {
  it("is nothing when they are the same", () => {
    expect(changed("a: 1\n", "a: 1\n")).toBeNull();
  });

  it("is the least piece", () => {
    expect(changed("replicas: 2\nready: 1\nname: web\n", "replicas: 2\nready: 2\nname: web\n")).toEqual({ from: 19, to: 20, insert: "2" });
  });

  it("makes the one of the other, also where letters repeat", () => {
    for (const [before, after] of [["", "a"], ["a", ""], ["aa", "aaa"], ["aaa", "aa"], ["abab", "ab"], ["ab", "abab"], ["x", "y"], ["aXa", "aYYa"]] as const) {
      expect(put(before, after)).toBe(after);
    }
  });
});
