// The policies of two clusters side by side, by kind, namespace and name.
//
// Invariants: what only one cluster writes into an object (who and when, versions, status) makes no difference; a kind that one of
// the clusters does not serve, or does not show, is said to be so and not to have no objects.

import type { KubeObject } from "../api/kube.ts";
import { same } from "../parts/yaml/changes.ts";
import { writeYaml } from "../parts/yaml/guard.ts";

/** An object as one would write it: without what the cluster wrote into it. */
export function asWritten(object: KubeObject): KubeObject {
  const { apiVersion, kind, metadata, status, ...rest } = object;
  const annotations = Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([name]) => !WRITTEN_BY_KUBECTL.has(name)));
  return {
    apiVersion,
    kind,
    metadata: {
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      ...(Object.keys(metadata.labels ?? {}).length === 0 ? {} : { labels: metadata.labels ?? {} }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    ...rest,
  };
}

const WRITTEN_BY_KUBECTL = new Set(["kubectl.kubernetes.io/last-applied-configuration"]);

/** An object as YAML, with fields of the same name always in the same order. */
export function yamlOf(object: KubeObject): string {
  return writeYaml(ordered(asWritten(object)));
}

const FIRST = ["apiVersion", "kind", "metadata", "name", "namespace", "spec"];

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== "object" || value === null) return value;
  const place = (name: string) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  const entries = Object.entries(value).sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, own]) => [name, ordered(own)]));
}

export type Difference = "only-a" | "only-b" | "different" | "same";

export interface Pair {
  /** `Kind/namespace/name` */
  key: string;
  kind: string;
  namespace: string;
  name: string;
  difference: Difference;
  a: KubeObject | null;
  b: KubeObject | null;
}

/** One cluster's objects, each with the name of its kind. */
export type Side = Iterable<{ kind: string; object: KubeObject }>;

export function compare(a: Side, b: Side): Pair[] {
  const pairs = new Map<string, Pair>();
  const add = (side: "a" | "b", { kind, object }: { kind: string; object: KubeObject }) => {
    const { name, namespace = "" } = object.metadata;
    const key = `${kind}/${namespace}/${name}`;
    const pair = pairs.get(key) ?? { key, kind, namespace, name, difference: "same", a: null, b: null };
    pair[side] = object;
    pairs.set(key, pair);
  };
  for (const one of a) add("a", one);
  for (const one of b) add("b", one);
  for (const pair of pairs.values()) pair.difference = differenceOf(pair);
  return [...pairs.values()].sort((one, other) => RANK[one.difference] - RANK[other.difference] || (one.key < other.key ? -1 : 1));
}

/** What differs comes first. */
const RANK: Record<Difference, number> = { different: 0, "only-a": 1, "only-b": 2, same: 3 };

function differenceOf({ a, b }: Pair): Difference {
  if (a === null) return "only-b";
  if (b === null) return "only-a";
  return same(comparable(a), comparable(b)) ? "same" : "different";
}

/** What is compared: the spec, and labels, which selectors of tools may rest on. */
function comparable(object: KubeObject): unknown {
  const { apiVersion, ...written } = asWritten(object);
  const { annotations, ...metadata } = written.metadata;
  return { ...written, metadata };
}
