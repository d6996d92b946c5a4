/** The API's shapes, as `npm run types` makes them of the OpenAPI document. */
import type { components } from "../../src/api/schema";

type Schemas = components["schemas"];

export type Cluster = Schemas["Cluster"];
export type ClusterState = Schemas["ClusterState"];
export type NewCluster = Schemas["NewCluster"];
export type ClusterPatch = Schemas["ClusterPatch"];
export type Slot = Schemas["SlotStatus"];
export type { Schemas };

/** The steps of a cluster that joins. */
export type Joining = Schemas["Joining"];
export type Step = Schemas["JoinStep"];

export const STEPS = ["contact", "tls", "token", "certificate", "tunnel", "api-server", "rights", "logs"] as const satisfies Step["name"][];

export function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");
}
