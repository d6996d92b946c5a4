// What is wrong with a document by its kind's schema: unknown, missing and wrongly typed fields, each with its place.
//
// The API server has the last word (dry run); this only says early what it would say.

import { isAlias, isMap, isScalar, isSeq, type Document, type LineCounter, type Node, type Pair } from "yaml";
import type { Problem } from "./guard.ts";
import { takesIntOrString, typeWords, type Kinds, type Schema } from "./schema.ts";

/** No more are told of one text. */
const MOST_PROBLEMS = 200;

/** What every object's metadata has, whatever a schema says of it. */
const METADATA = new Set([
  "name", "generateName", "namespace", "labels", "annotations", "finalizers", "ownerReferences", "uid", "resourceVersion", "generation",
  "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink",
]);

/** Checks a document whose kind the schemas know; one that is not known has no problems. */
export function check(document: Document.Parsed, kinds: Kinds, lines: LineCounter): Problem[] {
  const root = document.contents;
  if (!isMap(root)) return [];
  const schema = kinds.of(String(root.get("apiVersion") ?? ""), String(root.get("kind") ?? ""));
  if (schema === undefined) return [];
  const problems: Problem[] = [];
  const note = (node: Node | null | undefined, message: string, severity: Problem["severity"]) => {
    const [from, to] = node?.range ?? [0, 0];
    if (problems.length < MOST_PROBLEMS) problems.push({ from, to, line: lines.linePos(from).line, severity, message });
  };

  const walk = (node: Node | null | undefined, wanted: Schema, path: string, key: Node | null) => {
    const plain = isAlias(node) ? node.resolve(document) : node;
    if (plain === undefined || plain === null || (isScalar(plain) && plain.value === null)) return;
    const wrong = wrongType(plain, wanted);
    if (wrong !== null) {
      note(plain, `${path}: ${wrong} where ${typeWords(wanted, kinds)} belongs`, "error");
      return;
    }
    if (isMap(plain)) mapping(plain.items as Pair<Node, Node | null>[], wanted, path, key ?? plain);
    else if (isSeq(plain) && wanted.items !== undefined) {
      const each = kinds.resolve(wanted.items);
      plain.items.forEach((item, at) => walk(item as Node, each, `${path}[${at}]`, null));
    } else if (isScalar(plain) && wanted.enum !== undefined && !wanted.enum.includes(plain.value)) {
      note(plain, `${path}: one of ${wanted.enum.join(", ")}`, "error");
    }
  };

  const mapping = (pairs: Pair<Node, Node | null>[], wanted: Schema, path: string, at: Node) => {
    const open = wanted["x-kubernetes-preserve-unknown-fields"] === true || wanted.properties === undefined;
    const names = new Set<string>();
    for (const { key, value } of pairs) {
      const name = isScalar(key) ? String(key.value) : "";
      names.add(name);
      const below = kinds.below(wanted, name);
      const where = path === "" ? name : `${path}.${name}`;
      if (below !== undefined) walk(value, below, where, key);
      else if (path === "metadata" && METADATA.has(name)) continue;
      else if (!open && !(wanted["x-kubernetes-embedded-resource"] === true) && wanted.additionalProperties === undefined && name !== "<<") {
        note(key, `${where}: there is no such field${likely(name, Object.keys(wanted.properties ?? {}))}`, "error");
      }
    }
    for (const name of wanted.required ?? []) {
      if (!names.has(name) && !names.has("<<") && path !== "status") note(at, `${path === "" ? name : `${path}.${name}`} is missing`, "warning");
    }
  };

  walk(root, kinds.resolve(schema), "", null);
  return problems;
}

function wrongType(node: Node, wanted: Schema): string | null {
  const is = isMap(node) ? "object" : isSeq(node) ? "array" : isScalar(node) ? scalarType(node.value) : "nothing";
  if (takesIntOrString(wanted)) return is === "integer" || is === "string" || is === "number" ? null : article(is);
  const fits = wanted.type === undefined || wanted.type === is || (wanted.type === "number" && is === "integer");
  return fits ? null : article(is);
}

function scalarType(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value === "bigint" ? "integer" : typeof value;
}

function article(type: string): string {
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;
}

/** The field that was probably meant. */
function likely(name: string, names: string[]): string {
  const same = names.find((one) => one.toLowerCase() === name.toLowerCase());
  const near = same ?? names.find((one) => name.length > 3 && distance(one, name) <= 2);
  return near === undefined ? "" : `; is ${near} meant?`;
}

/** Levenshtein's distance of short words. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
