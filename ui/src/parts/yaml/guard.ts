// YAML of people and of clusters, read with care: what is too large is not parsed, what multiplies by aliases is not unfolded.
//
// YAML 1.1 as kubectl reads it (`0644` is an octal number, `yes` is true), without its times and sets: those stay strings, as
// for kubectl. What comes out is JSON.

import { isMap, LineCounter, parseAllDocuments, stringify, type Document, type ScalarTag, type Tags } from "yaml";
import type { KubeObject } from "../../api/kube.ts";

/** API servers take no larger objects either: etcd's limit is 1.5 MiB. */
export const MOST_BYTES = 1024 * 1024;
/** How much larger aliases may make a document than it is written: by how many nodes. */
export const MOST_ALIASED = 100;
/** How many documents are taken at once. */
export const MOST_DOCUMENTS = 100;

export interface Problem {
  /** Offsets in the text. */
  from: number;
  to: number;
  line: number;
  severity: "error" | "warning";
  message: string;
}

export interface Reading {
  /** What stands in each document, in order; empty documents are left out. */
  documents: { parsed: Document.Parsed; value: unknown; from: number }[];
  problems: Problem[];
  lines: LineCounter;
}

const ODD = /:(timestamp|binary|omap|pairs|set)$/;

function asKubectl(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === "string" || !(ODD.test(tag.tag) || (tag as ScalarTag).format === "TIME"));
}

const OPTIONS = { version: "1.1", customTags: asKubectl } as const;

/** Reads all documents of a text. Whatever is wrong is a problem with its place; nothing is thrown. */
export function readYaml(text: string): Reading {
  const lines = new LineCounter();
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > MOST_BYTES) {
    const message = `this is ${(bytes / MOST_BYTES).toFixed(1)} MiB; no more than 1 MiB is taken`;
    return { documents: [], problems: [{ from: 0, to: 0, line: 1, severity: "error", message }], lines };
  }
  const problems: Problem[] = [];
  const note = (from: number, to: number, message: string, severity: Problem["severity"] = "error") =>
    problems.push({ from, to, line: lines.linePos(from).line, severity, message });
  const parsed = parseAllDocuments(text, { ...OPTIONS, lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const documents: Reading["documents"] = [];
  for (const document of Array.isArray(parsed) ? parsed : []) {
    for (const { pos, message } of document.errors) note(pos[0], pos[1], message);
    for (const { pos, message } of document.warnings) note(pos[0], pos[1], message, "warning");
    if (document.errors.length > 0 || document.contents === null) continue;
    const from = document.contents.range[0];
    if (documents.length === MOST_DOCUMENTS) {
      note(from, from, `there are more than ${MOST_DOCUMENTS} documents; apply them in parts`);
      break;
    }
    try {
      const value = document.toJS({ maxAliasCount: MOST_ALIASED }) as unknown;
      if (value !== null && value !== undefined) documents.push({ parsed: document, value, from });
    } catch (error) {
      note(from, from, `the aliases multiply too much: ${error instanceof Error ? error.message : "refused"}`);
    }
  }
  return { documents, problems, lines };
}

export interface Objects {
  objects: KubeObject[];
  problems: Problem[];
}

/** The objects of a text: those of lists as well. Each has what a request needs, or there is a problem. */
export function readObjects(text: string): Objects {
  const { documents, problems, lines } = readYaml(text);
  const objects: KubeObject[] = [];
  for (const { value, from, parsed } of documents) {
    const items = isList(value) ? value.items : [value];
    for (const item of items) {
      const missing = missingIn(item);
      if (missing === null) objects.push(item as KubeObject);
      else {
        const to = isMap(parsed.contents) ? (parsed.contents.range?.[1] ?? from) : from;
        problems.push({ from, to: Math.min(to, from + 1), line: lines.linePos(from).line, severity: "error", message: missing });
      }
    }
  }
  return { objects, problems };
}

function isList(value: unknown): value is { items: unknown[] } {
  const list = value as { kind?: unknown; items?: unknown } | null;
  return typeof list === "object" && list !== null && typeof list.kind === "string" && list.kind.endsWith("List") && Array.isArray(list.items);
}

function missingIn(value: unknown): string | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "a Kubernetes object is a mapping with apiVersion and kind";
  const { apiVersion, kind, metadata } = value as Partial<KubeObject>;
  if (typeof apiVersion !== "string" || apiVersion === "") return "apiVersion is missing";
  if (typeof kind !== "string" || kind === "") return "kind is missing";
  const names = metadata as { name?: unknown; generateName?: unknown } | undefined;
  if (typeof names?.name !== "string" && typeof names?.generateName !== "string") return "metadata.name is missing";
  return null;
}

/** An object as YAML, so that kubectl reads the same. */
export function writeYaml(value: unknown): string {
  return stringify(value, { ...OPTIONS, lineWidth: 0, aliasDuplicateObjects: false });
}
