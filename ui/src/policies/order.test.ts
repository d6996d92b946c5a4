import { describe, expect, it } from "vitest";
import { inOrder, orderWords, placeWords, tierTitle } from "./order.ts";
import { hasCalico, isShownTwice, served } from "./kinds.ts";
import { kindOf, made, object, resource } from "./testing.ts";

const tier = (name: string, spec: object = {}) => object("Tier", name, spec);
const names = (tiers: ReturnType<typeof inOrder>) => tiers.map(({ name }) => name);
const policies = (tiers: ReturnType<typeof inOrder>, name: string) => tiers.find((one) => one.name === name)?.policies.map((policy) => policy.name);

describe("tiers", () => {
  it("come by their order, then by name, without an order last", () => {
    const tiers = inOrder([tier("z", { order: 10 }), tier("last"), tier("also-last"), tier("b", { order: 20 }), tier("a", { order: 20 })], [], true);
    expect(names(tiers)).toEqual(["z", "a", "b", "also-last", "last"]);
  });

  it("that Calico makes stand where it puts them, whether or not they can be seen", () => {
    const some = [
      made("ClusterNetworkPolicy", "late", { tier: "Baseline", priority: 1 }),
      made("BaselineAdminNetworkPolicy", "default"),
      made("NetworkPolicy", "shop/np"),
      made("ClusterNetworkPolicy", "early", { tier: "Admin", priority: 1 }),
      made("AdminNetworkPolicy", "anp", { priority: 1 }),
    ];
    expect(names(inOrder([], some, false))).toEqual(["adminnetworkpolicy", "kube-admin", "default", "baselineadminnetworkpolicy", "kube-baseline"]);
    const between = inOrder([tier("security", { order: 100 }), tier("platform", { order: 500_000 })], some, true);
    expect(names(between)).toEqual(["security", "adminnetworkpolicy", "kube-admin", "platform", "default", "baselineadminnetworkpolicy", "kube-baseline"]);
  });

  it("of which only policies know come last and are said to be missing, if the cluster's tiers are known", () => {
    const policy = made("GlobalNetworkPolicy", "gone.rule", { tier: "gone", order: 1 });
    expect(inOrder([tier("late", { order: 9_999_999 })], [policy], true).map(({ name, missing }) => [name, missing])).toEqual([["late", false], ["gone", true]]);
    expect(inOrder([], [policy], false)[0]?.missing).toBe(false);
  });

  it("deny at their end unless they say Pass", () => {
    const tiers = inOrder([tier("a", { order: 1 }), tier("b", { order: 2, defaultAction: "Pass" }), tier("kube-admin", { order: 1000 })], [made("NetworkPolicy", "n/p")], true);
    expect(tiers.map(({ name, defaultAction }) => `${name} ${defaultAction}`)).toEqual(["a Deny", "b Pass", "kube-admin Pass", "default Deny"]);
  });
});

