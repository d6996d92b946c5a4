// Records as pages show them: their fields by name, records that say the same again, and what file they become.
//
// Invariant: a file that is opened in a spreadsheet calculates nothing and says nothing to a terminal that a record told it to.

import type { Shapes } from "../../api/client.ts";
import { csvLine as safeLine } from "../../parts/csv.ts";
import { plain } from "../text/harmless.ts";
import { valuesOf } from "../text/tree.ts";

export type LogRecord = Shapes["LogRecord"];

/** The fields that every record may have; the gateway's own names. */
export const FACETS = ["level", "app", "namespace", "pod", "container", "node"] as const;
export const COMMON_FIELDS = [...FACETS, "cluster", "dataset"];

/** What of a record's source the gateway added itself. */
const OURS = new Set(["trunkline", "cluster", "@timestamp", "message"]);

/** The shipper's own fields of a record, by their paths. */
export function fieldsOf(record: LogRecord): [string, string][] {
  const own = Object.entries(record.source ?? {}).filter(([name]) => !OURS.has(name));
  return own.flatMap(([name, value]) => [...valuesOf(value, 64, name)]).slice(0, 64);
}

/** What a record says in a field; empty where it says nothing. */
export function valueOf(record: LogRecord, field: string): string {
  if (field === "cluster") return record.cluster;
  if (field === "ns") return record.facets["namespace"] ?? "";
  const facet = record.facets[field];
  if (facet !== undefined) return facet;
  if (field === "dataset") {
    const ours = (record.source as { trunkline?: { dataset?: unknown } } | undefined)?.trunkline;
    return typeof ours?.dataset === "string" ? ours.dataset : "";
  }
  return fieldsOf(record).filter(([name]) => name === field).map(([, value]) => value).join(", ");
}

/** Which of the levels that have a look a record's is. */
export function levelOf(level: string | undefined): "error" | "warn" | "info" | "debug" | "none" {
  const word = (level ?? "").toLowerCase();
  if (/^(err|error|fatal|crit|critical|alert|emerg|emergency|panic|severe)$/.test(word)) return "error";
  if (/^(warn|warning)$/.test(word)) return "warn";
  if (/^(info|notice|information)$/.test(word)) return "info";
  if (/^(debug|trace|verbose|fine)$/.test(word)) return "debug";
  return "none";
}

export interface Said {
  record: LogRecord;
  /** How many times, one after the other. */
  times: number;
}

/** Of records that say the same one after the other, the first. */
export function withoutRepeats(records: LogRecord[]): Said[] {
  const said: Said[] = [];
  for (const record of records) {
    const before = said.at(-1);
    const same = before !== undefined && before.record.message === record.message && before.record.cluster === record.cluster
      && before.record.facets["app"] === record.facets["app"] && before.record.facets["level"] === record.facets["level"];
    if (same) before.times++;
    else said.push({ record, times: 1 });
  }
  return said;
}

/** A line of JSON: all of a record. */
export function ndjson(record: LogRecord): string {
  return `${JSON.stringify({ time: record.time, cluster: record.cluster, message: record.message, ...record.facets, source: record.source })}\n`;
}

/** A line of CSV, of what the page shows. */
export function csvLine(cells: string[]): string {
  return safeLine(cells.map((text) => text.split("\n").map(plain).join("\n")));
}

export function csvRecord(record: LogRecord, columns: string[]): string {
  return csvLine([record.time, record.cluster, ...columns.map((column) => valueOf(record, column)), record.message]);
}
