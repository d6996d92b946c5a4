import { expect, it } from "vitest";
import { nameFault } from "./name.ts";

const taken = (name: string) => ["prod-eu", "prod-eu-2"].includes(name);

it.each(["prod-us", "a", "0", "a".repeat(63)])("%s may be a name", (name) => {
  expect(nameFault(name, taken)).toBeNull();
});

it("says nothing before something is typed", () => {
  expect(nameFault("", taken)).toBeNull();
});

it.each([
  ["Prod EU", "prod-eu-3"],
  ["prod_us", "prod-us"],
  ["-a-", "a"],
  ["Zürich", "zurich"],
  ["東京", ""],
  ["a".repeat(64), "a".repeat(63)],
])("of %s it suggests what fits", (name, instead) => {
  expect(nameFault(name, taken)).toMatchObject({ instead });
});

it("suggests the next free name for one that is taken", () => {
  expect(nameFault("prod-eu", taken)).toEqual({ why: "“prod-eu” is taken", instead: "prod-eu-3" });
});

it("keeps to the longest name when it suggests one", () => {
  const long = "a".repeat(63);
  expect(nameFault(long, (name) => name === long)?.instead).toBe(`${"a".repeat(61)}-2`);
});

it("keeps the names that are somebody's already", () => {
  expect(nameFault("management", taken)?.why).toMatch(/gateway's own/);
  expect(nameFault("new", taken)?.instead).toBe("new-cluster");
});
