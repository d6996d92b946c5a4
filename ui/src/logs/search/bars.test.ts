import { describe, expect, it } from "vitest";
import { bars, ceiling, parts, sliceAt, spanOf } from "./bars.ts";

const slices = [
  { begins: "2026-11-27T05:00:00Z", count: 10, by: [{ value: "error", count: 3 }, { value: "fatal", count: 1 }, { value: "info", count: 4 }] },
  { begins: "2026-11-27T05:30:00Z", count: 0, by: [] },
];
const TO = Date.parse("2026-11-27T06:00:00Z");

describe("a histogram", () => {
  it("counts each record at one level", () => {
    const [first] = bars(slices, TO);
    expect(first?.by).toEqual({ error: 4, warn: 0, info: 4, debug: 0, none: 2 });
  });
  it("has an axis with a round number at its top", () => {
    expect([0, 1, 3, 7, 10, 11, 99, 101, 4_200_000].map(ceiling)).toEqual([1, 1, 5, 10, 10, 20, 100, 200, 5_000_000]);
  });
  it("shows what is there however little, and stays within its height", () => {
    const [bar] = bars([{ begins: "2026-11-27T05:00:00Z", count: 1_000_001, by: [{ value: "error", count: 1 }, { value: "info", count: 1_000_000 }] }], TO);
    if (bar === undefined) throw new Error("no bar");
    const shown = parts(bar, 1_000_001, 100);
    expect(shown.map(({ level }) => level)).toEqual(["info", "error"]);
    expect(Math.min(...shown.map(({ y }) => y))).toBeGreaterThanOrEqual(0);
  });
  it("knows the time of a span, whichever way it was drawn", () => {
    const all = bars(slices, TO);
    expect(spanOf(all, 1, 0)).toEqual({ from: "2026-11-27T05:00:00.000Z", to: "2026-11-27T06:00:00.000Z" });
    expect(spanOf(all, 1, 1)).toEqual({ from: "2026-11-27T05:30:00.000Z", to: "2026-11-27T06:00:00.000Z" });
    expect(spanOf(all, 0, 5)).toBeNull();
  });
  it("has no more than 120 slices", () => expect(bars(Array.from({ length: 200 }, () => ({ begins: "2026-11-27T05:00:00Z", count: 1, by: [] })), TO)).toHaveLength(120));
  it("finds the slice under a pointer, also beside the picture", () => expect([-1, 0, 0.5, 0.999, 1, 2].map((share) => sliceAt(share, 4))).toEqual([0, 0, 2, 3, 3, 3]));
});
