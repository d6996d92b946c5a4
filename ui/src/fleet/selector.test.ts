import { describe, expect, it } from "vitest";
import { labelChange, typedLabels } from "./labels.ts";
import { parseSelector } from "./selector.ts";

const labels = { env: "prod", region: "eu" };

describe("a selector", () => {
  it.each([
    "", "env=prod", "env==prod", "env!=dev", "env", "!old", "region in (eu, us),env=prod", "region notin (us)", " env = prod , region",
  ])("%j selects as kubectl does", (text) => {
    expect(parseSelector(text)?.(labels)).toBe(true);
  });

  it.each(["env=dev", "old", "!env", "region in (us)", "env=prod,region=us", "region notin (eu,us)"])("%j does not select", (text) => {
    expect(parseSelector(text)?.(labels)).toBe(false);
  });

  it.each([",", "=a", "a b", "a in b", "a in (b", "(a)", "a=b=c", "a within (b)", "ä=b", "a in (b) c"])("%j is none", (text) => {
    expect(parseSelector(text)).toBeNull();
  });

  it("has no more requirements than the gateway takes", () => {
    expect(parseSelector(Array(32).fill("a").join(","))).not.toBeNull();
    expect(parseSelector(Array(33).fill("a").join(","))).toBeNull();
  });

  it("does not take what every object has for a label", () => {
    expect(parseSelector("constructor")?.({})).toBe(false);
    expect(parseSelector("!toString")?.({})).toBe(true);
  });
});

describe("typed labels", () => {
  it("are set, and taken away where that makes sense", () => {
    expect(typedLabels("env=prod, region=eu tier=")).toEqual({ labels: { env: "prod", region: "eu", tier: "" } });
    expect(typedLabels("env=prod,old-", true)).toEqual({ labels: { env: "prod", old: null } });
  });

  it.each(["old-", "env", "=a", "a=-b", "a=1,a=2", "A.com/a=b"])("%j is refused with what is wrong", (text) => {
    expect(typedLabels(text)).toHaveProperty("wrong");
  });

  it("give the change that makes one set the other", () => {
    expect(labelChange({ a: "1", b: "2", c: "3" }, { a: "1", b: "4", d: "" })).toEqual({ b: "4", c: null, d: "" });
  });
});
