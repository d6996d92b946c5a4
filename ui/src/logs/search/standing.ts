// How the records of clusters get on, as somebody who searches wants to know: who is behind, who lost some, who sends none.

import type { Shapes } from "../../api/client.ts";

/** Below this nobody needs to know. */
const BEHIND_MS = 30_000;

export interface Standing {
  cluster: string;
  /** How far what can be found is behind, in milliseconds. */
  behindMs: number;
  lost: number;
  deadLetters: number;
  waiting: number;
  why: string;
  /** Whether a record ever came since the gateway started. */
  sends: boolean;
}

/** Each cluster's datasets together: the worst counts. */
export function standings(items: Shapes["LogStanding"][], now: number): Map<string, Standing> {
  const all = new Map<string, Standing>();
  for (const item of items) {
    const before = all.get(item.cluster);
    const waits = item.oldest === null || item.oldest === undefined ? 0 : Math.max(0, now - Date.parse(item.oldest));
    const behindMs = Math.max(waits, item.waiting > 0 ? (item.lagMs ?? 0) : 0, before?.behindMs ?? 0);
    all.set(item.cluster, {
      cluster: item.cluster,
      behindMs,
      lost: item.lost + (before?.lost ?? 0),
      deadLetters: item.deadLetters + (before?.deadLetters ?? 0),
      waiting: item.waiting + (before?.waiting ?? 0),
      why: item.why || (before?.why ?? ""),
      sends: item.records > 0 || item.waiting > 0 || (before?.sends ?? false),
    });
  }
  return all;
}

export function isBehind(standing: Standing): boolean {
  return standing.behindMs >= BEHIND_MS;
}

/** Whether some of the span is older than all that is kept. */
export function beyondRetention(oldestDay: string | null | undefined, from: string): boolean {
  return oldestDay !== null && oldestDay !== undefined && Date.parse(from) < Date.parse(`${oldestDay}T00:00:00Z`);
}
