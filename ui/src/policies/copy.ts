// Policies from one cluster to others: tried there first, and written when somebody has seen what would come of it.
//
// Invariants: a cluster that takes no changes is never asked; a kind goes only where the same API group serves it, in the version
// that cluster prefers; what is there keeps its identity, owners and finalizers; what changed between the try and the write is a
// conflict, and is not overwritten.

import { discover } from "../api/discovery.ts";
import { asFault, Fault } from "../api/fault.ts";
import type { Cluster } from "../api/fleet.ts";
import { kube, resourcePath, type KubeObject, type Resource } from "../api/kube.ts";
import { isReadOnly } from "../parts/cluster.tsx";
import { same } from "../parts/yaml/changes.ts";
import { write } from "../parts/yaml/write.ts";
import { asWritten } from "./compare.ts";

/** So many clusters at once. */
export const MOST_CLUSTERS = 20;
/** So many of them are asked at the same time. */
const TOGETHER = 4;

export interface Item {
  key: string;
  object: KubeObject;
  /** As the cluster that it comes from serves the kind. */
  resource: Resource;
}

export type Outcome =
  | { at: "waiting" }
  | { at: "tried"; change: "new" | "changed" | "same"; before: KubeObject | null; after: KubeObject }
  | { at: "written"; change: "new" | "changed" | "same" }
  | { at: "refused"; fault: Fault };

/** Outcomes by cluster and then by the item's key. */
export type Outcomes = ReadonlyMap<string, ReadonlyMap<string, Outcome>>;

/** The clusters that policies can be copied to: connected, and open to changes. */
export function targets(all: Cluster[], from: string): Cluster[] {
  return all.filter((cluster) => cluster.metadata.name !== from && !isReadOnly(cluster) && ["connected", "degraded"].includes(cluster.status.state));
}

/** What is sent: what was written into the one, with the identity of the other where there is one. */
export function meant(item: Item, apiVersion: string, there: KubeObject | null): KubeObject {
  const own = asWritten(item.object);
  if (there === null) return { ...own, apiVersion };
  const { labels, annotations, ...identity } = there.metadata;
  return { ...own, apiVersion, metadata: { ...identity, ...own.metadata } };
}

/** Tries one item in a cluster that serves these kinds. */
export async function tryItem(cluster: string, item: Item, served: Resource[]): Promise<Outcome> {
  const { group, resource } = item.resource;
  const kind = served.find((one) => one.group === group && one.resource === resource);
  if (kind === undefined) {
    const detail = `${cluster} does not serve ${resource} of ${group}: what the kind needs is not installed there`;
    return { at: "refused", fault: new Fault("KindNotServed", detail, 0, "cluster") };
  }
  const before = await there(cluster, item, kind);
  const mine = meant(item, apiVersionOf(kind), before);
  if (before !== null && isSame(before, mine)) return { at: "tried", change: "same", before, after: before };
  const after = await write({ cluster, kind, base: before, mine }, true);
  return { at: "tried", change: before === null ? "new" : isSame(before, after) ? "same" : "changed", before, after };
}

/** Writes one that was tried. */
export async function writeItem(cluster: string, item: Item, served: Resource[], tried: Outcome): Promise<Outcome> {
  const kind = served.find((one) => one.group === item.resource.group && one.resource === item.resource.resource);
  if (tried.at !== "tried" || kind === undefined) return tried;
  if (tried.change !== "same") {
    await write({ cluster, kind, base: tried.before, mine: meant(item, apiVersionOf(kind), tried.before) }, false);
  }
  return { at: "written", change: tried.change };
}

/** One step for every item in every cluster; `tell` hears of each outcome as it comes. A cluster that is slow holds up no other. */
export async function each(
  clusters: string[], items: Item[], tell: (cluster: string, key: string, outcome: Outcome) => void,
  step: (cluster: string, item: Item, served: Resource[]) => Promise<Outcome>, signal: AbortSignal,
): Promise<void> {
  const left = [...clusters];
  const worker = async () => {
    for (let cluster = left.shift(); cluster !== undefined && !signal.aborted; cluster = left.shift()) {
      const name = cluster;
      const served = await discover(name, signal).catch((error: unknown) => asFault(error));
      for (const item of items) {
        if (signal.aborted) return;
        const outcome: Outcome = served instanceof Fault ? { at: "refused", fault: served } : await step(name, item, served).catch((error: unknown) => ({ at: "refused", fault: asFault(error) }));
        tell(name, item.key, outcome);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(TOGETHER, clusters.length) }, worker));
}

async function there(cluster: string, { object }: Item, kind: Resource): Promise<KubeObject | null> {
  const path = resourcePath(kind, object.metadata.namespace, object.metadata.name);
  return kube<KubeObject>(cluster, path).catch((error: unknown) => {
    if (asFault(error).status === 404) return null;
    throw error;
  });
}

function apiVersionOf({ group, version }: Resource): string {
  return group === "" ? version : `${group}/${version}`;
}

function isSame(a: KubeObject, b: KubeObject): boolean {
  return same({ ...asWritten(a), apiVersion: "" }, { ...asWritten(b), apiVersion: "" });
}

/** What came of it in a cluster, or would come: `2 new, 1 refused`. */
export function outcomeWords(outcomes: Iterable<Outcome>): string {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) {
    const word = outcome.at === "refused" ? "refused" : outcome.at === "waiting" ? "waiting" : WORDS[outcome.at][outcome.change];
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, many]) => `${many} ${word}`).join(", ");
}

const WORDS = {
  tried: { new: "to create", changed: "to change", same: "the same already" },
  written: { new: "created", changed: "changed", same: "the same already" },
} as const;
