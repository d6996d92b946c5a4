// What belongs together: who owns an object, what it owns, which services select a pod. Pure.

import type { KubeObject, ObjectMeta } from "../../api/kube.ts";

export type Labels = Record<string, string>;

interface Requirement {
  key: string;
  operator: string;
  values?: string[];
}

export interface Selector {
  matchLabels?: Labels;
  matchExpressions?: Requirement[];
}

/** A selector as the query of a list; null for one that selects nothing. */
export function selectorQuery(selector: Selector | undefined): string | null {
  if (selector === undefined) return null;
  const parts = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    if (operator === "In") parts.push(`${key} in (${values.join(",")})`);
    else if (operator === "NotIn") parts.push(`${key} notin (${values.join(",")})`);
    else if (operator === "Exists") parts.push(key);
    else if (operator === "DoesNotExist") parts.push(`!${key}`);
  }
  return parts.length === 0 ? null : parts.join(",");
}

/** The pods of a workload or a service, as the query of a list; null where the object selects none. */
export function podsOf(kind: string, object: KubeObject): string | null {
  const selector = (object["spec"] as { selector?: unknown } | undefined)?.selector;
  if (typeof selector !== "object" || selector === null) return null;
  if (kind === "Service" || kind === "ReplicationController") return selectorQuery({ matchLabels: selector as Labels });
  if (["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"].includes(kind)) return selectorQuery(selector);
  return null;
}

/** Whether a service's selector takes labels; one without a selector takes none. */
export function selects(service: KubeObject, labels: Labels | undefined): boolean {
  const selector = (service["spec"] as { selector?: Labels } | undefined)?.selector;
  const wanted = Object.entries(selector ?? {});
  return wanted.length > 0 && wanted.every(([key, value]) => labels?.[key] === value);
}

export type Owner = NonNullable<ObjectMeta["ownerReferences"]>[number];

/** The owner that controls it, or the first there is. */
export function ownerOf(metadata: Pick<ObjectMeta, "ownerReferences">): Owner | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true) ?? metadata.ownerReferences?.[0];
}
