import { expect, it } from "vitest";
import { isOlder, versionKey } from "./version.ts";

it.each([["0.1.0", "0.2.0"], ["0.9.3", "0.31.0"], ["1.0", "1.0.1"]])("%s is older than %s", (one, other) => {
  expect(isOlder(one, other)).toBe(true);
  expect(isOlder(other, one)).toBe(false);
});

it("takes a build of the same version, and what is no version, for not older", () => {
  expect(isOlder("0.1.0-dev", "0.1.0")).toBe(false);
  expect(isOlder("unknown", "0.1.0")).toBe(false);
});

it("sorts versions by their numbers", () => {
  const sorted = ["v1.31.0", null, "v1.9.3"].sort((a, b) => (versionKey(a) < versionKey(b) ? -1 : 1));
  expect(sorted).toEqual([null, "v1.9.3", "v1.31.0"]);
});
