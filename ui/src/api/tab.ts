// What this tab has one of: the live socket, and the cache of what was asked for.

import { QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { csrfToken } from "./client.ts";
import { Fault } from "./fault.ts";
import { Live, type LiveState } from "./live.ts";

let signedOut: (fault: Fault) => void = () => undefined;

export function whenCutOff(hear: (fault: Fault) => void): void {
  signedOut = hear;
}

const origin = typeof location === "undefined" ? "http://localhost" : location.origin;

export const live = new Live(`${origin.replace(/^http/, "ws")}/trunkline/v1/live`, csrfToken, (fault) => signedOut(fault));

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // A no stays a no; what was not reached is tried again. A cluster that is away is told at once: its coming back is heard.
      retry: (tries, error) => tries < 3 && error instanceof Fault && (error.status === 0 || error.status >= 502) && error.reason !== "ClusterDisconnected",
      refetchOnWindowFocus: false,
    },
  },
});

export function useLive(): LiveState {
  return useSyncExternalStore(live.subscribe, live.snapshot);
}
