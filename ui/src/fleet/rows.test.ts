import { describe, expect, it } from "vitest";
import { cluster, standing } from "../testing/sample.ts";
import { sumUp } from "./logs.ts";
import { counts, filtered, rowsOf, statusWords, type Filter } from "./rows.ts";
import { parseSelector } from "./selector.ts";

const now = Date.parse("2026-11-27T06:00:00Z");
const all = [
  cluster("management", { status: { origin: "management" } }),
  cluster("prod-eu", { labels: { env: "prod", region: "eu" }, spec: { displayName: "Shop Europe" } }),
  cluster("prod-us", { labels: { env: "prod", region: "us" }, status: { state: "disconnected", reason: "no link is up" } }),
  cluster("dev-1", { labels: { env: "dev" }, status: { agentVersion: "0.1.0" } }),
];
const rows = rowsOf(all, sumUp([standing("prod-eu", { lost: 3 })]), "0.2.0", now);

function names(filter: Partial<Filter>): string[] {
  const whole = { words: "", status: [], selector: () => true, ...filter };
  return filtered(rows, whole).map(({ name }) => name);
}

describe("the managed clusters", () => {
  it("do not have the management cluster among them", () => {
    expect(names({})).toEqual(["prod-eu", "prod-us", "dev-1"]);
  });

  it("are found by words that stand anywhere in them, all of them", () => {
    expect(names({ words: "EUROPE" })).toEqual(["prod-eu"]);
    expect(names({ words: "env=prod disconnected" })).toEqual(["prod-us"]);
    expect(names({ words: "prod nowhere" })).toEqual([]);
  });

  it("are found by one of several states and signs", () => {
    expect(names({ status: statusWords("disconnected,update") })).toEqual(["prod-us", "dev-1"]);
    expect(names({ status: ["lost"] })).toEqual(["prod-eu"]);
  });

  it("are found by labels", () => {
    expect(names({ selector: parseSelector("env in (prod),region!=us")! })).toEqual(["prod-eu"]);
  });

  it("are counted by state and sign", () => {
    expect(counts(rows)).toMatchObject({ connected: 2, disconnected: 1, update: 1, lost: 1, locked: 0 });
  });

  it("that say the same as before are the same rows", () => {
    const logs = sumUp([]);
    const [first] = rowsOf(all, logs, "0.2.0", now);
    expect(rowsOf(all, logs, "0.2.0", now + 5_000)[0]).toBe(first);
    expect(rowsOf(all, logs, "0.3.0", now)[0]).not.toBe(first);
  });

  it("of ten thousand are filtered well within a quarter of a second", () => {
    const many = rowsOf(Array.from({ length: 10_000 }, (_, at) => cluster(`c-${at}`, { labels: { env: at % 2 ? "prod" : "dev" } })), new Map(), "0.2.0", now);
    const before = performance.now();
    expect(filtered(many, { words: "c-99", status: ["connected"], selector: parseSelector("env=prod")! })).toHaveLength(56);
    expect(performance.now() - before).toBeLessThan(250);
  });
});

it("words of an address that are none are left out", () => {
  expect(statusWords("locked,nonsense,,locked,certificate")).toEqual(["locked", "certificate"]);
});
