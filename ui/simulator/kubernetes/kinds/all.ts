/** All that a cluster serves. */
import { resource, column, field, type Resource } from "../resource.ts";
import { age, at } from "../object.ts";
import { CLAIMS, CONFIG_MAPS, EVENTS, NAMESPACES, NODES, SECRETS, SERVICES, SERVICE_ACCOUNTS, VOLUMES } from "./core.ts";
import { PODS } from "./pods.ts";
import { ADMIN_POLICIES, BASELINE_POLICIES, CALICO, CALICO_CRD, CLUSTER_POLICIES, INGRESSES, NETWORK_POLICIES } from "./policies.ts";
import { CRON_JOBS, DAEMON_SETS, DEPLOYMENTS, JOBS, REPLICA_SETS, STATEFUL_SETS } from "./workloads.ts";

export const STORAGE_CLASSES = resource("StorageClass", "storage.k8s.io/v1", {
  plural: "storageclasses",
  namespaced: false,
  short: ["sc"],
  columns: [field("Provisioner", "provisioner"), field("ReclaimPolicy", "reclaimPolicy")],
});

export const DEFINITIONS = resource("CustomResourceDefinition", "apiextensions.k8s.io/v1", {
  namespaced: false,
  short: ["crd", "crds"],
  columns: [column("Created At", (definition) => definition.metadata.creationTimestamp)],
});

/** A kind that nobody knows beforehand: an odd plural, a boolean, a date, a number and an object among its columns. */
export const TEAPOTS = resource("Teapot", "brew.example.com/v1beta2", {
  plural: "teapotses",
  singular: "teapot",
  short: ["tpt"],
  categories: ["all", "crockery"],
  subresources: ["status", "scale"],
  columns: [
    { ...field("Strength", "spec", "strength"), type: "number" },
    { ...field("Boiling", "status", "boiling"), type: "boolean" },
    { ...field("Last Brew", "status", "lastBrew"), type: "date", cell: (pot) => age(at(pot, "status", "lastBrew")) },
    { ...field("Blend", "spec", "blend"), priority: 1 },
  ],
});

export const KINDS: readonly Resource[] = [
  PODS, NODES, NAMESPACES, SERVICES, CONFIG_MAPS, SECRETS, SERVICE_ACCOUNTS, VOLUMES, CLAIMS, EVENTS,
  DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, DAEMON_SETS, JOBS, CRON_JOBS,
  INGRESSES, NETWORK_POLICIES, ADMIN_POLICIES, BASELINE_POLICIES, CLUSTER_POLICIES,
  ...Object.values(CALICO), ...Object.values(CALICO_CRD),
  STORAGE_CLASSES, DEFINITIONS, TEAPOTS,
];

export function kindAt(kinds: readonly Resource[], group: string, version: string, plural: string): Resource | undefined {
  return kinds.find((kind) => kind.group === group && kind.version === version && kind.plural === plural);
}
