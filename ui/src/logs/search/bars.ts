// The histogram as numbers: how high each part of a slice stands, what the axis says, and which time a span of slices is.

import type { Shapes } from "../../api/client.ts";
import { levelOf } from "./record.ts";

export const MOST_SLICES = 120;
/** From the ground up. */
export const LEVELS = ["none", "debug", "info", "warn", "error"] as const;
export type Level = (typeof LEVELS)[number];

export interface Bar {
  begins: number;
  ends: number;
  count: number;
  by: Record<Level, number>;
}

/** The slices with their records by level; what has another level or none is `none`. */
export function bars(slices: Shapes["LogSlice"][], to: number): Bar[] {
  const kept = slices.slice(0, MOST_SLICES);
  return kept.map((slice, at) => {
    const by: Bar["by"] = { none: 0, debug: 0, info: 0, warn: 0, error: 0 };
    for (const { value, count } of slice.by ?? []) by[levelOf(value)] += count;
    const told = LEVELS.reduce((sum, level) => sum + by[level], 0);
    by.none += Math.max(0, slice.count - told);
    const next = kept[at + 1];
    return { begins: Date.parse(slice.begins), ends: next === undefined ? to : Date.parse(next.begins), count: slice.count, by };
  });
}

/** The smallest round number that is not below the greatest: 1, 2 or 5 and noughts. */
export function ceiling(greatest: number): number {
  if (greatest <= 1) return 1;
  const unit = 10 ** Math.floor(Math.log10(greatest));
  const step = [1, 2, 5, 10].find((factor) => factor * unit >= greatest) ?? 10;
  return step * unit;
}

/** The parts of a bar in a height: what is there is seen, however little. */
export function parts(bar: Bar, top: number, height: number): { level: Level; y: number; height: number }[] {
  let y = height;
  return LEVELS.flatMap((level) => {
    const count = bar.by[level];
    if (count === 0) return [];
    const part = Math.min(y, Math.max(1, (count / top) * height));
    y -= part;
    return [{ level, y, height: part }];
  });
}

/** The time of the slices from one to another, both included, whichever was first. */
export function spanOf(all: Bar[], one: number, other: number): { from: string; to: string } | null {
  const first = all[Math.min(one, other)];
  const last = all[Math.max(one, other)];
  if (first === undefined || last === undefined) return null;
  return { from: new Date(first.begins).toISOString(), to: new Date(last.ends).toISOString() };
}

/** The slice at a share of the width. */
export function sliceAt(share: number, count: number): number {
  return Math.max(0, Math.min(count - 1, Math.floor(share * count)));
}
