// The order in which policies are evaluated.
//
// Tiers, as projectcalico/calico felix/calc/policy_sorter.go has them (TierLess): those that are there before those that are
// only named, then by order with a missing one last, then by name. Policies in a tier (PolKVLess): by order with a missing one
// last, then by name, namespace and kind. The tiers that are there without being made, and their orders, are in
// api/pkg/apis/projectcalico/v3/tier.go: kube-admin 1,000, default 1,000,000, kube-baseline 10,000,000; of default the action
// at the end is Deny, of those for Kubernetes' kinds Pass. That they stand before and after NetworkPolicy is also what
// kubernetes-sigs/network-policy-api apis/v1alpha2/clusternetworkpolicy_types.go says of any CNI, with or without Calico.

import type { KubeObject } from "../api/kube.ts";
import { DEFAULT_TIER, type Policy } from "./policy.ts";
import { fields, number, text } from "./read.ts";

export interface Tier {
  name: string;
  /** null is after all others. */
  order: number | null;
  /** What happens to traffic of a pod that a policy of the tier is for, when none of its rules fits. */
  defaultAction: "Deny" | "Pass";
  /** As it stands in the cluster; null where policies name it and nobody made it. */
  object: KubeObject | null;
  /** Policies name it, it is none that comes by itself, and there is no such Tier: Calico evaluates none of them. */
  missing: boolean;
  policies: Policy[];
}

const BY_ITSELF = new Map<string, Pick<Tier, "order" | "defaultAction">>([
  ["adminnetworkpolicy", { order: 1_000, defaultAction: "Pass" }],
  ["kube-admin", { order: 1_000, defaultAction: "Pass" }],
  [DEFAULT_TIER, { order: 1_000_000, defaultAction: "Deny" }],
  ["baselineadminnetworkpolicy", { order: 10_000_000, defaultAction: "Pass" }],
  ["kube-baseline", { order: 10_000_000, defaultAction: "Pass" }],
]);

/** What a Tier object says. */
export function tierOf(object: KubeObject): Tier {
  const spec = fields(object["spec"]);
  const { name } = object.metadata;
  const own = BY_ITSELF.get(name);
  const action = text(spec["defaultAction"]);
  return {
    name,
    order: number(spec["order"]) ?? own?.order ?? null,
    defaultAction: action === "Pass" || (action === "" && own?.defaultAction === "Pass") ? "Pass" : "Deny",
    object,
    missing: false,
    policies: [],
  };
}

/**
 * All tiers in order, each with its policies in order. `tiersAreKnown` is whether the cluster's Tiers could be read: where they
 * could not, or where there are none, a tier that policies name is taken to be there.
 */
export function inOrder(tiers: KubeObject[], policies: Policy[], tiersAreKnown: boolean): Tier[] {
  const byName = new Map(tiers.map((object) => [object.metadata.name, tierOf(object)]));
  for (const policy of policies) {
    const tier = byName.get(policy.tier) ?? implied(policy.tier, tiersAreKnown);
    byName.set(policy.tier, tier);
    tier.policies.push(policy);
  }
  const sorted = [...byName.values()].sort(tierOrder);
  for (const tier of sorted) tier.policies.sort(policyOrder);
  return sorted;
}

function implied(name: string, tiersAreKnown: boolean): Tier {
  const own = BY_ITSELF.get(name);
  return {
    name,
    order: own?.order ?? null,
    defaultAction: own?.defaultAction ?? "Deny",
    object: null,
    missing: own === undefined && tiersAreKnown,
    policies: [],
  };
}

function tierOrder(a: Tier, b: Tier): number {
  return Number(a.missing) - Number(b.missing) || byNumber(a.order, b.order) || compare(a.name, b.name);
}

function policyOrder(a: Policy, b: Policy): number {
  return byNumber(a.order, b.order) || compare(tieOf(a), tieOf(b));
}

/** As Calico names the kinds within. */
const TIE: Record<string, string> = { CalicoNetworkPolicy: "NetworkPolicy", NetworkPolicy: "KubernetesNetworkPolicy" };

function tieOf({ name, namespace, kind }: Policy): string {
  return `${name}/${namespace}/${TIE[kind.kind] ?? kind.kind}`;
}

function byNumber(a: number | null, b: number | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a - b;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The tiers that nobody makes: where there is no Calico they are not called what Calico calls them. */
const TITLES = new Map([
  ["adminnetworkpolicy", "Admin network policies"],
  ["kube-admin", "Cluster network policies: admin"],
  [DEFAULT_TIER, "Network policies"],
  ["baselineadminnetworkpolicy", "Baseline admin network policies"],
  ["kube-baseline", "Cluster network policies: baseline"],
]);

/** What people call a tier: as it is named in the cluster, or by what is in it where it only comes by itself. */
export function tierTitle({ name, object }: Pick<Tier, "name" | "object">): string {
  return object === null ? (TITLES.get(name) ?? name) : name;
}

/** The order of a tier in words. */
export function orderWords(order: number | null): string {
  return order === null ? "no order, last" : `order ${order.toLocaleString("en")}`;
}

/** Where a policy stands among others, in the words of its kind; empty for one that has no place of its own. */
export function placeWords({ kind, order }: Pick<Policy, "kind" | "order">, isCalicos: boolean): string {
  switch (kind.shape) {
    case "admin":
    case "cluster":
      return `priority ${order ?? "missing"}`;
    case "kubernetes":
      return isCalicos ? orderWords(order) : "";
    case "baseline":
    case "tier":
      return "";
    case "calico":
      return orderWords(order);
  }
}
