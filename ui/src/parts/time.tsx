// Times: how long ago for reading, the moment itself for pointing at and copying.

import { useSyncExternalStore } from "react";

const STEPS: [number, string][] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "m"],
  [1, "s"],
];

/** A length of time in its two largest units at most: `3m`, `2h 5m`, `14d`. */
export function span(ms: number): string {
  let seconds = Math.max(0, Math.round(ms / 1000));
  const parts: string[] = [];
  for (const [length, unit] of STEPS) {
    const count = Math.floor(seconds / length);
    seconds -= count * length;
    if (count > 0) parts.push(`${count}${unit}`);
    if (parts.length === 2 || (parts.length === 1 && (unit === "d" || count >= 10))) break;
    if (parts.length === 1 && count === 0) break;
  }
  return parts.join(" ") || "0s";
}

let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(hear: () => void): () => void {
  listeners.add(hear);
  if (timer === undefined) now = Date.now();
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 5_000);
  return () => {
    listeners.delete(hear);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time, every five seconds. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

/** How long ago something was. */
export function Age({ of, ago = false }: { of: string | number | null | undefined; ago?: boolean }) {
  const current = useNow();
  if (of === null || of === undefined || of === "") return <span aria-label="not known">–</span>;
  const at = typeof of === "number" ? of : Date.parse(of);
  if (Number.isNaN(at)) return <span>{String(of)}</span>;
  const moment = new Date(at).toISOString();
  return (
    <time dateTime={moment} title={moment}>
      {span(Math.max(0, current - at))}
      {ago ? " ago" : ""}
    </time>
  );
}
