// Label selectors as kubectl's `-l` and the gateway take them: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, with
// commas between. The same grammar and limits as crates/trunkline-api/src/labels.rs, so that a filter here and `?selector=` agree.

import { isKey, isValue } from "./labels.ts";

type Labels = Readonly<Record<string, string>>;
type Requirement = (labels: Labels) => boolean;

const MOST = 32;

/** Whether a cluster with these labels is selected. */
export type Selector = (labels: Labels | undefined) => boolean;

/** The selector, or null for what is none. An empty one selects all. */
export function parseSelector(text: string): Selector | null {
  if (text.trim() === "") return () => true;
  const parts = split(text);
  if (parts.length > MOST) return null;
  const all: Requirement[] = [];
  for (const part of parts) {
    const one = requirement(part.trim());
    if (one === null) return null;
    all.push(one);
  }
  return (labels = {}) => all.every((holds) => holds(labels));
}

/** Splits at the commas that do not stand in parentheses. */
function split(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "(") depth++;
    else if (character === ")") depth--;
    else if (character === "," && depth === 0) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

function requirement(part: string): Requirement | null {
  if (part.startsWith("!")) {
    const key = part.slice(1).trim();
    return isKey(key) ? (labels) => !has(labels, key) : null;
  }
  for (const sign of ["!=", "==", "="]) {
    const at = part.indexOf(sign);
    if (at < 0) continue;
    const key = part.slice(0, at).trim();
    const value = part.slice(at + sign.length).trim();
    if (!isKey(key) || !isValue(value)) return null;
    return sign === "!=" ? (labels) => !is(labels, key, [value]) : (labels) => is(labels, key, [value]);
  }
  const within = /^(\S+)\s+(in|notin)\s*\(([^(]*)\)$/.exec(part);
  if (within !== null) {
    const [, key = "", word, inside = ""] = within;
    const values = inside.split(",").map((value) => value.trim());
    if (!isKey(key) || values.length > MOST || !values.every(isValue)) return null;
    return word === "in" ? (labels) => is(labels, key, values) : (labels) => !is(labels, key, values);
  }
  return isKey(part) ? (labels) => has(labels, part) : null;
}

function has(labels: Labels, key: string): boolean {
  return Object.hasOwn(labels, key);
}

function is(labels: Labels, key: string, values: string[]): boolean {
  return has(labels, key) && values.includes(labels[key] ?? "");
}
