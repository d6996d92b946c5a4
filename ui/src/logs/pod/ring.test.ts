import { describe, expect, it } from "vitest";
import type { LogLine } from "./line.ts";
import { MOST_LINES, Ring } from "./ring.ts";

let seq = 0;
const line = (stamp: string, text = "", source = 0): LogLine => ({ seq: ++seq, source, stamp, at: stamp, text });
const texts = (ring: Ring) => ring.lines.map(({ text }) => text).join("");

describe("the newest lines of several containers", () => {
  it("stand in the order of their moments, however they came", () => {
    const ring = new Ring();
    ring.add([line("1", "a"), line("4", "d")]);
    ring.add([line("2", "b"), line("3", "c"), line("5", "e")]);
    ring.add([line("6", "f")]);
    expect(texts(ring)).toBe("abcdef");
  });
  it("stay in the order in which they came where they have one moment, or none", () => {
    const ring = new Ring();
    ring.add([line("1", "a"), line("1", "b")]);
    ring.add([line("1", "c"), line("", "x")]);
    ring.add([line("", "y")]);
    expect(texts(ring)).toBe("abcxy");
  });
  it("are bounded, the oldest go, and it is counted how many", () => {
    const ring = new Ring(10);
    for (let at = 0; at < 25; at++) ring.add([line(String(at).padStart(3, "0"), "x")]);
    expect(ring.lines).toHaveLength(10);
    expect(ring.dropped).toBe(15);
    expect(ring.lines[0]?.stamp).toBe("015");
  });
  it("takes half a million lines in lots without more than it may keep", () => {
    const ring = new Ring();
    const begun = performance.now();
    for (let lot = 0; lot < 500; lot++) ring.add(Array.from({ length: 1_000 }, (_, at) => line(String(lot * 1_000 + at).padStart(9, "0"))));
    expect(ring.lines).toHaveLength(MOST_LINES);
    expect(ring.dropped).toBe(450_000);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});
