/** All clusters of the simulated gateway, and whoever watches them. */
import type { ApiServer } from "../kubernetes/api.ts";
import { buildCluster } from "../cluster/build.ts";
import { PAYLOADS } from "../cluster/payloads.ts";
import { hash, Random } from "../random.ts";
import type { Scenario } from "../scenario.ts";
import { joiningAt } from "./joining.ts";
import { draw, generated, NAMED } from "./named.ts";
import { iso, STEPS, type Cluster, type Schemas, type Step } from "./shapes.ts";

export type FleetEvent = Omit<Schemas["ClusterEvent"], "cluster"> & { cluster?: Cluster };

/** How long a step of joining takes here. */
const STEP_MS = 900;

export class Fleet {
  readonly began = Date.now();
  private readonly clusters = new Map<string, Cluster>();
  private readonly servers = new Map<string, ApiServer>();
  private readonly stalls = new Map<string, Step["name"]>();
  private readonly watchers = new Set<(event: FleetEvent) => void>();

  constructor(readonly scenario: Scenario) {
    const random = new Random(`${scenario.seed}/fleet`);
    this.clusters.set("management", managementCluster(this.began));
    const sketches = scenario.empty ? [] : scenario.fleet === undefined ? NAMED : Array.from({ length: scenario.fleet }, (_, index) => generated(random, index));
    for (const sketch of sketches) {
      const cluster = draw(sketch, random, this.began);
      this.clusters.set(sketch.name, scenario.xss ? poisonedCluster(cluster) : cluster);
      if (sketch.state === "joining") cluster.status.joining = joiningAt(0, this.began - 60_000, this.began, "contact");
    }
  }

  all(): Cluster[] {
    const [management, ...others] = this.clusters.values();
    others.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    return management === undefined ? others : [management, ...others];
  }

  get(name: string): Cluster | undefined {
    return this.clusters.get(name);
  }

  /** The cluster's API server, which is made when it is first asked for. */
  server(name: string): ApiServer {
    let server = this.servers.get(name);
    if (server === undefined) {
      const cluster = this.clusters.get(name);
      const first = (this.all()[1]?.metadata.name ?? "management") === name || name === "prod-eu";
      const calico = name === "management" ? "none" : (["server", "resources", "none"] as const)[first ? 0 : hash(name) % 3] ?? "none";
      server = buildCluster(this.scenario, { name, version: cluster?.status.kubernetesVersion ?? "v1.34.2", nodes: Math.min(cluster?.status.nodes ?? 3, 50), calico, first }, this.began);
      this.servers.set(name, server);
    }
    return server;
  }

  /** Sets a cluster as it is from now on, and tells it. */
  set(cluster: Cluster): Cluster {
    const type = this.clusters.has(cluster.metadata.name) ? "modified" : "added";
    this.clusters.set(cluster.metadata.name, cluster);
    this.tell({ type, cluster });
    return cluster;
  }

  /** Changes what people want of a cluster: its revision grows. */
  edit(name: string, change: (cluster: Cluster) => Cluster): Cluster | undefined {
    const cluster = this.clusters.get(name);
    if (cluster === undefined) return undefined;
    const changed = change(cluster);
    return this.set({ ...changed, metadata: { ...changed.metadata, revision: cluster.metadata.revision + 1 } });
  }

  see(name: string, status: Partial<Cluster["status"]>): Cluster | undefined {
    const cluster = this.clusters.get(name);
    return cluster && this.set({ ...cluster, status: { ...cluster.status, ...status } });
  }

  remove(name: string): boolean {
    const cluster = this.clusters.get(name);
    if (cluster === undefined) return false;
    this.clusters.delete(name);
    this.servers.delete(name);
    this.tell({ type: "removed", cluster });
    return true;
  }

  watch(hear: (event: FleetEvent) => void): () => void {
    this.watchers.add(hear);
    return () => this.watchers.delete(hear);
  }

  /** Lets a registered cluster's agent come, step by step, as far as it is not made to stand still. */
  join(name: string): void {
    const since = Date.now();
    let step = 0;
    const timer = setInterval(() => {
      const cluster = this.clusters.get(name);
      if (cluster === undefined) return clearInterval(timer);
      const stall = this.stalls.get(name);
      if (stall === undefined || STEPS.indexOf(stall) > step) step += 1;
      const joining = joiningAt(step, since, Date.now(), stall);
      const up = step > STEPS.indexOf("tunnel");
      this.see(name, { joining, ...(up ? { ...LIVE, lastSeen: iso(Date.now()), certificateNotAfter: iso(Date.now() + 86_400_000), joinExpires: null } : {}) });
      if (joining.done) clearInterval(timer);
    }, STEP_MS);
    timer.unref();
  }

  /** Has a cluster stand still at a step of joining, or go on. */
  stall(name: string, step: Step["name"] | undefined): void {
    if (step === undefined) this.stalls.delete(name);
    else this.stalls.set(name, step);
    const cluster = this.clusters.get(name);
    if (cluster?.status.state === "joining") this.see(name, { joining: joiningAt(step === undefined ? 0 : STEPS.indexOf(step), this.began, Date.now(), step) });
  }

  private tell(event: FleetEvent): void {
    for (const hear of this.watchers) hear(event);
  }
}

const LIVE = { state: "connected", reason: "", identity: "impersonate", agentVersion: "0.1.0", kubernetesVersion: "v1.34.2", nodes: 12, rttMs: 38.2 } as const;

function managementCluster(now: number): Cluster {
  const drawn = draw({ name: "management", state: "connected", nodes: 3, rtt: 0.8 }, new Random("management"), now);
  return {
    ...drawn,
    metadata: { name: "management", labels: {}, revision: 0, uid: null, created: null, createdBy: "" },
    status: { ...drawn.status, origin: "management", slots: [], agentVersion: null, certificateNotAfter: null, identity: null },
  };
}

function poisonedCluster(cluster: Cluster): Cluster {
  let index = hash(cluster.metadata.name) % PAYLOADS.length;
  const next = (): string => PAYLOADS[(index += 1) % PAYLOADS.length] ?? "";
  const { status, metadata, spec } = cluster;
  const [version, agentVersion] = [next(), next()];
  return {
    ...cluster,
    metadata: { ...metadata, labels: { ...metadata.labels, [next()]: next(), note: next() }, createdBy: next() },
    spec: { ...spec, displayName: next(), description: next(), environment: next() },
    status: { ...status, reason: next(), kubernetesVersion: version, agentVersion, slots: (status.slots ?? []).map((slot) => ({ ...slot, from: next(), agentVersion })) },
  };
}
