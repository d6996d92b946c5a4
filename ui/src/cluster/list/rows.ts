// Rows of a Table: which fit a filter, what they are sorted by, what their words say of their health. Pure.

import type { Column, Row } from "../../api/table.ts";
import { asText } from "../../parts/text.ts";

const texts = new WeakMap<Row, string>();

function textOf(row: Row): string {
  let text = texts.get(row);
  if (text === undefined) {
    text = [row.namespace, row.name, ...row.cells.map(asText)].join(" ").toLowerCase();
    texts.set(row, text);
  }
  return text;
}

/** Whether a row has all words of a filter; a word after a minus must not be there. */
export function fits(row: Row, filter: string): boolean {
  const text = textOf(row);
  return filter.toLowerCase().split(/\s+/).every((word) => {
    if (word === "" || word === "-") return true;
    return word.startsWith("-") ? !text.includes(word.slice(1)) : text.includes(word);
  });
}

const QUANTITY = /^(-?\d+(?:\.\d+)?)([munkKMGTPE]i?)?(?:\s.*|\/.*|%.*)?$/;
const FACTORS: Record<string, number> = {
  n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, K: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
};

/** What a cell is sorted by: numbers and quantities (`5 (3m ago)`, `10Gi`, `1/2`) by size, before words. */
export function sortKey(cell: unknown): string {
  if (cell === null || cell === undefined || cell === "") return "~";
  const found = typeof cell === "number" ? [String(cell), String(cell), ""] : QUANTITY.exec(asText(cell));
  if (found === null) return `b${asText(cell).toLowerCase()}`;
  const value = Number(found[1]) * (FACTORS[found[2] ?? ""] ?? 1);
  // Sixteen digits before the point; negative numbers first and backwards.
  return value < 0 ? `a-${(1e20 + value).toFixed(9).padStart(32, "0")}` : `a0${value.toFixed(9).padStart(32, "0")}`;
}

export type Health = "good" | "busy" | "bad" | "plain";

const GOOD = /^(Running|Ready|Active|Bound|Available|Succeeded|Complete[d]?|True|Healthy|Established)$/;
const BUSY = /^(Pending|ContainerCreating|PodInitializing|Terminating|Init:\d.*|Progressing|Released|Suspended|SchedulingGated|Ready,SchedulingDisabled)$/;
const BAD = /(Error|BackOff|Fail|Evicted|OOM|Killed|Err[A-Z]|Invalid|Unknown|NotReady|Lost|DeadlineExceeded|Unschedulable|Warning|^False$)/;

/** What a word of a status column says. */
export function healthOf(status: string): Health {
  if (GOOD.test(status)) return "good";
  if (BUSY.test(status)) return "busy";
  return BAD.test(status) ? "bad" : "plain";
}

/** The columns whose words are a status. */
export function isStatus({ name }: Pick<Column, "name">): boolean {
  return /^(status|phase|state|type|health|ready|available)$/i.test(name);
}

/** The place of a column by its name; -1 where there is none. */
export function columnAt(columns: Column[], name: string): number {
  return columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase());
}
