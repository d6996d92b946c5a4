// Finding clusters by a few letters: name, what people call it, labels, environment, version. Pure, and quick over thousands.

import fuzzysort, { type Prepared as Text } from "fuzzysort";
import type { Cluster } from "../api/fleet.ts";

const MOST = 100;
/** How well a text must fit, from 0 to 1: a few letters in order do, as long as they are near each other. */
const LEAST = 0.2;

interface Prepared {
  cluster: Cluster;
  name: Text;
  title: Text;
  rest: Text;
}

let before: { all: Cluster[]; prepared: Prepared[] } | null = null;

function prepare(all: Cluster[]): Prepared[] {
  if (before?.all === all) return before.prepared;
  const prepared = all.map((cluster) => {
    const labels = Object.entries(cluster.metadata.labels ?? {}).map(([key, value]) => `${key}=${value}`);
    const rest = [...labels, cluster.spec.environment ?? "", cluster.status.kubernetesVersion ?? ""].join(" ");
    return {
      cluster,
      name: fuzzysort.prepare(cluster.metadata.name),
      title: fuzzysort.prepare(cluster.spec.displayName ?? ""),
      rest: fuzzysort.prepare(rest),
    };
  });
  before = { all, prepared };
  return prepared;
}

/** The clusters that fit best, the best first; all of them for no text. */
export function search(all: Cluster[], text: string): Cluster[] {
  const asked = text.trim();
  if (asked === "") return all;
  return fuzzysort
    .go(asked, prepare(all), { keys: ["name", "title", "rest"], limit: MOST, threshold: LEAST })
    .map(({ obj }) => obj.cluster);
}

export interface Group {
  title: string;
  clusters: Cluster[];
}

/** The list of the drop-down: the management cluster, pinned, recent, and then all by a label's values. */
export function arrange(all: Cluster[], pinned: string[], recent: string[], label: string): Group[] {
  const byName = new Map(all.map((cluster) => [cluster.metadata.name, cluster]));
  const of = (names: string[]) => names.map((name) => byName.get(name)).filter((found) => found !== undefined);
  const management = all.filter(({ status }) => status.origin === "management");
  const groups: Group[] = [
    { title: "", clusters: management },
    { title: "Pinned", clusters: of(pinned) },
    { title: "Recent", clusters: of(recent.filter((name) => !pinned.includes(name))) },
  ];
  const labelled = new Map<string, Cluster[]>();
  for (const cluster of all) {
    if (cluster.status.origin === "management") continue;
    const value = label === "" ? "All clusters" : (cluster.metadata.labels?.[label] ?? "");
    labelled.set(value, [...(labelled.get(value) ?? []), cluster]);
  }
  const last = (value: string) => (value === "" ? 1 : 0);
  const values = [...labelled.keys()].sort((a, b) => last(a) - last(b) || (a < b ? -1 : 1));
  for (const value of values) {
    const title = label === "" ? value : value === "" ? `no ${label}` : `${label}: ${value}`;
    groups.push({ title, clusters: labelled.get(value) ?? [] });
  }
  return groups.filter(({ clusters }) => clusters.length > 0);
}

/** The keys of labels that clusters have, the most used first. */
export function labelKeys(all: Cluster[]): string[] {
  const counts = new Map<string, number>();
  for (const { metadata } of all) {
    for (const key of Object.keys(metadata.labels ?? {})) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([key]) => key);
}
