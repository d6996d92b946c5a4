/** The gateway itself: status, roots, and the sessions of all. */
import { bodyOf, json, problem, type Answer, type Asked } from "../door/answer.ts";
import { PIN } from "../fleet/named.ts";
import { iso, type Schemas } from "../fleet/shapes.ts";
import { Random } from "../random.ts";
import type { World } from "../world.ts";

export function gatewayStatus(world: World, asked: Asked): Answer {
  const managed = world.fleet.all().filter((cluster) => cluster.metadata.name !== "management");
  const body: Schemas["GatewayStatus"] = {
    apiVersion: "trunkline.dev/v1", kind: "GatewayStatus", version: "0.1.0", clusterType: "management", management: true,
    clusters: managed.length, connected: managed.filter((cluster) => (cluster.status.slots ?? []).length > 0).length,
    front: "https://gateway.example.com", tunnel: ["gateway.example.com:8444"], frontRoots: null, hostSuffix: "clusters.example.com", pin: PIN,
    user: asked.user, groups: world.sessions.users.get(asked.user) ?? [],
  };
  return json(body);
}

export function pki(world: World, asked: Asked, action: string): Answer {
  if (asked.method === "POST" && action === "rotate") world.rotating = true;
  if (asked.method === "POST" && action === "finish") world.rotating = false;
  const now = world.fleet.began;
  const next = `sha256:${"51ab90".repeat(11).slice(0, 64)}`;
  const body: Schemas["RotationStatus"] = {
    apiVersion: "trunkline.dev/v1", kind: "RotationStatus", rotating: world.rotating,
    roots: [
      { role: world.rotating ? "retiring" : "issuing", pin: PIN, notAfter: iso(now + 9 * 365 * 86_400_000) },
      ...(world.rotating ? [{ role: "issuing" as const, pin: next, notAfter: iso(now + 10 * 365 * 86_400_000) }] : []),
    ],
    clusters: world.fleet.all().slice(1).map((cluster) => {
      const moved = !world.rotating || cluster.status.state === "connected";
      return { name: cluster.metadata.name, moved, detail: moved ? "" : "its agent has not been here since the new root was made" };
    }),
  };
  return json(body);
}

/** Others than who asks, and what they have under way. */
function others(world: World): Schemas["UserSession"][] {
  const random = new Random("sessions");
  return ["omar", "li", "ci-deployer"].map((user, index) => ({
    id: `oidc:${random.hex(12)}`, user, groups: ["shop", "trunkline:operators"], how: index === 2 ? "serviceaccount" : "oidc:corp", from: `198.51.100.${10 + index}:50${index}22`,
    first: iso(world.fleet.began - (index + 1) * 3_600_000), last: iso(Date.now() - index * 40_000), expires: iso(Date.now() + 5 * 3_600_000),
    requests: ([["watch", "pods", "watch", ""], ["upgrade", "pods/exec", "create", "web-0"], ["follow", "pods/log", "get", "cart-1"]] as const).slice(0, 3 - index).map(([kind, object, verb, name]) => ({
      request: random.hex(16), cluster: "prod-eu", kind, object, verb, name, namespace: "shop", rule: "shop-operators", actingAs: user, since: iso(world.fleet.began - random.whole(10, 4000) * 1000),
    })),
  }));
}

export function sessions(world: World, asked: Asked, id: string): Answer {
  const mine = world.sessions.all().map((session): Schemas["UserSession"] => ({
    id: session.id, user: session.user, groups: session.groups, how: "web", from: session.from, first: iso(session.first), last: iso(session.last), expires: iso(session.ends), requests: world.live.requestsOf(session.id),
  }));
  const all = [...mine, ...others(world).filter((session) => !world.endedSessions.has(session.id))];
  if (asked.method === "GET" && id === "") return json({ apiVersion: "trunkline.dev/v1", kind: "UserSessionList", items: all });
  const one = all.find((session) => session.id === id);
  if (asked.method !== "POST" || one === undefined) return problem(404, "NotFound", `there is no session ${id}, or it has ended`);
  const { reason = "" } = bodyOf<Schemas["EndSession"]>(asked);
  world.audit.change(asked, "end session", null, id);
  world.endedSessions.add(id);
  const own = world.sessions.all().find((session) => session.id === id);
  if (own) world.sessions.end(own, `${asked.user} ended the session${reason === "" ? "" : `: ${reason}`}`);
  return json({ id, user: one.user, requests: one.requests.length, until: one.expires ?? iso(Date.now()) });
}
