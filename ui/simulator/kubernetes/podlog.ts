/** A container's log: the same lines each time, one each second or so from its start on. */
import { plain, status, type Answer, type Asked } from "../door/answer.ts";
import { at, list, text, type KubeObject } from "./object.ts";
import { hash, Random } from "../random.ts";

/** How the lines of a cluster's containers are made. */
export type Speak = (random: Random, pod: KubeObject, container: string, index: number) => string;

const PATHS = ["/", "/cart", "/checkout", "/api/items?page=2", "/healthz", "/login"];

export const speak: Speak = (random, pod, container, index) => {
  const ms = random.whole(1, 900);
  const path = random.pick(PATHS);
  const roll = random.next();
  if (roll < 0.05) return `ERROR upstream timed out after ${ms} ms path=${path} pod=${pod.metadata.name} attempt=${random.whole(1, 4)}`;
  if (roll < 0.12) return `WARN slow answer ${ms + 900} ms path=${path}`;
  if (roll < 0.3) return JSON.stringify({ level: "info", msg: "request", path, status: random.pick([200, 200, 204, 304, 404]), ms, container });
  if (roll < 0.31) return "java.lang.IllegalStateException: the cart is closed\n\tat shop.Cart.add(Cart.java:41)\n\tat shop.Web.post(Web.java:112)";
  return `INFO ${random.pick(["GET", "GET", "POST"])} ${path} 200 ${ms} ms #${index}`;
};

export const LINE_MS = 1000;
/** How much of the past there is at the most. */
const KEPT = 5_000;

export function podLog(pod: KubeObject, asked: Asked, say: Speak): Answer {
  const { query } = asked;
  const containers = list(at(pod, "spec", "containers")).map((one) => text(at(one, "name")));
  const container = query.get("container") ?? (containers.length === 1 ? (containers[0] ?? "") : "");
  if (container === "") return status(400, "BadRequest", `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${containers.join(" ")}]`);
  if (!containers.includes(container)) return status(400, "BadRequest", `container ${container} is not valid for pod ${pod.metadata.name}`);
  const state = list(at(pod, "status", "containerStatuses")).find((one) => at(one, "name") === container);
  const waiting = text(at(state, "state", "waiting", "reason"));
  const previous = query.get("previous") === "true";
  if (previous && Number(at(state, "restartCount") ?? 0) === 0) {
    return status(400, "BadRequest", `previous terminated container "${container}" in pod "${pod.metadata.name}" not found`);
  }
  if (waiting !== "" && waiting !== "CrashLoopBackOff" && !previous) {
    return status(400, "BadRequest", `container "${container}" in pod "${pod.metadata.name}" is waiting to start: ${text(at(state, "state", "waiting", "message")) || waiting}`);
  }
  const ended = text(at(state, "state", "terminated", "finishedAt"));
  const over = previous || waiting !== "" || ended !== "";
  const started = Date.parse(text(at(state, "state", "running", "startedAt")) || text(pod.metadata.creationTimestamp));
  const until = over ? Date.parse(ended) || started + 40_000 : Date.now();
  return plain(lines({ pod, container, started, until, over, say, asked }));
}

interface Reading {
  pod: KubeObject;
  container: string;
  started: number;
  until: number;
  over: boolean;
  say: Speak;
  asked: Asked;
}

async function* lines(reading: Reading): AsyncGenerator<string[]> {
  const { started, until, asked, over } = reading;
  const { query, signal } = asked;
  const last = Math.max(0, Math.floor((until - started) / LINE_MS));
  const sinceTime = Date.parse(query.get("sinceTime") ?? "");
  const since = query.has("sinceSeconds") ? Date.now() - Number(query.get("sinceSeconds")) * 1000 : Number.isNaN(sinceTime) ? started : sinceTime;
  const tail = query.has("tailLines") ? Number(query.get("tailLines")) : Infinity;
  let index = Math.max(0, last - KEPT, Math.ceil((since - started) / LINE_MS), last - tail);
  let bytes = Number(query.get("limitBytes")) || Infinity;
  while (index < last && bytes > 0) {
    const some = Array.from({ length: Math.min(200, last - index) }, (_, offset) => line(reading, index + offset)).flat();
    index += 200;
    bytes -= some.join("\n").length;
    yield some;
  }
  index = Math.max(last, 0);
  while (query.get("follow") === "true" && !over && !signal.aborted) {
    const due = started + index * LINE_MS - Date.now();
    if (due > 0) await new Promise((resolve) => setTimeout(resolve, due));
    if (signal.aborted) return;
    yield line(reading, index);
    index += 1;
  }
}

function line({ pod, container, started, say, asked }: Reading, index: number): string[] {
  const random = new Random(hash(`${pod.metadata.uid}/${container}/${index}`));
  const time = new Date(started + index * LINE_MS + random.whole(0, 900)).toISOString().replace("Z", `${random.whole(100_000, 999_999)}Z`);
  const said = say(random, pod, container, index).split("\n");
  return asked.query.get("timestamps") === "true" ? said.map((one) => `${time} ${one}`) : said;
}
