// Join tokens that were handed out in this tab: they are in memory only, until they end, are used, or the session is over. They
// are in no address and no storage: whoever comes back later makes a new one.

import { skipToken, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { rest, take, type Shapes } from "../api/client.ts";
import { queries } from "../api/tab.ts";
import type { Join } from "./commands.ts";

const HOUR = 3_600_000;

/** What a session leaves behind goes with the cache, which is emptied when it is over. */
queries.setQueryDefaults(["join"], { gcTime: HOUR, staleTime: Infinity });

export function handOut(name: string, join: Join): void {
  queries.setQueryData(["join", name], join);
}

/** Makes a new join token: the one before ends. `change` changes what the manifest holds. */
export async function renew(name: string, change?: Shapes["ManifestPatch"]): Promise<void> {
  const sent = change === undefined ? {} : { body: change };
  const { join } = await take(rest.POST("/trunkline/v1/clusters/{name}/join", { params: { path: { name } }, ...sent }));
  handOut(name, join);
}

/** What was handed out for a cluster in this tab; null if nothing was, or it is of no use any more. */
export function useHanded(name: string): Join | null {
  const { data } = useQuery<Join>({ queryKey: ["join", name], queryFn: skipToken });
  const ends = data === undefined ? 0 : Date.parse(data.expires);
  const left = useSecondsLeft(ends);
  useEffect(() => {
    if (data !== undefined && left <= 0) queries.removeQueries({ queryKey: ["join", name] });
  }, [data, left, name]);
  return data === undefined || left <= 0 ? null : data;
}

/** How many seconds there are until a moment, each second; 0 afterwards. */
export function useSecondsLeft(moment: number): number {
  const [now, setNow] = useState(() => Date.now());
  const over = moment <= now;
  useEffect(() => {
    if (over) return;
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [over]);
  return Math.max(0, Math.ceil((moment - now) / 1_000));
}

/** `29:41` */
export function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
