// All clusters, live: the gateway's watch, kept here for every page.

import { useEffect, useRef, useSyncExternalStore } from "react";
import { Batched } from "./batch.ts";
import type { Shapes } from "./client.ts";
import type { Fault } from "./fault.ts";
import type { Live } from "./live.ts";

export type Cluster = Shapes["Cluster"];

export interface FleetView {
  /** The management cluster first, then by name. */
  all: Cluster[];
  byName: ReadonlyMap<string, Cluster>;
  /** Whether all that there are have come once. */
  synced: boolean;
  fault: Fault | null;
}

/** The id of the gateway's own cluster. */
export const MANAGEMENT = "management";

export class Fleet extends Batched<FleetView> {
  private clusters = new Map<string, Cluster>();
  /** What the watch that is under way has told so far; taken over when it has told all. */
  private arriving: Map<string, Cluster> | null = null;
  private synced = false;
  private fault: Fault | null = null;

  follow(live: Live): () => void {
    return live.keep(
      () => {
        this.arriving = new Map();
        return "/trunkline/v1/clusters?watch=true";
      },
      {
        lines: (lines) => lines.forEach((line) => this.hear(JSON.parse(line) as Shapes["ClusterEvent"])),
        ended: ({ fault, lost }) => {
          this.fault = lost ? null : fault;
          this.changed();
        },
      },
    );
  }

  protected override build(): FleetView {
    const all = [...this.clusters.values()].sort(byName);
    return { all, byName: new Map(this.clusters), synced: this.synced, fault: this.fault };
  }

  private hear(event: Shapes["ClusterEvent"]): void {
    const into = this.arriving ?? this.clusters;
    const cluster = event.cluster;
    if (event.type === "synced") {
      if (this.arriving !== null) this.clusters = this.arriving;
      this.arriving = null;
      this.fault = null;
      this.synced = true;
      this.tell();
      return;
    }
    if (cluster === null || cluster === undefined) return;
    if (event.type === "removed") into.delete(cluster.metadata.name);
    else into.set(cluster.metadata.name, cluster);
    if (this.arriving === null) this.changed();
  }
}

function byName(a: Cluster, b: Cluster): number {
  const management = (cluster: Cluster) => (cluster.metadata.name === MANAGEMENT ? 0 : 1);
  return management(a) - management(b) || (a.metadata.name < b.metadata.name ? -1 : 1);
}

/** What people call a cluster. */
export function titleOf(cluster: Cluster): string {
  return cluster.spec.displayName || cluster.metadata.name;
}

export const fleet = new Fleet();

export function useFleet(): FleetView {
  return useSyncExternalStore(fleet.subscribe, fleet.snapshot);
}

/** Runs whenever a cluster that was not connected is. */
export function useReturn(cluster: string, onReturn: () => void): void {
  const state = useFleet().byName.get(cluster)?.status.state;
  const before = useRef(state);
  const latest = useRef(onReturn);
  useEffect(() => {
    latest.current = onReturn;
  });
  useEffect(() => {
    if (state === "connected" && before.current !== "connected") latest.current();
    before.current = state;
  }, [state]);
}

