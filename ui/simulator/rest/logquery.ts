/** A query over records: words and fields, as docs/api.md has it. */
import type { Schemas } from "../fleet/shapes.ts";

type LogRecord = Schemas["LogRecord"];
export type Matches = (record: LogRecord) => boolean;

const FIELDS: Record<string, string> = { ns: "namespace" };

/** Throws words for people when the query does not parse. */
export function logQuery(q: string): Matches {
  const tokens = q.match(/\(|\)|-?(?:[\w.@-]+:)?(?:"[^"]*"|[^\s()"]+)/g) ?? [];
  let index = 0;
  const either = (): Matches => {
    const of = [all()];
    while (tokens[index] === "OR" || tokens[index] === "|") {
      index += 1;
      of.push(all());
    }
    return of.length === 1 ? (of[0] as Matches) : (record) => of.some((test) => test(record));
  };
  const all = (): Matches => {
    const of: Matches[] = [];
    while (index < tokens.length && tokens[index] !== ")" && tokens[index] !== "OR" && tokens[index] !== "|") {
      if (tokens[index] === "AND") index += 1;
      else of.push(one());
    }
    return (record) => of.every((test) => test(record));
  };
  const one = (): Matches => {
    const token = tokens[index] ?? "";
    index += 1;
    if (token === "NOT" || token === "-") {
      const not = one();
      return (record) => !not(record);
    }
    if (token === "(") {
      const inner = either();
      if (tokens[index] !== ")") throw new Error("the query has a parenthesis that is not closed");
      index += 1;
      return inner;
    }
    return term(token);
  };
  const test = either();
  if (index < tokens.length) throw new Error(`the query has a ${tokens[index] ?? ""} too many`);
  return test;
}

function term(token: string): Matches {
  if (token.startsWith("-") && token.length > 1) {
    const not = term(token.slice(1));
    return (record) => !not(record);
  }
  const [, name, said = ""] = /^([\w.@-]+):(.*)$/.exec(token) ?? [token, undefined, token];
  const value = said.replace(/^"|"$/g, "").toLowerCase();
  if (name === undefined) {
    const part = value.replace(/\*$/, "");
    return (record) => record.message.toLowerCase().includes(part);
  }
  return (record) => {
    const has = valueOf(record, FIELDS[name] ?? name)?.toLowerCase();
    if (has === undefined) return false;
    return value.endsWith("*") ? has.startsWith(value.slice(0, -1)) : has === value;
  };
}

export function valueOf(record: LogRecord, field: string): string | undefined {
  if (field === "cluster") return record.cluster;
  if (record.facets[field] !== undefined) return record.facets[field];
  let value: unknown = record.source;
  for (const step of field.split(".")) value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[step] : undefined;
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}
