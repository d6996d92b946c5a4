/** `/trunkline/v1/clusters/<id>/k8s/...`: what the gateway does before a cluster is asked. */
import { bodyOf, json, problem, refusal, type Answer, type Asked } from "./answer.ts";
import type { Session } from "./sessions.ts";
import { iso, type Cluster } from "../fleet/shapes.ts";
import type { World } from "../world.ts";

const READS = new Set(["GET", "HEAD"]);

/** The gateway's no, if there is one. */
export function refused(world: World, cluster: Cluster | undefined, name: string, user: string, changes: boolean): Answer | undefined {
  if (cluster === undefined) return refusal(404, "ClusterNotFound", name, `there is no cluster ${name} at this gateway; is the name right, and is it registered?`);
  const { state, reason = "" } = cluster.status;
  if (state === "locked") {
    const lock = cluster.spec.locked;
    return refusal(403, "ClusterLocked", name, `cluster ${name} is locked since ${lock?.since ?? ""} by ${lock?.by ?? ""}: ${lock?.reason ?? ""}; who may change clusters opens it with trunkline clusters unlock ${name}`);
  }
  if (state === "disconnected" || state === "joining") return refusal(503, "ClusterDisconnected", name, `cluster ${name} is not connected (${reason}); is its agent running, and can it reach the gateway?`, 5);
  if (state === "degraded") return refusal(502, "UpstreamUnreachable", name, `the API server of cluster ${name} brought no answer: ${reason}`);
  if (!changes) return undefined;
  if (cluster.spec.protection === "read-only") return refusal(403, "ClusterProtected", name, `cluster ${name} is protected: read-only; nobody changes anything there until that is taken back`);
  if (cluster.spec.protection === "confirm" && (world.confirmed.get(`${user}/${name}`) ?? 0) < Date.now()) {
    return refusal(403, "ConfirmationNeeded", name, `cluster ${name} is protected: say that it is the one you mean with trunkline clusters confirm ${name}, which holds for a quarter of an hour`);
  }
  return undefined;
}

export function toCluster(world: World, asked: Asked, name: string, path: string): Answer {
  if (/\/proxy(\/|$)/.test(path)) return refusal(403, "AccessDenied", name, "access denied: pages do not reach what runs in a cluster by /proxy");
  const asks = path.startsWith("/apis/authorization.k8s.io/") || asked.query.get("dryRun") === "All";
  const no = refused(world, world.fleet.get(name), name, asked.user, !READS.has(asked.method) && !asks);
  return no ?? world.fleet.server(name).answer({ ...asked, path });
}

/** A ticket for one terminal. */
export function ticket(world: World, asked: Asked, session: Session, name: string): Answer {
  const { path = "" } = bodyOf<{ path?: string }>(asked);
  if (!/\/(exec|attach)\?/.test(path)) return problem(400, "Invalid", "tickets are for exec and attach, with their query");
  const no = refused(world, world.fleet.get(name), name, asked.user, true);
  if (no !== undefined) return no;
  const id = `ticket-${session.id.slice(4)}-${world.tickets.size}`;
  const expires = Date.now() + 30_000;
  world.tickets.set(id, { session: session.id, path: `/trunkline/v1/clusters/${name}/k8s${path}`, expires });
  return json({ ticket: id, expires: iso(expires) }, 201);
}
