/** `/trunkline/v1/clusters`, but for what goes on to one. */
import { bodyOf, events, json, problem, type Answer, type Asked } from "../door/answer.ts";
import type { FleetEvent } from "../fleet/fleet.ts";
import { joiningAt } from "../fleet/joining.ts";
import { PIN } from "../fleet/named.ts";
import { iso, type Cluster, type ClusterPatch, type NewCluster, type Schemas } from "../fleet/shapes.ts";
import { labelTest } from "../kubernetes/select.ts";
import { Random } from "../random.ts";
import type { World } from "../world.ts";
import { Queue } from "./queue.ts";

const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export function clusters(world: World, asked: Asked, name: string, action: string): Answer {
  const { fleet } = world;
  const route = `${asked.method} ${name === "" ? "" : "x"}${action === "" ? "" : `/${action}`}`;
  if (route === "GET ") return asked.query.get("watch") === "true" ? watch(world, asked) : list(world, asked);
  if (route === "POST ") return register(world, asked);
  const cluster = fleet.get(name);
  if (cluster === undefined) return problem(404, "NotFound", `there is no cluster ${name}; is the name right?`);
  if (route === "GET x") return json(cluster);
  if (route === "GET x/status") return json(walk(cluster));
  if (route === "GET x/joining") return json({ apiVersion: "trunkline.dev/v1", kind: "JoinReport", cluster: name, joining: cluster.status.joining ?? null });
  if (route === "GET x/history") return json(history(world, cluster));
  if (name === "management") return problem(400, "Reserved", "the cluster management is the gateway's own, and nobody's to change");
  switch (route) {
    case "PATCH x":
      return edit(world, cluster, asked);
    case "DELETE x":
      world.audit.change(asked, "remove", name);
      fleet.remove(name);
      return json(cluster);
    case "POST x/lock": {
      const { reason = "" } = bodyOf<Schemas["LockRequest"]>(asked);
      const since = iso(Date.now());
      world.audit.change(asked, "lock", name);
      fleet.edit(name, (cluster) => ({
        ...cluster,
        spec: { ...cluster.spec, locked: { by: asked.user, since, reason } },
        status: { ...cluster.status, state: "locked", reason: `locked by ${asked.user} since ${since}: ${reason}` },
      }));
      world.live.cut(`/trunkline/v1/clusters/${name}/`, `cluster ${name} was locked by ${asked.user}: ${reason}`);
      return json(fleet.get(name));
    }
    case "POST x/unlock":
      world.audit.change(asked, "unlock", name);
      return json(fleet.edit(name, (cluster) => ({ ...cluster, spec: { ...cluster.spec, locked: null }, status: { ...cluster.status, state: "connected", reason: "" } })));
    case "POST x/rotate":
      if (cluster.status.state !== "connected") return problem(409, "Conflict", `no agent of ${name} is connected with a certificate of this gateway`);
      world.audit.change(asked, "rotate", name);
      return json(fleet.see(name, { certificateNotAfter: iso(Date.now() + 86_400_000) }));
    case "POST x/confirm": {
      const until = Date.now() + 15 * 60_000;
      world.confirmed.set(`${asked.user}/${name}`, until);
      return json({ cluster: name, until: iso(until) });
    }
    case "POST x/join":
      world.audit.change(asked, "join", name);
      fleet.see(name, { joinExpires: iso(Date.now() + 30 * 60_000) });
      return json({ cluster: fleet.get(name), join: join(name) });
    default:
      return problem(405, "MethodNotAllowed", `${asked.method} is nothing that is done there`);
  }
}

function list(world: World, asked: Asked): Answer {
  const chosen = labelTest(asked.query.get("selector") ?? "");
  return json({ apiVersion: "trunkline.dev/v1", kind: "ClusterList", items: world.fleet.all().filter((cluster) => chosen(cluster.metadata.labels ?? {})) });
}

function watch(world: World, asked: Asked): Answer {
  const chosen = labelTest(asked.query.get("selector") ?? "");
  const queue = new Queue(asked.signal);
  const tell = (event: FleetEvent): void => {
    if (event.cluster === undefined || chosen(event.cluster.metadata.labels ?? {})) queue.push(JSON.stringify(event));
  };
  for (const cluster of world.fleet.all()) tell({ type: "added", cluster });
  tell({ type: "synced" });
  queue.finally(world.fleet.watch(tell));
  return events(queue.lines());
}

