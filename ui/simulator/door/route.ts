/** Which path is whose, for who is signed in. */
import { json, problem, Refused, type Answer, type Asked } from "./answer.ts";
import { ticket, toCluster } from "./cluster.ts";
import type { Session } from "./sessions.ts";
import { accessRules, testAccess } from "../rest/access.ts";
import { auth } from "../rest/auth.ts";
import { clusters } from "../rest/clusters.ts";
import { gatewayStatus, pki, sessions } from "../rest/gateway.ts";
import { logs } from "../rest/logs.ts";
import type { World } from "../world.ts";

const BASE = "/trunkline/v1/";
const SAFE = new Set(["GET", "HEAD"]);

/** Answers a request of a session, by HTTP or over the live socket. `csrf` is null where the socket has shown it. */
export async function route(world: World, asked: Asked, session: Session, csrf: string | undefined | null): Promise<Answer | "hang up"> {
  try {
    if (!SAFE.has(asked.method) && csrf !== null) world.sessions.check(session, csrf);
    const fault = await world.faults.meet(asked.path);
    return fault ?? routed(world, asked, session);
  } catch (error) {
    if (error instanceof Refused) return error.answer;
    console.error(error);
    return problem(500, "Internal", `the simulator has a fault: ${String(error)}`);
  }
}

function routed(world: World, asked: Asked, session: Session): Answer {
  if (!asked.path.startsWith(BASE)) return problem(404, "NotFound", "there is nothing at this path");
  const [head = "", one = "", two = "", ...rest] = asked.path.slice(BASE.length).split("/").map((part) => decodeURIComponent(part));
  switch (head) {
    case "status":
      return gatewayStatus(world, asked);
    case "clusters": {
      if (two === "k8s") return toCluster(world, asked, one, asked.path.slice(asked.path.indexOf("/k8s/") + 4));
      if (two === "tickets" && asked.method === "POST") return ticket(world, asked, session, one);
      return rest.length > 0 ? nowhere() : clusters(world, asked, one, two);
    }
    case "access":
      return one === "test" ? testAccess(world, asked) : one === "rules" ? accessRules(world, asked, two) : nowhere();
    case "sessions":
      return sessions(world, asked, one);
    case "audit":
      return world.audit.answer(asked, one, two);
    case "logs":
      return logs(world, asked, one);
    case "pki":
      return pki(world, asked, one);
    case "auth":
      return auth(world, asked, session, one, two);
    case "openapi.json":
      return json({});
    default:
      return nowhere();
  }
}

function nowhere(): Answer {
  return problem(404, "NotFound", "there is nothing at this path");
}
