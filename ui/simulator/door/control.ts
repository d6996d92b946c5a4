/** `POST /simulator/...`: how tests have things happen. Nothing of a gateway's. */
import { bodyOf, json, nothing, problem, type Answer, type Asked } from "./answer.ts";
import type { Fault } from "./faults.ts";
import { kindAt } from "../kubernetes/kinds/all.ts";
import { seedPod, type Condition } from "../cluster/pods.ts";
import { Random } from "../random.ts";
import type { Cluster, Step } from "../fleet/shapes.ts";
import { keyOf, text, type KubeObject } from "../kubernetes/object.ts";
import type { Denial } from "../kubernetes/rights.ts";
import type { World } from "../world.ts";

export function control(world: World, asked: Asked): Answer {
  const body = bodyOf<Record<string, unknown>>(asked);
  const said = (name: string, otherwise: string): string => text(body[name]) || otherwise;
  const cluster = said("cluster", "prod-eu");
  switch (asked.path.slice("/simulator/".length)) {
    case "faults":
      world.faults.add(body as unknown as Fault);
      return nothing();
    case "faults/clear":
      world.faults.clear();
      return nothing();
    case "live/lose":
      world.live.lose();
      return nothing();
    case "live/drain":
      world.live.drain();
      return nothing();
    case "live/cut":
      world.live.cut(said("path", "/"), said("why", "it was cut"));
      return nothing();
    case "live":
      return json({ open: world.live.count, opened: world.live.opened });
    case "terminals/lose":
      for (const terminal of world.terminals) terminal.close(1011, "the tunnel to the cluster broke");
      return nothing();
    case "sessions/end":
      for (const session of world.sessions.all()) world.sessions.end(session, said("why", "jane ended the session"));
      return nothing();
    case "clusters/see":
      return json(world.fleet.see(cluster, body["status"] as Partial<Cluster["status"]>) ?? null);
    case "clusters/drop":
      world.fleet.see(cluster, { state: "disconnected", reason: "no link is up; its agent was last there just now", slots: [], rttMs: null });
      world.live.cut(`/trunkline/v1/clusters/${cluster}/`, `the tunnel to cluster ${cluster} broke`);
      return nothing();
    case "clusters/return":
      world.fleet.see(cluster, { state: "connected", reason: "", rttMs: 40, lastSeen: new Date().toISOString() });
      return nothing();
    case "joining/stall":
      world.fleet.stall(cluster, body["step"] as Step["name"] | undefined);
      return nothing();
    case "objects/put": {
      const object = body["object"] as KubeObject;
      return json(collectionOf(world, cluster, object.apiVersion, said("plural", "")).put(object));
    }
    case "objects/remove":
      collectionOf(world, cluster, said("apiVersion", "v1"), said("plural", "")).remove(keyOf(body as { name: string; namespace?: string }));
      return nothing();
    case "objects/compact":
      for (const collection of world.fleet.server(cluster).store.all()) collection.compact();
      return nothing();
    case "pods/add":
      addPods(world, cluster, Number(body["count"] ?? 1), said("namespace", "shop"), (body["is"] as Condition | undefined) ?? "runs");
      return nothing();
    case "rights/deny":
      world.fleet.server(cluster).rights.deny((body["denied"] as Denial[] | undefined) ?? []);
      return nothing();
    default:
      return problem(404, "NotFound", `the simulator has no ${asked.path}`);
  }
}

function collectionOf(world: World, cluster: string, apiVersion: string, plural: string): ReturnType<ReturnType<World["fleet"]["server"]>["store"]["of"]> {
  const server = world.fleet.server(cluster);
  const [version = "", group = ""] = apiVersion.split("/").reverse();
  const kind = kindAt(server.kinds, group, version, plural);
  if (kind === undefined) throw new Error(`there is no ${plural} in ${apiVersion}`);
  return server.store.of(kind);
}

function addPods(world: World, cluster: string, count: number, namespace: string, is: Condition): void {
  const { store, version } = world.fleet.server(cluster);
  const random = new Random(`added/${store.version}`);
  for (let index = 0; index < count; index += 1) {
    seedPod({ cluster, store, random, now: Date.now(), version, nodes: [`${cluster}-node-01`] }, { name: `added-${random.suffix(8)}`, namespace, labels: { app: "added" }, containers: [{ name: "added", image: "registry.example.com/added:1" }], is });
  }
}
