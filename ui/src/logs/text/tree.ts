// JSON as lines of text, bounded: what a record or a line holds, to be read and not to be run.

import { plain } from "./harmless.ts";

const MOST_LINES = 2_000;

/** JSON, indented, each line made harmless; no longer than MOST_LINES. */
export function indented(value: unknown): string[] {
  const lines = JSON.stringify(value, null, 2).split("\n");
  const shown = lines.slice(0, MOST_LINES).map(plain);
  if (lines.length > MOST_LINES) shown.push(`… ${lines.length - MOST_LINES} more lines`);
  return shown;
}

/** The object that a line is, if it is one. */
export function objectOf(line: string): Record<string, unknown> | null {
  const text = line.trim();
  if (!text.startsWith("{") || !text.endsWith("}")) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** The paths of an object's values, `http.status`, and what they say; lists by their items. At most `most`. */
export function* valuesOf(value: unknown, most = 64, path = ""): Generator<[string, string]> {
  let left = most;
  if (typeof value === "object" && value !== null) {
    const inner = Array.isArray(value) ? value.map((item) => [path, item] as const) : Object.entries(value).map(([name, item]) => [path === "" ? name : `${path}.${name}`, item] as const);
    for (const [name, item] of inner) {
      for (const found of valuesOf(item, left, name)) {
        if (left-- <= 0) return;
        yield found;
      }
    }
  } else if (path !== "" && (typeof value === "string" || typeof value === "number" || typeof value === "boolean")) {
    yield [path, String(value)];
  }
}
