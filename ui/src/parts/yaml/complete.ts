// Completion: the fields that may stand where the cursor is, by the lines above it. It works in a text that is not whole YAML yet.

import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { typeWords, type Kinds, type Path, type Schema } from "./schema.ts";

export interface Spot {
  apiVersion: string;
  kind: string;
  /** Of the mapping that the cursor is in, or of the value it is at. */
  path: Path;
  /** The key whose value is being written; null where a key is. */
  key: string | null;
  /** The keys that the mapping has already. */
  taken: string[];
}

interface Line {
  indent: number;
  /** How far in the mapping's own keys stand: after the dashes. */
  column: number;
  dashes: number[];
  key: string | null;
  rest: string;
}

function lineOf(text: string): Line {
  const indent = /^ */.exec(text)?.[0].length ?? 0;
  let column = indent;
  const dashes: number[] = [];
  while (text[column] === "-" && (text[column + 1] === " " || text[column + 1] === undefined)) {
    dashes.push(column);
    column += 1;
    while (text[column] === " ") column += 1;
  }
  const match = /^("?)([\w./$-]+)\1:(?:\s+(.*))?$/.exec(text.slice(column));
  return { indent, column, dashes, key: match?.[2] ?? null, rest: match?.[3] ?? "" };
}

/** Where the cursor stands in the document it is in. */
export function spotAt(text: string, position: number): Spot | null {
  const start = Math.max(text.lastIndexOf("\n---", position - 1) + 1, 0);
  const end = text.indexOf("\n---", position);
  const document = text.slice(start, end < 0 ? undefined : end);
  const lines = document.split("\n");
  let at = 0;
  let left = position - start;
  while (at < lines.length - 1 && left > (lines[at]?.length ?? 0)) left -= (lines[at++]?.length ?? 0) + 1;
  const current = (lines[at] ?? "").slice(0, left);
  if (/^\s*#/.test(current)) return null;
  const own = lineOf(current);
  const top = (name: string) => new RegExp(`^${name}:\\s*["']?([^"'\\s#]+)`, "m").exec(document)?.[1] ?? "";

  const path: Path = [];
  let column = own.column;
  let dashes = [...own.dashes];
  for (let line = at - 1; line >= 0 && (column > 0 || dashes.length > 0); line--) {
    const text = lines[line] ?? "";
    if (text.trim() === "" || /^\s*#/.test(text)) continue;
    const above = lineOf(text);
    // A dash above at the same place is an item before this one.
    const dash = dashes.at(-1);
    if (dash !== undefined && above.key !== null && above.column <= dash && above.rest === "" ) {
      path.unshift(above.key, ...dashes.map(() => 0));
      column = above.column;
      dashes = above.dashes;
    } else if (dash === undefined && above.column === column && above.dashes.length > 0) {
      dashes = above.dashes;
    } else if (dash === undefined && above.column < column && above.key !== null) {
      path.unshift(above.key);
      column = above.column;
      dashes = above.dashes;
    }
  }
  const key = own.key ?? /^([\w./$-]+):\s+\S*$/.exec(current.slice(own.column))?.[1] ?? null;
  return { apiVersion: top("apiVersion"), kind: top("kind"), path, key, taken: siblings(lines, at, own.column) };
}

/** The keys beside the line, in the same mapping. */
function siblings(lines: string[], at: number, column: number): string[] {
  const found: string[] = [];
  for (const step of [-1, 1]) {
    const begins = (line: number) => lineOf(lines[line] ?? "").dashes.length > 0 && lineOf(lines[line] ?? "").column === column;
    if (step === -1 && begins(at)) continue;
    for (let line = at + step; line >= 0 && line < lines.length; line += step) {
      const text = lines[line] ?? "";
      if (text.trim() === "") continue;
      const one = lineOf(text);
      if (one.indent < column && one.column !== column) break;
      if (step === 1 && begins(line)) break;
      if (one.column === column && one.key !== null) found.push(one.key);
      if (step === -1 && begins(line)) break;
    }
  }
  return found;
}

/** What may stand there. */
export function optionsAt(spot: Spot, kinds: Kinds): Completion[] {
  const root = kinds.of(spot.apiVersion, spot.kind);
  if (root === undefined) return [];
  const schema = kinds.at(root, spot.key === null ? spot.path : [...spot.path, spot.key]);
  if (schema === undefined) return [];
  if (spot.key !== null) return valuesOf(schema);
  return Object.entries(schema.properties ?? {})
    .filter(([name]) => !spot.taken.includes(name))
    .map(([name, property]) => {
      const found = kinds.resolve(property);
      const needed = schema.required?.includes(name) === true;
      return {
        label: name,
        type: "property",
        detail: typeWords(found, kinds) + (needed ? ", required" : ""),
        apply: `${name}: `,
        boost: needed ? 1 : 0,
        ...(found.description === undefined ? {} : { info: found.description }),
      };
    });
}

function valuesOf(schema: Schema): Completion[] {
  const values = schema.enum ?? (schema.type === "boolean" ? [true, false] : []);
  return values.map((value) => ({ label: String(value), type: "constant" }));
}

/** The source of completions for CodeMirror; `kinds` is asked each time, since schemas come late. */
export function completion(kinds: () => Kinds): (context: CompletionContext) => CompletionResult | null {
  return (context) => {
    const word = context.matchBefore(/[\w.-]*$/);
    if (!context.explicit && (word === null || word.from === word.to)) return null;
    const spot = spotAt(context.state.doc.toString(), context.pos);
    if (spot === null) return null;
    const options = optionsAt(spot, kinds());
    return options.length === 0 ? null : { from: word?.from ?? context.pos, options, validFor: /^[\w.-]*$/ };
  };
}