describe("policies in a tier", () => {
  it("come by order, then by name, without an order last, staged ones where they would stand", () => {
    const tiers = inOrder([], [
      made("GlobalNetworkPolicy", "none-b"), made("GlobalNetworkPolicy", "none-a"),
      made("StagedGlobalNetworkPolicy", "staged", { order: 15 }),
      made("GlobalNetworkPolicy", "second", { order: 20 }), made("GlobalNetworkPolicy", "first", { order: 10 }), made("GlobalNetworkPolicy", "negative", { order: -1.5 }),
    ], false);
    expect(policies(tiers, "default")).toEqual(["negative", "first", "staged", "second", "none-a", "none-b"]);
  });

  it("of Kubernetes stand at 1,000 among Calico's", () => {
    const tiers = inOrder([], [
      made("CalicoNetworkPolicy", "shop/after", { order: 1_001 }), made("NetworkPolicy", "shop/kubernetes"), made("CalicoNetworkPolicy", "shop/before", { order: 999 }),
    ], false);
    expect(policies(tiers, "default")).toEqual(["before", "kubernetes", "after"]);
  });

  it("with the same order and name come by namespace, then by kind as Calico calls it", () => {
    const tiers = inOrder([], [
      made("CalicoNetworkPolicy", "b/same", { order: 1_000 }), made("CalicoNetworkPolicy", "a/same", { order: 1_000 }), made("NetworkPolicy", "a/same"),
    ], false);
    expect(tiers[0]?.policies.map(({ namespace, kind }) => `${namespace} ${kind.kind}`)).toEqual(["a NetworkPolicy", "a CalicoNetworkPolicy", "b CalicoNetworkPolicy"]);
  });

  it("go by priority where that is what they have", () => {
    const tiers = inOrder([], [
      made("ClusterNetworkPolicy", "ten", { tier: "Admin", priority: 10 }), made("ClusterNetworkPolicy", "nil", { tier: "Admin", priority: 0 }),
      made("ClusterNetworkPolicy", "base", { tier: "Baseline", priority: 0 }),
    ], false);
    expect(policies(tiers, "kube-admin")).toEqual(["nil", "ten"]);
    expect(policies(tiers, "kube-baseline")).toEqual(["base"]);
  });

  it("are named without `default.`, and are in the tier before their first dot where they name none", () => {
    expect(made("GlobalNetworkPolicy", "default.allow")).toMatchObject({ name: "allow", tier: "default" });
    expect(made("GlobalNetworkPolicy", "security.block")).toMatchObject({ name: "security.block", tier: "security" });
    expect(made("GlobalNetworkPolicy", "plain")).toMatchObject({ name: "plain", tier: "default" });
    expect(made("GlobalNetworkPolicy", "security.block", { tier: "other" }).tier).toBe("other");
  });
});

describe("kinds", () => {
  it("that a cluster serves twice are read once, by the newer group", () => {
    const both = served([resource("crd.projectcalico.org", "tiers"), resource("projectcalico.org", "tiers", "v3"), resource("crd.projectcalico.org", "networkpolicies"), resource("networking.k8s.io", "networkpolicies")]);
    expect(both.map(({ kind, resource: found }) => `${kind.kind} ${found.group}`)).toEqual(["Tier projectcalico.org", "CalicoNetworkPolicy crd.projectcalico.org", "NetworkPolicy networking.k8s.io"]);
    expect(hasCalico(both)).toBe(true);
  });

  it("that cannot be listed are not there, and without Calico there are the others", () => {
    const some = served([resource("projectcalico.org", "tiers", "v3", ["get"]), resource("networking.k8s.io", "networkpolicies")]);
    expect(some.map(({ kind }) => kind.kind)).toEqual(["NetworkPolicy"]);
    expect(hasCalico(some)).toBe(false);
  });

  it("of Kubernetes that Calico's API shows once more are left to Kubernetes' API", () => {
    const calico = kindOf("CalicoNetworkPolicy");
    expect(isShownTwice(object("NetworkPolicy", "shop/knp.default.web"), calico)).toBe(true);
    expect(isShownTwice(object("NetworkPolicy", "shop/web"), calico)).toBe(false);
    expect(isShownTwice(object("NetworkPolicy", "shop/knp.default.web"), kindOf("NetworkPolicy"))).toBe(false);
  });
});

it("tiers that come by themselves are called by what is in them where nobody made them", () => {
  expect(tierTitle({ name: "default", object: null })).toBe("Network policies");
  expect(tierTitle({ name: "default", object: tier("default") })).toBe("default");
  expect(tierTitle({ name: "gone", object: null })).toBe("gone");
  expect(tierTitle({ name: "constructor", object: null })).toBe("constructor");
});

it("an order reads well", () => {
  expect(placeWords(made("AdminNetworkPolicy", "p", { priority: 10 }), false)).toBe("priority 10");
  expect(placeWords(made("NetworkPolicy", "n/p"), true)).toBe("order 1,000");
  expect(placeWords(made("NetworkPolicy", "n/p"), false)).toBe("");
  expect(placeWords(made("BaselineAdminNetworkPolicy", "p"), true)).toBe("");
  expect(placeWords(made("GlobalNetworkPolicy", "p"), true)).toBe("no order, last");
  expect(orderWords(1_000_000)).toBe("order 1,000,000");
  expect(orderWords(null)).toBe("no order, last");
});
