// Asks the store. Results come first: the histogram is asked for after them, and fields when somebody looks at one, since of
// one user three searches are under way at once.
//
// Invariants: all pages of a search, its histogram and its fields are of one span of time, fixed when it began; no more than
// MOST_RECORDS are kept.

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { rest, take } from "../../api/client.ts";
import { joined, mistakeIn, term } from "./grammar.ts";
import { resolve } from "./moments.ts";
import type { Asked } from "./asked.ts";
import { MOST_SLICES } from "./bars.ts";

export const PAGE = 100;
export const MOST_RECORDS = 10_000;
const STATUS_EVERY_MS = 15_000;

/** What is asked of the store: a span of time that stands still. */
export interface Question {
  q: string;
  clusters: string;
  selector: string;
  from: string;
  to: string;
}

/** The question as of a moment. Of a cluster's page it is that cluster's, and within its namespace. */
export function questionOf(asked: Asked, cluster: string | null, namespace: string, now: number): Question {
  const { from, to } = resolve(asked.range, now);
  return {
    q: namespace === "" ? asked.q : joined(asked.q, term("namespace", namespace)),
    clusters: cluster ?? asked.clusters.join(","),
    selector: cluster === null ? asked.selector : "",
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
  };
}

/** Without what is not asked: the gateway refuses an empty selector's name no less than a wrong one. */
export function parameters<T extends object>(asked: T): T {
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== "" && value !== undefined)) as T;
}

export async function findPage(question: Question, order: Asked["order"], after: string, limit: number, signal?: AbortSignal) {
  const query = parameters({ ...question, order, after, limit });
  return take(rest.GET("/trunkline/v1/logs", { params: { query }, ...(signal ? { signal } : {}) }));
}

export function useFind(question: Question, order: Asked["order"], enabled: boolean) {
  const found = useInfiniteQuery({
    queryKey: ["logs", "find", question, order],
    queryFn: ({ pageParam, signal }) => findPage(question, order, pageParam, PAGE, signal),
    initialPageParam: "",
    getNextPageParam: (last, pages) => (last.next && pages.length * PAGE < MOST_RECORDS ? last.next : undefined),
    enabled: enabled && mistakeIn(question.q) === null,
    staleTime: Infinity,
    gcTime: 60_000,
  });
  const records = useMemo(() => found.data?.pages.flatMap((page) => page.items) ?? [], [found.data]);
  return { found, records };
}

export function useHistogram(question: Question, enabled: boolean) {
  return useQuery({
    queryKey: ["logs", "histogram", question],
    queryFn: ({ signal }) => take(rest.GET("/trunkline/v1/logs/histogram", { params: { query: parameters({ ...question, slices: MOST_SLICES, by: "level" }) }, signal })),
    enabled,
    staleTime: Infinity,
    gcTime: 60_000,
  });
}

export function useTop(question: Question, field: string, enabled: boolean) {
  return useQuery({
    queryKey: ["logs", "top", question, field],
    queryFn: ({ signal }) => take(rest.GET("/trunkline/v1/logs/top", { params: { query: { ...parameters(question), field, limit: 10 } }, signal })),
    enabled,
    staleTime: Infinity,
    gcTime: 60_000,
  });
}

export function useLogStatus() {
  return useQuery({
    queryKey: ["logs", "status"],
    queryFn: ({ signal }) => take(rest.GET("/trunkline/v1/logs/status", { signal })),
    refetchInterval: STATUS_EVERY_MS,
    staleTime: STATUS_EVERY_MS,
    retry: false,
  });
}
