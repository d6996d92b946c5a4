// A cluster as somebody edits it: what was changed, what somebody else changed meanwhile, and the two put together.

import type { Shapes } from "../api/client.ts";
import type { Cluster } from "../api/fleet.ts";
import { labelChange, labelText, typedLabels } from "./labels.ts";

export interface Draft {
  displayName: string;
  description: string;
  environment: string;
  protection: Shapes["Protection"];
  /** As they are typed. */
  labels: string;
}

export const FIELDS: { field: keyof Draft; title: string }[] = [
  { field: "displayName", title: "Display name" },
  { field: "description", title: "Description" },
  { field: "labels", title: "Labels" },
  { field: "environment", title: "Environment" },
  { field: "protection", title: "Protection" },
];

export function draftOf({ metadata, spec }: Cluster): Draft {
  const { displayName = "", description = "", environment = "", protection = "none" } = spec;
  return { displayName, description, environment, protection, labels: labelText(metadata.labels) };
}

/** What a draft changes of a cluster: nothing when null. */
export function patchOf(before: Cluster, draft: Draft): Shapes["ClusterPatch"] | null {
  const was = draftOf(before);
  const patch: Shapes["ClusterPatch"] = { revision: before.metadata.revision };
  for (const field of ["displayName", "description", "environment"] as const) {
    if (draft[field] !== was[field]) patch[field] = draft[field];
  }
  if (draft.protection !== was.protection) patch.protection = draft.protection;
  const typed = typedLabels(draft.labels);
  const labels = "labels" in typed ? labelChange(before.metadata.labels ?? {}, set(typed.labels)) : {};
  if (Object.keys(labels).length > 0) patch.labels = labels;
  return Object.keys(patch).length > 1 ? patch : null;
}

function set(labels: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).flatMap(([key, value]) => (value === null ? [] : [[key, value]])));
}

export interface Difference {
  title: string;
  /** As it was when the editing began, as it is now, and as it is wanted. */
  before: string;
  now: string;
  wanted: string;
  /** Both changed it, to different things. */
  both: boolean;
}

/** What somebody else changed since the editing began. */
export function conflicts(before: Cluster, now: Cluster, draft: Draft): Difference[] {
  const [was, is] = [draftOf(before), draftOf(now)];
  return FIELDS.filter(({ field }) => was[field] !== is[field]).map(({ field, title }) => ({
    title, before: was[field], now: is[field], wanted: draft[field],
    both: draft[field] !== was[field] && draft[field] !== is[field],
  }));
}

/** The draft on top of what it is now: what was not touched follows the other's change; labels one by one. */
export function rebased(before: Cluster, now: Cluster, draft: Draft): Draft {
  const [was, is] = [draftOf(before), draftOf(now)];
  const pick = <F extends keyof Draft>(field: F): Draft[F] => (draft[field] === was[field] ? is[field] : draft[field]);
  const typed = typedLabels(draft.labels);
  const own = "labels" in typed ? labelChange(before.metadata.labels ?? {}, set(typed.labels)) : {};
  const labels = set({ ...now.metadata.labels, ...own });
  return {
    displayName: pick("displayName"), description: pick("description"), environment: pick("environment"), protection: pick("protection"),
    labels: "labels" in typed ? labelText(labels) : draft.labels,
  };
}
