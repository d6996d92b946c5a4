import { describe, expect, it } from "vitest";
import type { KubeObject } from "../api/kube.ts";
import { asWritten, compare, yamlOf } from "./compare.ts";
import { enforcers } from "./enforced.ts";
import { object } from "./testing.ts";

const side = (...objects: KubeObject[]) => objects.map((one) => ({ kind: one.kind, object: one }));
const written = (one: KubeObject, extra: Partial<KubeObject["metadata"]>): KubeObject => ({ ...one, metadata: { ...one.metadata, ...extra }, status: { seen: true } });

describe("two clusters", () => {
  it("differ in what only one has, and in what both have and say differently", () => {
    const a = side(object("NetworkPolicy", "shop/same", { x: 1 }), object("NetworkPolicy", "shop/changed", { x: 1 }), object("Tier", "mine"));
    const b = side(object("NetworkPolicy", "shop/same", { x: 1 }), object("NetworkPolicy", "shop/changed", { x: 2 }), object("NetworkPolicy", "bank/same", { x: 1 }));
    expect(compare(a, b).map(({ key, difference }) => `${key} ${difference}`)).toEqual([
      "NetworkPolicy/shop/changed different", "Tier//mine only-a", "NetworkPolicy/bank/same only-b", "NetworkPolicy/shop/same same",
    ]);
  });

  it("do not differ in what each of them wrote into an object, nor in the order of its fields", () => {
    const one = written(object("Tier", "t", { order: 1, defaultAction: "Pass" }), { uid: "1", resourceVersion: "7", creationTimestamp: "2026-01-01T00:00:00Z", annotations: { note: "x" } });
    const other = written(object("Tier", "t", { defaultAction: "Pass", order: 1 }), { uid: "2", generation: 4 });
    expect(compare(side(one), side(other))[0]?.difference).toBe("same");
  });

  it("differ in labels", () => {
    expect(compare(side(written(object("Tier", "t"), { labels: { a: "b" } })), side(object("Tier", "t")))[0]?.difference).toBe("different");
  });

  it("do not differ in the version of the API, since it may be another in each", () => {
    expect(compare(side({ ...object("Tier", "t"), apiVersion: "projectcalico.org/v3" }), side({ ...object("Tier", "t"), apiVersion: "crd.projectcalico.org/v1" }))[0]?.difference).toBe("same");
  });
});

describe("an object as one would write it", () => {
  const full = written(object("NetworkPolicy", "shop/p", { podSelector: {} }), {
    uid: "1", resourceVersion: "7", creationTimestamp: "x", labels: { a: "b" }, annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}", note: "kept" },
    ownerReferences: [{ apiVersion: "v1", kind: "X", name: "x", uid: "y" }],
  });

  it("has nothing that its cluster wrote into it", () => {
    expect(asWritten(full)).toEqual({
      apiVersion: "v", kind: "NetworkPolicy", metadata: { name: "p", namespace: "shop", labels: { a: "b" }, annotations: { note: "kept" } }, spec: { podSelector: {} },
    });
  });

  it("reads as people write it", () => {
    expect(yamlOf(full)).toBe("apiVersion: v\nkind: NetworkPolicy\nmetadata:\n  name: p\n  namespace: shop\n  annotations:\n    note: kept\n  labels:\n    a: b\nspec:\n  podSelector: {}\n");
  });
});

describe("who enforces policies", () => {
  const daemon = (name: string, image = "x"): KubeObject => ({ ...object("DaemonSet", name), spec: { template: { spec: { containers: [{ image }] } } } });

  it("is told by daemon sets' names and images", () => {
    expect(enforcers([daemon("calico-node"), daemon("kube-proxy")])).toEqual(["Calico"]);
    expect(enforcers([daemon("cilium"), daemon("antrea-agent"), daemon("kube-router")])).toEqual(["Cilium", "Antrea", "kube-router"]);
    expect(enforcers([daemon("ours", "registry.example/calico/node:v3.30")])).toEqual(["Calico"]);
    expect(enforcers([daemon("aws-node", "602401143452.dkr.ecr/amazon/aws-network-policy-agent:v1")])).toEqual(["Amazon VPC CNI"]);
  });

  it("is nobody where none is known", () => {
    expect(enforcers([daemon("kube-flannel-ds"), daemon("kindnet")])).toEqual([]);
    expect(enforcers([{ ...object("DaemonSet", "odd"), spec: null }])).toEqual([]);
  });
});
