import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../api/kube.ts";
import { ownerOf, podsOf, selectorQuery, selects } from "./related.ts";

const object = (spec: object): KubeObject => ({ apiVersion: "v1", kind: "x", metadata: { name: "a" }, spec });

describe("selectors", () => {
  it("are written as a list's query", () => {
    expect(selectorQuery({
      matchLabels: { app: "web" },
      matchExpressions: [{ key: "tier", operator: "In", values: ["a", "b"] }, { key: "old", operator: "DoesNotExist" }, { key: "x", operator: "Exists" }, { key: "y", operator: "NotIn", values: ["1"] }],
    })).toBe("app=web,tier in (a,b),!old,x,y notin (1)");
  });

  it("that are empty select nothing here, so that not all pods are shown as one's own", () => {
    expect(selectorQuery({})).toBeNull();
    expect(podsOf("Service", object({}))).toBeNull();
  });

  it("of services are labels, of workloads selectors", () => {
    expect(podsOf("Service", object({ selector: { app: "web" } }))).toBe("app=web");
    expect(podsOf("Deployment", object({ selector: { matchLabels: { app: "web" } } }))).toBe("app=web");
    expect(podsOf("ConfigMap", object({ selector: { app: "web" } }))).toBeNull();
  });

  it("take labels that have all of theirs", () => {
    const service = object({ selector: { app: "web", tier: "front" } });
    expect([selects(service, { app: "web", tier: "front", x: "y" }), selects(service, { app: "web" }), selects(object({}), { app: "web" })]).toEqual([true, false, false]);
  });
});

describe("the owner", () => {
  it("is the one that controls it", () => {
    const owner = (name: string, controller: boolean) => ({ apiVersion: "v1", kind: "A", name, uid: name, controller });
    expect(ownerOf({ ownerReferences: [owner("a", false), owner("b", true)] })?.name).toBe("b");
    expect(ownerOf({ ownerReferences: [owner("a", false)] })?.name).toBe("a");
    expect(ownerOf({})).toBeUndefined();
  });
});
