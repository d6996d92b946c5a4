// How each cluster's log records get on, its datasets taken together.

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { rest, take, type Shapes } from "../api/client.ts";
import { asFault, type Fault } from "../api/fault.ts";

export type LogStatus = Shapes["LogStatus"];

export interface LogSum {
  /** Records a second. */
  rate: number;
  /** Of the slowest dataset; null where nothing has come yet. */
  lagMs: number | null;
  /** Records that wait in the agents' spools, and when the oldest of them was taken. */
  waiting: number;
  oldest: string | null;
  /** Records that will never come, and those the store did not want. */
  lost: number;
  deadLetters: number;
  /** How full the fullest spool is, 0 to 1. */
  full: number;
  /** Why records wait; empty if they do not. */
  why: string;
}

/** By the clusters' names. */
export function sumUp(items: LogStatus["items"]): Map<string, LogSum> {
  const sums = new Map<string, LogSum>();
  for (const item of items ?? []) {
    const cluster = item.cluster ?? "";
    const sum = sums.get(cluster) ?? { rate: 0, lagMs: null, waiting: 0, oldest: null, lost: 0, deadLetters: 0, full: 0, why: "" };
    sum.rate += item.rate ?? 0;
    if (item.lagMs !== undefined && item.lagMs !== null) sum.lagMs = Math.max(sum.lagMs ?? 0, item.lagMs);
    sum.waiting += item.waiting ?? 0;
    if (item.oldest && (sum.oldest === null || Date.parse(item.oldest) < Date.parse(sum.oldest))) sum.oldest = item.oldest;
    sum.lost += item.lost ?? 0;
    sum.deadLetters += item.deadLetters ?? 0;
    if (item.spoolCap) sum.full = Math.max(sum.full, (item.spoolBytes ?? 0) / item.spoolCap);
    sum.why ||= item.why ?? "";
    sums.set(cluster, sum);
  }
  return sums;
}

/** How far behind a cluster is: the age of what waits longest, or what the newest record took. */
export function behindMs(sum: LogSum, now: number): number | null {
  const waited = sum.oldest === null ? null : Math.max(0, now - Date.parse(sum.oldest));
  return waited ?? sum.lagMs;
}

const EVERY_MS = 15_000;

export interface FleetLogs {
  byCluster: ReadonlyMap<string, LogSum>;
  status: LogStatus | null;
  /** Whether this gateway keeps logs at all; null before that is known. */
  kept: boolean | null;
  fault: Fault | null;
}

const NONE: ReadonlyMap<string, LogSum> = new Map();

/** The logs of all clusters, asked for again every 15 s. */
export function useFleetLogs(): FleetLogs {
  const { data, error } = useQuery({
    queryKey: ["log status"],
    queryFn: () => take(rest.GET("/trunkline/v1/logs/status")),
    // Whether logs are kept changes with the gateway's configuration only.
    refetchInterval: ({ state }) => (state.error !== null && notKept(state.error) ? false : EVERY_MS),
  });
  return useMemo(() => {
    const fault = error === null ? null : asFault(error);
    const none = fault !== null && notKept(fault);
    return {
      byCluster: data === undefined ? NONE : sumUp(data.items),
      status: data ?? null,
      kept: none ? false : data === undefined ? null : true,
      fault: none ? null : fault,
    };
  }, [data, error]);
}

function notKept(error: unknown): boolean {
  const { reason, status } = asFault(error);
  return reason === "NotKept" || status === 404;
}
