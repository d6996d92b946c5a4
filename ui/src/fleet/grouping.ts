// The fleet by the values of a label, or by the environment: how many clusters each has in which state.

import type { ClusterRow } from "./rows.ts";

/** Groups by `spec.environment` and not by a label. No label is called so: it would have to begin with a letter or digit. */
export const BY_ENVIRONMENT = "(environment)";

export interface ValueGroup {
  /** Empty for the clusters without. */
  value: string;
  rows: ClusterRow[];
  /** From bad to good, none of them empty. */
  states: { state: ClusterRow["cluster"]["status"]["state"]; count: number }[];
}

const ORDER = ["duplicate-identity", "disconnected", "degraded", "joining", "locked", "connected"] as const;

/** No more groups than that: a label with a value for each cluster is no overview. */
export const MOST_GROUPS = 60;

export function byLabel(rows: readonly ClusterRow[], label: string): { groups: ValueGroup[]; more: number } {
  const values = new Map<string, ClusterRow[]>();
  for (const row of rows) {
    const value = (label === BY_ENVIRONMENT ? row.cluster.spec.environment : row.cluster.metadata.labels?.[label]) ?? "";
    const group = values.get(value);
    if (group === undefined) values.set(value, [row]);
    else group.push(row);
  }
  const last = (value: string) => (value === "" ? 1 : 0);
  const sorted = [...values].sort(([a], [b]) => last(a) - last(b) || (a < b ? -1 : 1));
  const groups = sorted.slice(0, MOST_GROUPS).map(([value, own]) => ({ value, rows: own, states: statesOf(own) }));
  return { groups, more: sorted.length - groups.length };
}

function statesOf(rows: ClusterRow[]): ValueGroup["states"] {
  return ORDER.map((state) => ({ state, count: rows.filter(({ cluster }) => cluster.status.state === state).length })).filter(({ count }) => count > 0);
}

/** What a group is listed by: the address of its clusters; null for those without an environment, which no filter names. */
export function groupPath(label: string, value: string): string | null {
  if (label !== BY_ENVIRONMENT) return `/clusters?${new URLSearchParams({ label: value === "" ? `!${label}` : `${label}=${value}` }).toString()}`;
  return value === "" ? null : `/clusters?${new URLSearchParams({ q: `environment=${value}` }).toString()}`;
}
