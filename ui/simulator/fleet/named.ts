/** The fleet that is there by default: a cluster in each state, each protection, several environments. */
import type { Random } from "../random.ts";
import { iso, type Cluster, type ClusterState } from "./shapes.ts";

export interface Sketch {
  name: string;
  state: ClusterState;
  reason?: string;
  environment?: string;
  displayName?: string;
  description?: string;
  protection?: "none" | "confirm" | "read-only";
  labels?: Record<string, string>;
  version?: string;
  agent?: string;
  nodes?: number;
  rtt?: number;
  certificateHours?: number;
  seenAgo?: number;
  locked?: { by: string; reason: string };
}

export const NAMED: readonly Sketch[] = [
  { name: "prod-eu", state: "connected", environment: "production", displayName: "Production Europe", description: "Shop and payments for Europe", protection: "confirm", labels: { env: "prod", region: "eu", tier: "1" }, nodes: 12, rtt: 38.2 },
  { name: "prod-us", state: "connected", environment: "production", displayName: "Production US", protection: "read-only", labels: { env: "prod", region: "us", tier: "1" }, nodes: 9, rtt: 112.7, agent: "0.0.9" },
  { name: "staging-eu", state: "connected", environment: "staging", labels: { env: "staging", region: "eu" }, nodes: 4, rtt: 36.9 },
  { name: "dev", state: "connected", environment: "development", labels: { env: "dev", region: "eu" }, nodes: 3, rtt: 4.1, version: "v1.35.0", certificateHours: 5 * 24 },
  { name: "edge-berlin", state: "degraded", environment: "production", labels: { env: "prod", region: "eu", site: "berlin" }, nodes: 1, rtt: 61, reason: "the API server does not answer the agent: connection refused (10.96.0.1:443)" },
  { name: "edge-lagos", state: "disconnected", environment: "production", labels: { env: "prod", region: "af", site: "lagos" }, nodes: 1, seenAgo: 3 * 60, reason: "no link is up; its agent was last there 3 min ago" },
  { name: "lab", state: "locked", environment: "development", labels: { env: "dev", region: "eu" }, nodes: 2, rtt: 12, locked: { by: "jane", reason: "incident 42: the node's key was copied" } },
  { name: "branch-42", state: "joining", environment: "staging", labels: { env: "staging", region: "us" }, reason: "no agent has come yet; its join token may be used until later today" },
  { name: "twin", state: "duplicate-identity", environment: "staging", labels: { env: "staging", region: "us" }, nodes: 3, rtt: 80, reason: "two agents contend for slot 0, one at 203.0.113.7:41231 and one at 198.51.100.9:50022; find out which is yours, and lock the cluster if its key was stolen" },
  { name: "untended", state: "connected", labels: {}, nodes: 1, rtt: 22, version: "v1.33.6" },
];

const REGIONS = ["eu", "us", "ap", "sa", "af"];
const ENVIRONMENTS = ["production", "staging", "development", "qa"];

/** One of many. */
export function generated(random: Random, index: number): Sketch {
  const region = random.pick(REGIONS);
  const environment = random.pick(ENVIRONMENTS);
  const roll = random.next();
  const name = `${environment.slice(0, 4)}-${region}-${String(index).padStart(4, "0")}`;
  const state: ClusterState = roll < 0.9 ? "connected" : roll < 0.93 ? "degraded" : roll < 0.98 ? "disconnected" : "locked";
  return {
    name, state, environment, nodes: random.whole(1, 200), rtt: random.whole(20, 3000) / 10,
    displayName: random.chance(0.3) ? `Store ${index}` : "",
    protection: environment === "production" ? random.pick(["none", "confirm", "read-only"] as const) : "none",
    labels: { env: environment.slice(0, 4), region, wave: String(index % 7), team: random.pick(["shop", "payments", "edge", "data"]) },
    version: random.pick(["v1.33.6", "v1.34.2", "v1.34.2", "v1.35.0"]),
    agent: random.pick(["0.1.0", "0.1.0", "0.0.9"]),
    ...(state === "degraded" ? { reason: "the API server does not answer the agent: timed out after 5 s" } : {}),
    ...(state === "disconnected" ? { seenAgo: random.whole(60, 900_000), reason: "no link is up; its agent was last there some time ago" } : {}),
    ...(state === "locked" ? { locked: { by: "omar", reason: "maintenance" } } : {}),
  };
}

export function draw(sketch: Sketch, random: Random, now: number): Cluster {
  const came = sketch.state !== "joining";
  const up = came && sketch.state !== "disconnected";
  const agentVersion = sketch.agent ?? "0.1.0";
  const rttMs = sketch.rtt ?? null;
  const certificateNotAfter = iso(now + (sketch.certificateHours ?? 19) * 3_600_000);
  const since = iso(now - 3 * 3_600_000);
  const locked = sketch.locked ? { ...sketch.locked, since } : null;
  const reason = sketch.locked ? `locked by ${sketch.locked.by} since ${since}: ${sketch.locked.reason}` : (sketch.reason ?? "");
  return {
    apiVersion: "trunkline.dev/v1",
    kind: "Cluster",
    metadata: {
      name: sketch.name, uid: random.uid(), labels: sketch.labels ?? {}, revision: random.whole(1, 9),
      created: iso(now - random.whole(1, 200) * 86_400_000), createdBy: random.pick(["jane", "omar", "ci"]),
    },
    spec: {
      displayName: sketch.displayName ?? "", description: sketch.description ?? "", environment: sketch.environment ?? "",
      protection: sketch.protection ?? "none", locked,
    },
    status: {
      state: sketch.state, reason, origin: "registry", passThrough: [],
      identity: came ? "impersonate" : null,
      agentVersion: came ? agentVersion : null,
      kubernetesVersion: came ? (sketch.version ?? "v1.34.2") : null,
      nodes: came ? (sketch.nodes ?? 3) : null,
      rttMs: up ? rttMs : null,
      lastSeen: up ? iso(now) : came ? iso(now - (sketch.seenAgo ?? 0) * 1000) : null,
      certificateNotAfter: up ? certificateNotAfter : null,
      joinExpires: came ? null : iso(now + 29 * 60_000),
      slots: up
        ? [0, 1].map((slot) => ({ slot, links: 2, epoch: random.whole(1, 40), from: `203.0.113.${random.whole(2, 250)}:${random.whole(30_000, 60_000)}`, agentVersion, certificateNotAfter, rttMs, root: PIN }))
        : [],
    },
  };
}

export const PIN = `sha256:${"7f3ac1".repeat(11).slice(0, 64)}`;
