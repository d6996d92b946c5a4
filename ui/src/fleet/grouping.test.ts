import { expect, it } from "vitest";
import { cluster } from "../testing/sample.ts";
import { BY_ENVIRONMENT, byLabel, groupPath, MOST_GROUPS } from "./grouping.ts";
import { rowsOf } from "./rows.ts";

const rows = rowsOf(
  [
    cluster("a", { labels: { region: "us" }, spec: { environment: "production" } }),
    cluster("b", { labels: { region: "eu" } }),
    cluster("c", { labels: { region: "eu" }, status: { state: "disconnected" } }),
    cluster("d"),
  ],
  new Map(), "0.2.0", 0,
);

it("counts the states of each value, the bad ones first, and those without it last", () => {
  expect(byLabel(rows, "region").groups.map(({ value, states }) => ({ value, states }))).toEqual([
    { value: "eu", states: [{ state: "disconnected", count: 1 }, { state: "connected", count: 1 }] },
    { value: "us", states: [{ state: "connected", count: 1 }] },
    { value: "", states: [{ state: "connected", count: 1 }] },
  ]);
});

it("groups by environment as well", () => {
  expect(byLabel(rows, BY_ENVIRONMENT).groups.map(({ value, rows: own }) => [value, own.length])).toEqual([["production", 1], ["", 3]]);
});

it("says how many values there are beyond those it shows", () => {
  const many = rowsOf(Array.from({ length: 200 }, (_, at) => cluster(`c${at}`, { labels: { id: String(at) } })), new Map(), "0.2.0", 0);
  const { groups, more } = byLabel(many, "id");
  expect([groups.length, more]).toEqual([MOST_GROUPS, 200 - MOST_GROUPS]);
});

it("leads to the clusters of a group by a selector", () => {
  expect(groupPath("region", "eu")).toBe("/clusters?label=region%3Deu");
  expect(groupPath("region", "")).toBe("/clusters?label=%21region");
  expect(groupPath(BY_ENVIRONMENT, "production")).toBe("/clusters?q=environment%3Dproduction");
  expect(groupPath(BY_ENVIRONMENT, "")).toBeNull();
});
