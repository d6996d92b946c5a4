// What tests are about: a cluster that is connected, logs that are on time; and what the test wants otherwise.

import type { Shapes } from "../api/client.ts";
import type { Cluster } from "../api/fleet.ts";

interface Wanted {
  labels?: Record<string, string>;
  spec?: Partial<Cluster["spec"]>;
  status?: Partial<Cluster["status"]>;
}

export function cluster(name: string, wanted: Wanted = {}): Cluster {
  return {
    apiVersion: "trunkline.dev/v1",
    kind: "Cluster",
    metadata: { name, uid: `uid-${name}`, labels: wanted.labels ?? {}, created: "2026-11-01T00:00:00Z", createdBy: "ops", revision: 1 },
    spec: { displayName: "", description: "", environment: "", protection: "none", ...wanted.spec },
    status: {
      state: "connected", reason: "", lastSeen: "2026-11-27T06:00:00Z", rttMs: 38, agentVersion: "0.2.0", kubernetesVersion: "v1.34.2",
      nodes: 12, slots: [], origin: "registry", certificateNotAfter: "2026-11-28T00:00:00Z", joinExpires: null, ...wanted.status,
    },
  };
}

type Standing = Shapes["LogStanding"];

/** How a cluster's records get on. As on the wire: what is not known is not there. */
export function standing(cluster: string, wanted: Partial<Standing> = {}): Standing {
  const said = { cluster, dataset: "logs", records: 0, bytes: 0, rate: 1, deadLetters: 0, waiting: 0, spoolBytes: 0, spoolCap: 100, lost: 0, ...wanted };
  return said as Standing;
}
