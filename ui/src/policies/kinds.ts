// The kinds of tiers and policies that there are, and which of them a cluster serves.
//
// Invariant: a kind that a cluster serves twice (Calico's, as projectcalico.org/v3 and as the crd.projectcalico.org/v1 that lies
// beneath) is read once, by the first group.

import { find } from "../api/discovery.ts";
import type { KubeObject, Resource } from "../api/kube.ts";

/** How an object of the kind is read. */
export type Shape = "tier" | "calico" | "kubernetes" | "admin" | "baseline" | "cluster";

export interface PolicyKind {
  kind: string;
  resource: string;
  /** The groups that have it, the one that is preferred first. */
  groups: string[];
  shape: Shape;
  /** In a word or two. */
  short: string;
}

export const CALICO = ["projectcalico.org", "crd.projectcalico.org"];
const ADMIN = ["policy.networking.k8s.io"];

export const TIERS: PolicyKind = { kind: "Tier", resource: "tiers", groups: CALICO, shape: "tier", short: "Tier" };

export const KINDS: PolicyKind[] = [
  TIERS,
  { kind: "GlobalNetworkPolicy", resource: "globalnetworkpolicies", groups: CALICO, shape: "calico", short: "Global" },
  { kind: "CalicoNetworkPolicy", resource: "networkpolicies", groups: CALICO, shape: "calico", short: "Calico" },
  { kind: "StagedGlobalNetworkPolicy", resource: "stagedglobalnetworkpolicies", groups: CALICO, shape: "calico", short: "Global" },
  { kind: "StagedNetworkPolicy", resource: "stagednetworkpolicies", groups: CALICO, shape: "calico", short: "Calico" },
  { kind: "StagedKubernetesNetworkPolicy", resource: "stagedkubernetesnetworkpolicies", groups: CALICO, shape: "kubernetes", short: "Kubernetes" },
  { kind: "NetworkPolicy", resource: "networkpolicies", groups: ["networking.k8s.io"], shape: "kubernetes", short: "Kubernetes" },
  { kind: "AdminNetworkPolicy", resource: "adminnetworkpolicies", groups: ADMIN, shape: "admin", short: "Admin" },
  { kind: "BaselineAdminNetworkPolicy", resource: "baselineadminnetworkpolicies", groups: ADMIN, shape: "baseline", short: "Baseline" },
  { kind: "ClusterNetworkPolicy", resource: "clusternetworkpolicies", groups: ADMIN, shape: "cluster", short: "Cluster" },
];

/** What people call the kind; Calico and Kubernetes have one of the same name. */
export function kindTitle(kind: string): string {
  return kind === "CalicoNetworkPolicy" ? "NetworkPolicy (Calico)" : kind;
}

/** A kind as a cluster serves it. */
export interface Served {
  kind: PolicyKind;
  resource: Resource;
}

/** The kinds that a cluster serves and lists. */
export function served(resources: Resource[]): Served[] {
  return KINDS.flatMap((kind) => {
    const found = kind.groups.map((group) => find(resources, group, kind.resource)).find((one) => one?.verbs.includes("list"));
    return found === undefined ? [] : [{ kind, resource: found }];
  });
}

export function hasCalico(kinds: Served[]): boolean {
  return kinds.some(({ kind }) => kind.groups === CALICO);
}

/** A kind of objects as addresses and YAML name it: `globalnetworkpolicies.projectcalico.org`. */
export function addressOf({ resource }: Served): string {
  return `${resource.resource}.${resource.group}`;
}

const SHOWN_TWICE = /^(knp\.default|kanp\.adminnetworkpolicy|kbanp\.baselineadminnetworkpolicy|kcnp\.kube-(admin|baseline))\./;

/** Calico's API also shows Kubernetes' own policies, under these names and not to be changed; they are read where they stand. */
export function isShownTwice(object: KubeObject, kind: PolicyKind): boolean {
  return kind.shape === "calico" && SHOWN_TWICE.test(object.metadata.name);
}