function register(world: World, asked: Asked): Answer {
  const wants = bodyOf<NewCluster>(asked);
  if (!NAME.test(wants.name ?? "")) return problem(400, "Invalid", `${JSON.stringify(wants.name)} is no DNS label: a-z, 0-9 and -, at most 63, with a letter or digit at both ends`);
  if (world.fleet.get(wants.name)) return problem(409, "Exists", `there is a cluster ${wants.name} already; ${wants.name}-2 is free`);
  const now = Date.now();
  const cluster: Cluster = {
    apiVersion: "trunkline.dev/v1",
    kind: "Cluster",
    metadata: { name: wants.name, uid: new Random(wants.name).uid(), labels: wants.labels ?? {}, revision: 1, created: iso(now), createdBy: asked.user },
    spec: { displayName: wants.displayName ?? "", description: wants.description ?? "", environment: wants.environment ?? "", protection: wants.protection ?? "none", locked: null },
    status: {
      state: "joining", reason: `no agent has come yet; its join token may be used until ${iso(now + 30 * 60_000)}`, origin: "registry", passThrough: wants.manifest?.passThrough ?? [],
      joinExpires: iso(now + 30 * 60_000), joining: joiningAt(0, now, now), slots: [], identity: null, agentVersion: null, kubernetesVersion: null, nodes: null, rttMs: null, lastSeen: null, certificateNotAfter: null,
    },
  };
  world.audit.change(asked, "register", wants.name);
  world.fleet.set(cluster);
  world.fleet.join(wants.name);
  return json({ cluster, join: join(wants.name) }, 201);
}

function join(name: string): Schemas["Join"] {
  const values = `gateway:\n  address: gateway.example.com:8444\n  pin: ${PIN}\ncluster:\n  name: ${name}\njoin:\n  token: tlj_simulated-and-good-for-nothing\n`;
  return {
    chart: "https://gateway.example.com/trunkline/v1/charts/trunkline-agent-0.1.0.tgz", expires: iso(Date.now() + 30 * 60_000), namespace: "trunkline", pin: PIN, values,
    manifest: `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: trunkline\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: trunkline-join\n  namespace: trunkline\nstringData:\n  token: tlj_simulated-and-good-for-nothing\n`,
    warnings: ["the tunnel's address gateway.example.com:8444 resolves to 192.168.1.10, which is private: a cluster elsewhere does not come there"],
  };
}

function edit(world: World, cluster: Cluster, asked: Asked): Answer {
  const patch = bodyOf<ClusterPatch>(asked);
  if (patch.revision != null && patch.revision !== cluster.metadata.revision) {
    return problem(409, "Conflict", `the cluster was changed since: its revision is ${cluster.metadata.revision}, and the change was made on ${patch.revision}; read it again`);
  }
  world.audit.change(asked, "edit", cluster.metadata.name);
  const labels = { ...cluster.metadata.labels };
  for (const [key, value] of Object.entries(patch.labels ?? {})) {
    if (value === null) delete labels[key];
    else labels[key] = value;
  }
  const { description, displayName, environment, protection } = patch;
  const changed = Object.fromEntries(Object.entries({ description, displayName, environment, protection }).filter(([, value]) => value != null));
  return json(world.fleet.edit(cluster.metadata.name, (old) => ({ ...old, metadata: { ...old.metadata, labels }, spec: { ...old.spec, ...changed } })));
}

function walk(cluster: Cluster): Schemas["HopReport"] {
  const { name } = cluster.metadata;
  const { state, reason = "" } = cluster.status;
  const all: Schemas["Hop"][] = [
    { name: "gateway", ok: true, detail: "answers, version 0.1.0", ms: 0.2 },
    { name: "registry", ok: state !== "locked", detail: state === "locked" ? reason : `${name} is registered`, ...(state === "locked" ? { hint: `trunkline clusters unlock ${name}` } : {}) },
    { name: "tunnel", ok: !["disconnected", "joining"].includes(state), detail: ["disconnected", "joining"].includes(state) ? reason : "4 links in 2 slots", ...(state === "disconnected" ? { hint: "kubectl -n trunkline logs deploy/trunkline-agent" } : {}), ms: cluster.status.rttMs ?? null },
    { name: "agent", ok: true, detail: `version ${cluster.status.agentVersion ?? "unknown"}`, ms: cluster.status.rttMs ?? null },
    { name: "api-server", ok: state !== "degraded", detail: state === "degraded" ? reason : (cluster.status.kubernetesVersion ?? ""), ...(state === "degraded" ? { hint: "kubectl get --raw /readyz, on the cluster's own network" } : {}), ms: 41 },
  ];
  const bad = all.findIndex((hop) => !hop.ok);
  return { apiVersion: "trunkline.dev/v1", kind: "HopReport", cluster: name, hops: bad < 0 ? all : all.slice(0, bad + 1) };
}

function history(world: World, cluster: Cluster): unknown {
  const random = new Random(`history/${cluster.metadata.name}`);
  let when = Date.now() - 60_000;
  const items = Array.from({ length: 14 }, (_, index) => {
    when -= random.whole(60_000, 20_000_000);
    const up = index % 2 === 0;
    return {
      when: iso(when), what: up ? "connected" : "disconnected", from: `203.0.113.7:${random.whole(30_000, 60_000)}`, slot: index % 2, lane: index % 4 === 0 ? "logs" : "api", epoch: 20 - index,
      ...(up ? {} : { reason: random.pick(["silent", "drain", "reset"]), detail: "the other end fell silent" }),
    };
  });
  return { apiVersion: "trunkline.dev/v1", kind: "LinkHistory", cluster: cluster.metadata.name, since: iso(world.fleet.began), items };
}
