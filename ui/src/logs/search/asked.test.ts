import { describe, expect, it } from "vitest";
import { addressOf, MOST_CLUSTERS, readAsked, USUAL, writeAsked, type Asked } from "./asked.ts";

const FULL: Asked = {
  clusters: ["prod-eu", "prod-us"], selector: "env=prod,tier in (1,2)", q: 'app:"a b" -level:debug & = # é', range: { from: "2026-11-27T05:00:00.000Z", to: "1h" },
  columns: ["level", "http.status"], order: "oldest", wrap: true, dedup: true, zone: "utc", tail: true, open: "1795749300250.lnTr",
};

describe("what is asked", () => {
  it("is read from the address as it was written", () => {
    for (const asked of [USUAL, FULL, { ...FULL, range: { from: "15m", to: "" } }]) {
      expect(readAsked(new URLSearchParams(writeAsked(asked).toString()))).toEqual(asked);
    }
  });
  it("is not in the address where it is as usual", () => expect(addressOf({})).toBe("/logs"));
  it("leaves alone what else is in the address", () => {
    expect(writeAsked({ ...USUAL, q: "x" }, new URLSearchParams("ns=shop&q=old")).toString()).toBe("ns=shop&q=x");
  });
  it("takes no more clusters than may be, each once", () => {
    const many = Array.from({ length: 50 }, (_, at) => `c${at % 30}`).join(",");
    const { clusters } = readAsked(new URLSearchParams({ clusters: many }));
    expect(clusters).toHaveLength(MOST_CLUSTERS);
    expect(new Set(clusters).size).toBe(MOST_CLUSTERS);
  });
});
