/** A cluster with all that is in it, made when it is first asked for. */
import { ApiServer } from "../kubernetes/api.ts";
import { KINDS } from "../kubernetes/kinds/all.ts";
import { CALICO_CRD } from "../kubernetes/kinds/policies.ts";
import { Random } from "../random.ts";
import type { Scenario } from "../scenario.ts";
import { seedBase } from "./base.ts";
import { seedEvents } from "./events.ts";
import { seedNetwork } from "./network.ts";
import { Turn } from "./payloads.ts";
import { poison, poisonedKind } from "./poison.ts";
import { seedAdminPolicies, seedCalico, seedPlainPolicies } from "./policies.ts";
import { seedManyPods } from "./pods.ts";
import type { Seeding } from "./seeding.ts";
import { storm } from "./storm.ts";
import { seedWorkloads } from "./workloads.ts";

export interface ClusterShape {
  name: string;
  version: string;
  nodes: number;
  /** Calico's kinds: with its API server, as custom resources only, or none. */
  calico: "server" | "resources" | "none";
  /** It is the one that has the scenario's pods and storm. */
  first: boolean;
}

export function buildCluster(scenario: Scenario, shape: ClusterShape, now: number): ApiServer {
  const own = new Set(Object.values(CALICO_CRD));
  const kinds = KINDS.filter((kind) => {
    if (kind.group === "projectcalico.org") return shape.calico === "server";
    return own.has(kind) ? shape.calico !== "none" : true;
  });
  const seed = `${scenario.seed}/${shape.name}`;
  const server = new ApiServer(seed, shape.version, scenario.xss ? [...kinds, poisonedKind(new Turn(0))] : kinds);
  const nodes = Array.from({ length: shape.nodes }, (_, index) => `${shape.name}-node-${String(index + 1).padStart(2, "0")}`);
  const seeding: Seeding = { cluster: shape.name, store: server.store, random: new Random(`${seed}/objects`), now, version: shape.version, nodes };
  seedBase(seeding, shape.nodes);
  seedWorkloads(seeding);
  seedNetwork(seeding);
  seedPlainPolicies(seeding);
  seedAdminPolicies(seeding);
  if (shape.calico !== "none") seedCalico(seeding, shape.calico === "server");
  if (shape.first && scenario.pods > 0) seedManyPods(seeding, scenario.pods);
  seedEvents(seeding);
  if (scenario.xss) poison(seeding, server);
  if (shape.first && scenario.storm > 0) storm(server, scenario.storm);
  return server;
}
