// The managed clusters as rows: each with what is seen of its logs and what is amiss with it. The management cluster is none.
//
// Filters are of three kinds, all of which must hold: words that stand anywhere in the row, states and signs of which one must be
// there, and a label selector.

import type { Cluster } from "../api/fleet.ts";
import type { LogSum } from "./logs.ts";
import { stoppedAt } from "./joining.ts";
import type { Selector } from "./selector.ts";
import { signsOf, type Sign, type Signs } from "./signs.ts";

export interface ClusterRow {
  name: string;
  cluster: Cluster;
  log: LogSum | undefined;
  signs: Signs;
}

export function isManaged({ status }: Cluster): boolean {
  return status.origin !== "management";
}

export function rowsOf(all: readonly Cluster[], logs: ReadonlyMap<string, LogSum>, gatewayVersion: string, now: number): ClusterRow[] {
  return all.filter(isManaged).map((cluster) => {
    const log = logs.get(cluster.metadata.name);
    const signs = signsOf(cluster, log, gatewayVersion, now);
    const before = made.get(cluster);
    if (before !== undefined && before.log === log && sameSigns(before.signs, signs)) return before;
    const row = { name: cluster.metadata.name, cluster, log, signs };
    made.set(cluster, row);
    return row;
  });
}

/** A row that says the same is the same, so that a table renders anew only what changed. */
const made = new WeakMap<Cluster, ClusterRow>();

function sameSigns(one: Signs, other: Signs): boolean {
  return one.update === other.update && one.certificate === other.certificate && one.logs === other.logs && one.lost === other.lost;
}

export const STATES = ["connected", "degraded", "disconnected", "joining", "locked", "duplicate-identity"] as const;
export const SIGNS: readonly Sign[] = ["update", "certificate", "logs", "lost"];

export type StatusWord = (typeof STATES)[number] | Sign;

/** `disconnected,update` of an address; words that are none are left out. */
export function statusWords(text: string): StatusWord[] {
  const known: readonly string[] = [...STATES, ...SIGNS];
  return [...new Set(text.split(","))].filter((word): word is StatusWord => known.includes(word));
}

export interface Filter {
  words: string;
  status: readonly StatusWord[];
  selector: Selector;
}

export function filtered(rows: readonly ClusterRow[], { words, status, selector }: Filter): ClusterRow[] {
  const wanted = words.toLowerCase().split(/\s+/).filter((word) => word !== "");
  return rows.filter((row) =>
    (status.length === 0 || status.some((word) => has(row, word)))
    && selector(row.cluster.metadata.labels)
    && (wanted.length === 0 || isNamed(textOf(row.cluster), wanted)));
}

export function has({ cluster, signs }: ClusterRow, word: StatusWord): boolean {
  switch (word) {
    case "update": return signs.update;
    case "certificate": return signs.certificate !== "";
    case "logs": return signs.logs !== "";
    case "lost": return signs.lost;
    // What stands still has come some of the way, and may be called connected by then.
    case "joining": return cluster.status.state === "joining" || stoppedAt(cluster) !== null;
    case "connected":
    case "degraded":
    case "disconnected":
    case "locked":
    case "duplicate-identity": return cluster.status.state === word;
  }
}

function isNamed(text: string, wanted: string[]): boolean {
  return wanted.every((word) => text.includes(word));
}

const texts = new WeakMap<Cluster, string>();

/** All of a cluster that is searched, in small letters; made once for each. */
function textOf(cluster: Cluster): string {
  const held = texts.get(cluster);
  if (held !== undefined) return held;
  const { metadata, spec, status } = cluster;
  const text = [
    metadata.name, spec.displayName, spec.description, `environment=${spec.environment ?? ""}`, status.state, status.reason, status.kubernetesVersion,
    status.agentVersion, ...Object.entries(metadata.labels ?? {}).map(([key, value]) => `${key}=${value}`),
  ].join("\n").toLowerCase();
  texts.set(cluster, text);
  return text;
}

/** How many rows have each word: for the tiles and the filter. */
export function counts(rows: readonly ClusterRow[]): Record<StatusWord, number> {
  const words: StatusWord[] = [...STATES, ...SIGNS];
  const all = Object.fromEntries(words.map((word) => [word, 0])) as Record<StatusWord, number>;
  for (const row of rows) for (const word of words) if (has(row, word)) all[word]++;
  return all;
}
