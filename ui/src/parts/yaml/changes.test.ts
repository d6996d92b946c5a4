import { describe, expect, it } from "vitest";
import { changesOf, immutable, merge, same } from "./changes.ts";

const web = (image: string, more: object = {}) => ({ name: "web", image, ...more });

describe("differences", () => {
  it("names each field that differs", () => {
    expect(changesOf({ a: 1, b: { c: 2, d: 3 } }, { a: 1, b: { c: 4 }, e: 5 })).toEqual([
      { path: "b.c", before: 2, after: 4 },
      { path: "b.d", before: 3, after: undefined },
      { path: "e", before: undefined, after: 5 },
    ]);
  });

  it("compares named items by their names, whatever their order", () => {
    const before = { containers: [web("1"), { name: "side", image: "s" }] };
    const after = { containers: [{ name: "side", image: "s" }, web("2")] };
    expect(changesOf(before, after)).toEqual([{ path: "containers[web].image", before: "1", after: "2" }]);
  });

  it("takes other lists for one value", () => {
    expect(changesOf({ args: ["a", "b"] }, { args: ["a", "c"] })).toEqual([{ path: "args", before: ["a", "b"], after: ["a", "c"] }]);
  });

  it("quotes names with signs in them", () => {
    expect(changesOf({ labels: { "app/x": "1" } }, { labels: {} })[0]?.path).toBe('labels."app/x"');
  });

  it("takes what is not set and what is undefined for the same", () => {
    expect(same({ a: 1, b: undefined }, { a: 1 })).toBe(true);
    expect(same({ a: 1, b: null }, { a: 1 })).toBe(false);
  });
});

describe("three-way merge", () => {
  const base = { spec: { replicas: 1, paused: false, containers: [web("1")] } };

  it("puts changes of different fields together", () => {
    const theirs = { spec: { ...base.spec, replicas: 5 } };
    const mine = { spec: { ...base.spec, containers: [web("2")] } };
    expect(merge(base, theirs, mine)).toEqual({ value: { spec: { replicas: 5, paused: false, containers: [web("2")] } }, conflicts: [] });
  });

  it("puts changes of different items of a list together", () => {
    const both = { list: [web("1"), { name: "side", image: "1" }] };
    const theirs = { list: [web("2"), { name: "side", image: "1" }] };
    const mine = { list: [web("1"), { name: "side", image: "2" }, { name: "new" }] };
    expect(merge(both, theirs, mine).value).toEqual({ list: [web("2"), { name: "side", image: "2" }, { name: "new" }] });
  });

  it("finds what both changed, and takes what is chosen", () => {
    const theirs = { spec: { ...base.spec, replicas: 5 } };
    const mine = { spec: { ...base.spec, replicas: 3 } };
    const merged = merge(base, theirs, mine);
    expect(merged.conflicts).toEqual([{ path: "spec.replicas", base: 1, theirs: 5, mine: 3 }]);
    expect(merge(base, theirs, mine, () => "mine").value).toEqual(mine);
    expect(merge(base, theirs, mine, () => "theirs").value).toEqual(theirs);
  });

  it("sees no conflict where both changed to the same", () => {
    const both = { spec: { ...base.spec, replicas: 5 } };
    expect(merge(base, both, structuredClone(both)).conflicts).toEqual([]);
  });

  it("takes out what one side took out", () => {
    expect(merge({ a: 1, b: 2 }, { a: 1, b: 2, c: 3 }, { a: 1 }).value).toEqual({ a: 1, c: 3 });
    expect(merge({ a: 1, b: 2 }, { a: 1 }, { a: 1, b: 2, c: 3 }).value).toEqual({ a: 1, c: 3 });
  });

  it("finds a field that one took out and the other changed", () => {
    expect(merge({ a: 1 }, {}, { a: 2 }).conflicts).toEqual([{ path: "a", base: 1, theirs: undefined, mine: 2 }]);
  });

  it("merges what both added without a base", () => {
    expect(merge(undefined, { a: 1 }, { b: 2 }).value).toEqual({ a: 1, b: 2 });
  });
});

describe("fields that cannot change", () => {
  const paths = (kind: string, ...changed: string[]) => immutable(kind, changed.map((path) => ({ path, before: 1, after: 2 })), { immutable: true });

  it("are known by kind", () => {
    expect(paths("Deployment", "spec.selector.matchLabels.app", "spec.replicas")).toEqual(["spec.selector.matchLabels.app"]);
    expect(paths("RoleBinding", "roleRef.name", "subjects")).toEqual(["roleRef.name"]);
    expect(paths("Other", "metadata.name", "spec.selector")).toEqual(["metadata.name"]);
  });

  it("are nearly all of a pod's", () => {
    expect(paths("Pod", "spec.containers[web].image", "spec.containers[web].env", "spec.nodeName")).toEqual(["spec.containers[web].env", "spec.nodeName"]);
  });

  it("are the data of what is sealed", () => {
    expect(paths("ConfigMap", "data.a", "metadata.labels.x")).toEqual(["data.a"]);
  });
});
