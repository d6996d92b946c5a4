// What can be done to an object beyond editing it: which of it fits a kind, and how it is said to the API server.

import { kube, resourcePath, type KubeObject, type ObjectMeta } from "../../api/kube.ts";
import { groupResource, isNodes, WORKLOADS, type Named } from "../places.ts";
import type { Asking } from "../rights.ts";

export type Deed = "scale" | "restart" | "cordon" | "uncordon" | "delete";

export interface Target {
  cluster: string;
  of: Named;
  kind: string;
  metadata: Pick<ObjectMeta, "name" | "namespace" | "uid">;
  /** Whether pods may be put on it, for a node. */
  unschedulable?: boolean | undefined;
}

const MERGE = "application/merge-patch+json";
const STRATEGIC = "application/strategic-merge-patch+json";

/** What fits a kind; whether it may be done is asked with `rightFor`. */
export function deedsFor(of: Named, verbs: string[] | undefined): Deed[] {
  const workload = WORKLOADS[groupResource(of)];
  return [
    ...(workload?.scales === true ? (["scale"] as const) : []),
    ...(workload?.restarts === true ? (["restart"] as const) : []),
    ...(isNodes(of) ? (["cordon", "uncordon"] as const) : []),
    ...(verbs === undefined || verbs.includes("delete") ? (["delete"] as const) : []),
  ];
}

/** The right that a deed needs. */
export function rightFor(deed: Deed, of: Named): Asking {
  const { group, resource } = of;
  if (deed === "delete") return { verb: "delete", group, resource };
  return { verb: "patch", group, resource: deed === "scale" ? `${resource}/scale` : resource };
}

function at({ of, metadata }: Target, part?: string): string {
  return resourcePath(of, metadata.namespace, metadata.name, part);
}

/** How many there are wanted now. */
export async function scaleOf(target: Target, signal: AbortSignal): Promise<number> {
  const scale = await kube<KubeObject & { spec?: { replicas?: number } }>(target.cluster, at(target, "scale"), { signal });
  return scale.spec?.replicas ?? 0;
}

export async function scaleTo(target: Target, replicas: number): Promise<void> {
  await kube(target.cluster, at(target, "scale"), { method: "PATCH", type: MERGE, body: { spec: { replicas } } });
}

/** As `kubectl rollout restart` does it: an annotation of the template, so that every pod is made anew in the workload's own way. */
export async function restart(target: Target, now: Date): Promise<void> {
  const annotations = { "kubectl.kubernetes.io/restartedAt": now.toISOString() };
  await kube(target.cluster, at(target), { method: "PATCH", type: STRATEGIC, body: { spec: { template: { metadata: { annotations } } } } });
}

export async function cordon(target: Target, unschedulable: boolean): Promise<void> {
  await kube(target.cluster, at(target), { method: "PATCH", type: MERGE, body: { spec: { unschedulable } } });
}

export type Propagation = "Background" | "Foreground" | "Orphan";

/** Deletes this object and no other that has come to have its name. */
export async function remove(target: Target, propagationPolicy: Propagation): Promise<void> {
  const { uid } = target.metadata;
  const body = { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy, ...(uid === undefined ? {} : { preconditions: { uid } }) };
  await kube(target.cluster, at(target), { method: "DELETE", body });
}
