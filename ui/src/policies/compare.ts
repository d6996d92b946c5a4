// The policies of two clusters side by side, by kind, namespace and name.
//
// Invariants: what only one cluster writes into an object (who and when, versions, status) makes no difference; a kind that one of
// the clusters does not serve, or does not show, is said to be so and not to have no objects.

import type { KubeObject } from "../api/kube.ts";
import { stringify } from "yaml";

/** An object as one would write it: without what the cluster wrote into it. */
export function asWritten(object: KubeObject): KubeObject {
  const { apiVersion, kind, metadata, status: _, ...rest } = object;
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

/** An object as YAML, fields of the same name always in the same order. */
export function yamlOf(object: KubeObject): string {
  return stringify(asWritten(object), { lineWidth: 0, sortMapEntries: byField });
}

const FIRST = ["apiVersion", "kind", "metadata", "name", "namespace", "spec"];

function byField(a: { key: unknown }, b: { key: unknown }): number {
  const name = ({ key }: { key: unknown }) => String((key as { value?: unknown } | null)?.value ?? key);
  const place = (of: string) => (FIRST.includes(of) ? FIRST.indexOf(of) : FIRST.length);
  const [left, right] = [name(a), name(b)];
  return place(left) - place(right) || (left < right ? -1 : left > right ? 1 : 0);
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
  return [...pairs.values()].sort((one, other) => (one.key < other.key ? -1 : 1));
}

function differenceOf({ a, b }: Pair): Difference {
  if (a === null) return "only-b";
  if (b === null) return "only-a";
  return yamlOf(comparable(a)) === yamlOf(comparable(b)) ? "same" : "different";
}

/** What is compared: the spec, and labels, which selectors of tools may rest on. */
function comparable(object: KubeObject): KubeObject {
  const { annotations: _, ...metadata } = object.metadata;
  return { ...object, apiVersion: "", metadata };
}

export interface Line {
  is: "same" | "removed" | "added";
  text: string;
}

/** So many lines at the most are compared line by line; longer ones stand as all removed and all added. */
const MOST_LINES = 2_000;

/** What changes from one text to another, line by line: the longest common subsequence. */
export function lineDiff(before: string, after: string): Line[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  if (a.length > MOST_LINES || b.length > MOST_LINES) {
    return [...a.map((text) => ({ is: "removed" as const, text })), ...b.map((text) => ({ is: "added" as const, text }))];
  }
  // common[i][j]: how many lines a from i and b from j have in common.
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    const row = common[i] as Uint16Array;
    for (let j = b.length - 1; j >= 0; j--) row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ is: "same", text: a[i] as string });
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) lines.push({ is: "removed", text: a[i++] as string });
    else lines.push({ is: "added", text: b[j++] as string });
  }
  return lines;
}
