// What the pages of the fleet are made from: all managed clusters as rows, live; and what stands in their place until they are there.

import { useMemo, type ReactNode } from "react";
import { Fault } from "../api/fault.ts";
import { useFleet } from "../api/fleet.ts";
import { live, useLive } from "../api/tab.ts";
import { useSession } from "../app/session.tsx";
import { Failed, Loading, Stale } from "../parts/states.tsx";
import { useNow } from "../parts/time.tsx";
import { useFleetLogs, type FleetLogs } from "./logs.ts";
import { rowsOf, type ClusterRow } from "./rows.ts";

/** The managed clusters by name, and their logs. */
export function useRows(): { rows: ClusterRow[]; logs: FleetLogs } {
  const { all } = useFleet();
  const logs = useFleetLogs();
  const { gateway } = useSession();
  const now = useNow();
  const rows = useMemo(() => rowsOf(all, logs.byCluster, gateway.version, now), [all, logs.byCluster, gateway.version, now]);
  return { rows, logs };
}

/** Shows what is below once the clusters have come, and says when they are not live any more. */
export function WithFleet({ children }: { children: ReactNode }) {
  const { synced, fault } = useFleet();
  const state = useLive();
  if (synced) {
    return (
      <>
        {state.at === "away" && <Stale asOf={state.since} fault={null} onRetry={() => live.retry()} />}
        {state.at !== "away" && fault !== null && <Stale asOf={state.since} fault={fault} onRetry={() => live.retry()} />}
        {children}
      </>
    );
  }
  if (state.at === "away") {
    const unreached = new Fault("GatewayUnreachable", `${state.why}; this page tries again`, 0, "browser");
    return <Failed error={unreached} onRetry={() => live.retry()} />;
  }
  return fault === null ? <Loading of="the clusters" /> : <Failed error={fault} />;
}
