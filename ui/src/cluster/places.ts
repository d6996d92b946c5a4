// The addresses of this area, and what is grouped under which entry of the navigation. Pure.

import type { Resource } from "../api/kube.ts";

export type Named = Pick<Resource, "group" | "version" | "resource">;

/** The list of a kind. */
export function listPath(cluster: string, { group, version, resource }: Named): string {
  return `/c/${[cluster, group === "" ? "core" : group, version, resource].map(encodeURIComponent).join("/")}`;
}

/** The page of an object; `_` stands for no namespace. */
export function objectPath(cluster: string, of: Named, namespace: string, name: string, tab = ""): string {
  const steps = [namespace === "" ? "_" : namespace, name, ...(tab === "" ? [] : [tab])].map(encodeURIComponent);
  return `${listPath(cluster, of)}/${steps.join("/")}`;
}

/** `core` is how an address names the group without a name. */
export function groupOf(step: string): string {
  return step === "core" ? "" : step;
}

/** A kind and its group as kubectl writes them: `ingresses.networking.k8s.io`. */
export function groupResource({ group, resource }: Pick<Named, "group" | "resource">): string {
  return group === "" ? resource : `${resource}.${group}`;
}

/** The plural of a kind as people read it: `Ingresses` of `Ingress`, by what its resource is called. */
export function pluralOf(kind: string, resource: string): string {
  const lower = kind.toLowerCase();
  let same = 0;
  while (same < lower.length && lower[same] === resource[same]) same++;
  return kind.slice(0, same) + resource.slice(same);
}

export interface SectionKind extends Named {
  title: string;
}

const core = (resource: string, title: string): SectionKind => ({ group: "", version: "v1", resource, title });
const of = (group: string, version: string, resource: string, title: string): SectionKind => ({ group, version, resource, title });

/** Kinds that pages lead to by themselves. */
export const KNOWN = { pods: core("pods", "Pods"), nodes: core("nodes", "Nodes"), services: core("services", "Services"), events: core("events", "Events") };

/** What each collecting page shows, as far as the cluster serves it. */
export const SECTIONS: Record<"network" | "config" | "storage", { title: string; kinds: SectionKind[] }> = {
  network: {
    title: "Network",
    kinds: [
      core("services", "Services"),
      of("networking.k8s.io", "v1", "ingresses", "Ingresses"),
      of("gateway.networking.k8s.io", "v1", "gateways", "Gateways"),
      of("gateway.networking.k8s.io", "v1", "httproutes", "HTTP routes"),
      of("discovery.k8s.io", "v1", "endpointslices", "Endpoint slices"),
      of("networking.k8s.io", "v1", "networkpolicies", "Network policies"),
      of("networking.k8s.io", "v1", "ingressclasses", "Ingress classes"),
    ],
  },
  config: {
    title: "Config",
    kinds: [
      core("configmaps", "Config maps"),
      core("secrets", "Secrets"),
      core("serviceaccounts", "Service accounts"),
      of("rbac.authorization.k8s.io", "v1", "roles", "Roles"),
      of("rbac.authorization.k8s.io", "v1", "rolebindings", "Role bindings"),
      of("rbac.authorization.k8s.io", "v1", "clusterroles", "Cluster roles"),
      of("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "Cluster role bindings"),
      of("autoscaling", "v2", "horizontalpodautoscalers", "Autoscalers"),
      of("policy", "v1", "poddisruptionbudgets", "Disruption budgets"),
      core("resourcequotas", "Quotas"),
      core("limitranges", "Limit ranges"),
      core("namespaces", "Namespaces"),
    ],
  },
  storage: {
    title: "Storage",
    kinds: [
      core("persistentvolumeclaims", "Claims"),
      core("persistentvolumes", "Volumes"),
      of("storage.k8s.io", "v1", "storageclasses", "Storage classes"),
      of("storage.k8s.io", "v1", "csidrivers", "CSI drivers"),
      of("storage.k8s.io", "v1", "volumeattachments", "Attachments"),
    ],
  },
};

export type SectionName = keyof typeof SECTIONS;

/** Kinds whose pods a workload has: they have logs, can be scaled or restarted. */
export const WORKLOADS: Record<string, { title: string; scales: boolean; restarts: boolean }> = {
  "deployments.apps": { title: "Deployment", scales: true, restarts: true },
  "statefulsets.apps": { title: "StatefulSet", scales: true, restarts: true },
  "daemonsets.apps": { title: "DaemonSet", scales: false, restarts: true },
  "replicasets.apps": { title: "ReplicaSet", scales: true, restarts: false },
  "jobs.batch": { title: "Job", scales: false, restarts: false },
  "cronjobs.batch": { title: "CronJob", scales: false, restarts: false },
};

export function isPods(of: Pick<Named, "group" | "resource">): boolean {
  return of.group === "" && of.resource === "pods";
}

export function isNodes(of: Pick<Named, "group" | "resource">): boolean {
  return of.group === "" && of.resource === "nodes";
}

export function isWorkload(of: Pick<Named, "group" | "resource">): boolean {
  return Object.hasOwn(WORKLOADS, groupResource(of));
}

/** The plural of a kind that an owner reference or an event names, by the discovery or else by rule. */
export function namedByKind(apiVersion: string, kind: string, resources: Resource[] | undefined): Named {
  const [first = "", second] = apiVersion.split("/");
  const group = second === undefined ? "" : first;
  const version = second ?? first;
  const found = resources?.find((one) => one.group === group && one.kind === kind);
  const lower = kind.toLowerCase();
  const plural = /(s|x|ch)$/.test(lower) ? `${lower}es` : /[^aeiou]y$/.test(lower) ? `${lower.slice(0, -1)}ies` : `${lower}s`;
  return { group, version, resource: found?.resource ?? plural };
}
