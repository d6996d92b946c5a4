/** The API's shapes, as `npm run types` makes them of the OpenAPI document. */
import type { components } from "../../src/api/schema";

type Schemas = components["schemas"];

export type Cluster = Schemas["Cluster"] & { status: { joining?: Joining } };
export type ClusterState = Schemas["ClusterState"];
export type NewCluster = Schemas["NewCluster"];
export type ClusterPatch = Schemas["ClusterPatch"];
export type Slot = Schemas["SlotStatus"];
export type { Schemas };

/** The steps of a cluster that joins. */
export interface Joining {
  since: string;
  done: boolean;
  steps: Step[];
}

export interface Step {
  name: (typeof STEPS)[number];
  state: "waiting" | "done" | "stalled" | "failed";
  since: string | null;
  detail?: string;
  ms?: number;
  reason?: string;
  cause?: string;
  fix?: string;
}

export const STEPS = ["contact", "tls", "token", "certificate", "tunnel", "api-server", "rights", "logs"] as const;

export function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");
}
