// What needs somebody now, the most urgent first: a kind of trouble, the clusters that have it, why, and where to act on it.
//
// Invariants: a cluster stands under its worst trouble of state once, and beside that under its certificate's and its logs';
// no more than MOST_OF_EACH of a kind are listed, and how many there are is always said.

import { MANAGEMENT, type Cluster } from "../api/fleet.ts";
import { environmentLook } from "../parts/cluster.tsx";
import { stoppedAt } from "./joining.ts";
import type { LogStatus, LogSum } from "./logs.ts";
import { clusterPath } from "./paths.ts";
import { signsOf } from "./signs.ts";

export const MOST_OF_EACH = 5;

export type Kind = "duplicate-identity" | "store" | "disconnected" | "degraded" | "joining" | "certificate" | "logs" | "update";

export interface Need {
  /** Null for what is the gateway's own. */
  cluster: Cluster | null;
  reason: string;
  /** Since when, where that is known. */
  since: string | null;
}

export interface NeedGroup {
  kind: Kind;
  look: "danger" | "warning" | "info";
  title: string;
  /** Of all, the first few: production first, then what happened last. */
  needs: Need[];
  count: number;
  /** What can be done about one of them, and where. */
  action: string;
  to: (need: Need) => string;
  /** Where all of them are listed. */
  all: string;
}

const KINDS: Record<Kind, Pick<NeedGroup, "look" | "action"> & { one: string; many: string }> = {
  "duplicate-identity": { look: "danger", one: "cluster has two agents with one identity", many: "clusters have two agents with one identity", action: "Compare and lock" },
  store: { look: "danger", one: "The log store takes nothing", many: "", action: "See what waits" },
  disconnected: { look: "danger", one: "cluster is disconnected", many: "clusters are disconnected", action: "Troubleshoot" },
  degraded: { look: "warning", one: "cluster is degraded", many: "clusters are degraded", action: "Troubleshoot" },
  joining: { look: "warning", one: "cluster does not get on with joining", many: "clusters do not get on with joining", action: "See the step" },
  certificate: { look: "warning", one: "certificate wants a look", many: "certificates want a look", action: "See the certificate" },
  logs: { look: "warning", one: "cluster's logs stay behind", many: "clusters' logs stay behind", action: "See the logs" },
  update: { look: "info", one: "agent is older than the gateway", many: "agents are older than the gateway", action: "Update" },
};

const ORDER = Object.keys(KINDS) as Kind[];

export interface Facts {
  clusters: readonly Cluster[];
  logs: ReadonlyMap<string, LogSum>;
  store: LogStatus["store"] | undefined;
  gatewayVersion: string;
  now: number;
}

export function needsOf({ clusters, logs, store, gatewayVersion, now }: Facts): NeedGroup[] {
  const found = new Map<Kind, Need[]>();
  const add = (kind: Kind, cluster: Cluster | null, reason: string, since: string | null = null) => {
    const list = found.get(kind) ?? [];
    list.push({ cluster, reason, since });
    found.set(kind, list);
  };
  if (store?.fault) add("store", null, store.fault);
  for (const cluster of clusters) {
    const { state, reason = "", lastSeen = null } = cluster.status;
    const signs = signsOf(cluster, logs.get(cluster.metadata.name), gatewayVersion, now);
    if (state === "duplicate-identity" || state === "degraded") add(state, cluster, reason);
    else if (state === "disconnected") add(state, cluster, reason, lastSeen);
    if (state !== "locked") addJoining(cluster, add);
    if (signs.certificate !== "") add("certificate", cluster, signs.certificate);
    if (signs.logs !== "") add("logs", cluster, signs.logs);
    if (signs.update) add("update", cluster, `${cluster.status.agentVersion ?? ""}, the gateway is ${gatewayVersion}`);
  }
  return ORDER.flatMap((kind) => {
    const needs = found.get(kind);
    return needs === undefined ? [] : [group(kind, needs)];
  });
}

function addJoining(cluster: Cluster, add: (kind: Kind, cluster: Cluster, reason: string, since: string | null) => void): void {
  const step = stoppedAt(cluster);
  if (step !== null) add("joining", cluster, step.cause || step.reason || "", step.since ?? null);
  else if (cluster.status.state === "joining" && !cluster.status.joinExpires) {
    add("joining", cluster, cluster.status.reason || "its join token has ended", cluster.metadata.created ?? null);
  }
}

function group(kind: Kind, needs: Need[]): NeedGroup {
  const { look, one, many, action } = KINDS[kind];
  const title = kind === "store" ? one : needs.length === 1 ? `1 ${one}` : `${needs.length.toLocaleString("en")} ${many}`;
  return {
    kind, look, title, action, count: needs.length,
    needs: firstOf(needs),
    to: ({ cluster }) => (cluster === null ? "/clusters?status=logs" : placeOf(kind, cluster)),
    all: `/clusters?status=${kind === "store" ? "logs" : kind}`,
  };
}

function placeOf(kind: Kind, cluster: Cluster): string {
  const name = cluster.metadata.name;
  if (name === MANAGEMENT) return "/c/management";
  const parts: Partial<Record<Kind, string>> = { certificate: "links", logs: "logs", "duplicate-identity": "links", update: "install" };
  return `${clusterPath(name)}${kind in parts ? `?show=${parts[kind]}` : ""}`;
}

/** The first few without sorting all: ten thousand may be disconnected at once. */
function firstOf(needs: Need[]): Need[] {
  const first: Need[] = [];
  for (const need of needs) {
    const at = first.findIndex((other) => before(need, other));
    if (at >= 0) first.splice(at, 0, need);
    else if (first.length < MOST_OF_EACH) first.push(need);
    if (first.length > MOST_OF_EACH) first.pop();
  }
  return first;
}

function before(one: Need, other: Need): boolean {
  const production = (need: Need) => (environmentLook(need.cluster?.spec.environment ?? "") === "production" ? 0 : 1);
  const difference = production(one) - production(other);
  if (difference !== 0) return difference < 0;
  return (one.since ?? "") > (other.since ?? "");
}
