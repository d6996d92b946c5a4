// What people have under way in a cluster.

import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { rest, take, type Shapes } from "../api/client.ts";

export interface UnderWay {
  user: string;
  how: string;
  from: string;
  request: Shapes["LiveRequest"];
}

/** The requests that are under way in a cluster, the oldest first. */
export function underWayIn(cluster: string, sessions: readonly Shapes["UserSession"][]): UnderWay[] {
  return sessions
    .flatMap(({ user, how, from, requests }) => requests.filter((request) => request.cluster === cluster).map((request) => ({ user, how, from, request })))
    .sort((a, b) => Date.parse(a.request.since) - Date.parse(b.request.since));
}

/** Who has how much under way, the most first. */
export function byUser(underWay: readonly UnderWay[]): { user: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { user } of underWay) counts.set(user, (counts.get(user) ?? 0) + 1);
  return [...counts].map(([user, count]) => ({ user, count })).sort((a, b) => b.count - a.count || (a.user < b.user ? -1 : 1));
}

export function useUnderWay(cluster: string): UseQueryResult<UnderWay[]> {
  return useQuery({
    queryKey: ["sessions"],
    queryFn: () => take(rest.GET("/trunkline/v1/sessions")),
    refetchInterval: 10_000,
    select: ({ items }) => underWayIn(cluster, items),
  });
}
