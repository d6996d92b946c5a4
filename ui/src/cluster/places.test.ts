import { describe, expect, it } from "vitest";
import { groupResource, listPath, namedByKind, objectPath, pluralOf } from "./places.ts";

const PODS = { group: "", version: "v1", resource: "pods" };

describe("addresses", () => {
  it("name the group without a name, and no namespace", () => {
    expect(listPath("prod-eu", PODS)).toBe("/c/prod-eu/core/v1/pods");
    expect(objectPath("prod-eu", { group: "apps", version: "v1", resource: "deployments" }, "shop", "web", "yaml")).toBe("/c/prod-eu/apps/v1/deployments/shop/web/yaml");
    expect(objectPath("prod-eu", { ...PODS, resource: "nodes" }, "", "a:b/c")).toBe("/c/prod-eu/core/v1/nodes/_/a%3Ab%2Fc");
  });

  it("write kinds as kubectl does", () => {
    expect([groupResource(PODS), groupResource({ group: "apps", resource: "deployments" })]).toEqual(["pods", "deployments.apps"]);
  });
});

describe("the plural of a kind", () => {
  it("is the resource's with the kind's capitals", () => {
    expect([["Pod", "pods"], ["Ingress", "ingresses"], ["NetworkPolicy", "networkpolicies"], ["pods", "pods"]].map(([kind = "", resource = ""]) => pluralOf(kind, resource)))
      .toEqual(["Pods", "Ingresses", "NetworkPolicies", "pods"]);
  });

  it("is found by discovery, or by rule where that knows nothing", () => {
    expect(namedByKind("networking.k8s.io/v1", "Ingress", undefined)).toEqual({ group: "networking.k8s.io", version: "v1", resource: "ingresses" });
    expect(namedByKind("v1", "NetworkPolicy", []).resource).toBe("networkpolicies");
    const known = { group: "x.io", version: "v1", resource: "mice", kind: "Mouse", namespaced: true, verbs: [], shortNames: [], subresources: [] };
    expect(namedByKind("x.io/v1beta1", "Mouse", [known])).toEqual({ group: "x.io", version: "v1beta1", resource: "mice" });
  });
});
