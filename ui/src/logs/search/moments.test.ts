import { describe, expect, it } from "vitest";
import { clockTime, inWords, resolve, understand, wider } from "./moments.ts";

const NOW = Date.parse("2026-11-27T06:30:00Z");
const of = (words: string) => understand(words, NOW, "utc");
const error = (words: string) => (of(words) as { error?: string }).error;

describe("times in words", () => {
  it.each([
    ["last 2h", { from: "2h", to: "" }],
    ["Last 15 minutes", { from: "15m", to: "" }],
    ["past 3 days", { from: "3d", to: "" }],
    ["last hour", { from: "1h", to: "" }],
    ["90s", { from: "90s", to: "" }],
    ["today", { from: "2026-11-27T00:00:00.000Z", to: "" }],
    ["yesterday", { from: "2026-11-26T00:00:00.000Z", to: "2026-11-27T00:00:00.000Z" }],
    ["2026-11-20", { from: "2026-11-20T00:00:00.000Z", to: "2026-11-21T00:00:00.000Z" }],
    ["05:00 to 06:15", { from: "2026-11-27T05:00:00.000Z", to: "2026-11-27T06:15:00.000Z" }],
    ["23:00 to 01:00", { from: "2026-11-26T23:00:00.000Z", to: "2026-11-27T01:00:00.000Z" }],
    ["since 05:00", { from: "2026-11-27T05:00:00.000Z", to: "" }],
    ["yesterday 14:00 to 15:00", { from: "2026-11-26T14:00:00.000Z", to: "2026-11-26T15:00:00.000Z" }],
    ["2026-11-27 04:00 to 2026-11-27 05:00:30", { from: "2026-11-27T04:00:00.000Z", to: "2026-11-27T05:00:30.000Z" }],
    ["2026-11-27T04:00:00+01:00 to now", { from: "2026-11-27T03:00:00.000Z", to: "" }],
    ["2h ago to 1h ago", { from: "2h", to: "1h" }],
    ["now-2h to now", { from: "2h", to: "" }],
  ])("%s", (words, range) => expect(of(words)).toEqual(range));

  it("say why they are none", () => {
    expect(error("soon")).toContain("is no time");
    expect(error("05:00 to 04:00")).toBe(undefined); // over midnight
    expect(error("2026-11-28 to 2026-11-29")).toBe(undefined);
    expect(error("since 2026-12-01")).toBe("this begins in the future");
    expect(error("2026-11-27 05:00 to 2026-11-27 04:00")).toBe("the end is not after the beginning");
    expect(error("2026-13-01")).toContain("is no time");
    expect(error("1 to 2 to 3")).toContain("one beginning");
  });

  it("read what they wrote", () => {
    for (const words of ["last 2h", "2h ago to 1h ago", "2026-11-27 04:00:00 to now", "2026-11-27 04:00:00 to 2026-11-27 05:00:30"]) {
      const range = of(words);
      if ("error" in range) throw new Error(range.error);
      expect(inWords(range, "utc")).toBe(words);
    }
  });

  it("are moments in the end, the earlier first", () => {
    expect(resolve({ from: "1h", to: "" }, NOW)).toEqual({ from: NOW - 3_600_000, to: NOW });
    expect(resolve({ from: "2026-11-27T05:00:00Z", to: "2026-11-27T04:00:00Z" }, NOW).from).toBeLessThan(resolve({ from: "2026-11-27T05:00:00Z", to: "2026-11-27T04:00:00Z" }, NOW).to);
  });

  it("get wider around their middle, and not beyond now", () => {
    expect(wider({ from: "1h", to: "" }, NOW)).toEqual({ from: "2h", to: "" });
    expect(wider({ from: "12h", to: "" }, NOW)).toEqual({ from: "1d", to: "" });
    expect(wider({ from: "2026-11-27T02:00:00.000Z", to: "2026-11-27T04:00:00.000Z" }, NOW)).toEqual({ from: "2026-11-27T01:00:00.000Z", to: "2026-11-27T05:00:00.000Z" });
    expect(wider({ from: "2026-11-27T04:00:00.000Z", to: "2026-11-27T06:00:00.000Z" }, NOW).to).toBe("");
  });

  it("are shown in the zone that was chosen", () => {
    expect(clockTime(NOW, "utc")).toBe("2026-11-27 06:30:00.000");
    const local = new Date(NOW);
    expect(clockTime(NOW, "local", "seconds").slice(11, 13)).toBe(String(local.getHours()).padStart(2, "0"));
  });
});
