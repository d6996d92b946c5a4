/** The central log store: records that are worked out when they are asked for, and are the same each time. */
import { events, json, problem, type Answer, type Asked } from "../door/answer.ts";
import { PAYLOADS } from "../cluster/payloads.ts";
import { iso, type Schemas } from "../fleet/shapes.ts";
import { labelTest } from "../kubernetes/select.ts";
import { hash, Random } from "../random.ts";
import type { World } from "../world.ts";
import { logQuery, valueOf } from "./logquery.ts";
import { Queue } from "./queue.ts";

type LogRecord = Schemas["LogRecord"];

/** A cluster has a record every so many milliseconds. */
const EVERY_MS = 3_000;
/** So far back there are any. */
const KEPT_MS = 14 * 86_400_000;
/** So many are looked through at the most. */
const LOOKED_AT = 60_000;

const APPS = ["web", "cart", "search", "gateway", "ledger", "coredns"];

function record(world: World, cluster: string, slot: number): LogRecord {
  const random = new Random(hash(`${cluster}/${slot}`));
  const app = random.pick(APPS);
  const roll = random.next();
  const level = roll < 0.06 ? "error" : roll < 0.16 ? "warn" : roll < 0.9 ? "info" : "debug";
  const ms = random.whole(1, 2400);
  const status = level === "error" ? random.pick([500, 502, 503]) : random.pick([200, 200, 201, 204, 304, 404]);
  const path = random.pick(["/", "/cart", "/checkout", "/api/items", "/login"]);
  const said = {
    error: `connection refused: upstream timed out after ${ms} ms (${path})`, warn: `slow answer: ${ms} ms for ${path}`, info: `GET ${path} ${status} ${ms} ms`, debug: `cache miss for key item:${random.whole(1, 9999)}`,
  }[level];
  const time = slot * EVERY_MS + random.whole(0, EVERY_MS - 1);
  const hostile = world.scenario.xss;
  const payload = (): string => PAYLOADS[random.whole(0, PAYLOADS.length - 1)] ?? "";
  const namespace = ["gateway", "ledger"].includes(app) ? "payments" : app === "coredns" ? "kube-system" : "shop";
  const facets: Record<string, string> = { level: hostile ? payload() : level, app: hostile ? payload() : app, namespace, pod: `${app}-7d9c4-${random.suffix(5)}`, container: app, node: `${cluster}-node-0${random.whole(1, 4)}` };
  const message = hostile ? payload() : said;
  const at = new Date(time).toISOString();
  return {
    at: `${time}-${cluster}`, cluster, time: at, message, facets,
    source: { "@timestamp": at, message, http: { status, method: "GET", path, ms }, kubernetes: { labels: { app, ...(hostile ? { [payload()]: payload() } : {}) } }, cluster: { name: cluster } } as unknown as Record<string, never>,
  };
}

interface Range {
  clusters: string[];
  from: number;
  to: number;
  matches: (record: LogRecord) => boolean;
}

function range(world: World, asked: Asked): Range | Answer {
  const { query } = asked;
  const named = query.get("clusters");
  const chosen = labelTest(query.get("selector") ?? "");
  const clusters = world.fleet.all().filter((one) => one.metadata.name !== "management" && one.status.state !== "joining" && chosen(one.metadata.labels ?? {})).map((one) => one.metadata.name).filter((name) => named === null || named.split(",").includes(name));
  const to = Math.min(Date.parse(query.get("to") ?? "") || Date.now(), Date.now());
  const from = Math.max(Date.parse(query.get("from") ?? "") || to - 3_600_000, Date.now() - KEPT_MS);
  try {
    return { clusters, from, to, matches: logQuery(query.get("q") ?? "") };
  } catch (error) {
    return problem(400, "Invalid", error instanceof Error ? error.message : String(error));
  }
}

/** The records of a range, the newest or the oldest first; with a stride, one moment of so many. */
function* walk(world: World, { clusters, from, to }: Range, oldest: boolean, stride = 1): Generator<LogRecord> {
  const [first, last] = [Math.floor(from / EVERY_MS), Math.ceil(to / EVERY_MS)];
  for (let step = 0; step <= last - first; step += stride) {
    const slot = oldest ? first + step : last - step;
    const some = clusters.map((cluster) => record(world, cluster, slot)).filter((one) => Date.parse(one.time) >= from && Date.parse(one.time) < to);
    some.sort((a, b) => (a.time < b.time === oldest ? -1 : 1));
    yield* some;
  }
}

export function logs(world: World, asked: Asked, action: string): Answer {
  if (asked.method !== "GET") return problem(405, "MethodNotAllowed", "records are read only");
  if (action === "status") return json(status(world));
  const wanted = range(world, asked);
  if ("status" in wanted) return wanted;
  if (action === "tail") return tail(world, asked, wanted);
  if (action === "histogram") return histogram(world, asked, wanted);
  if (action === "top") return top(world, asked, wanted);
  return action === "" ? find(world, asked, wanted) : problem(404, "NotFound", "there is nothing at this path");
}

function find(world: World, asked: Asked, wanted: Range): Answer {
  const oldest = asked.query.get("order") === "oldest";
  const limit = Math.min(1000, Number(asked.query.get("limit") ?? 100));
  const after = asked.query.get("after");
  const time = Number(after?.split("-")[0]);
  const within = after === null ? wanted : { ...wanted, ...(oldest ? { from: time } : { to: time + 1 }) };
  const items: LogRecord[] = [];
  let looked = 0;
  let passed = after === null;
  for (const one of walk(world, within, oldest)) {
    looked += 1;
    if (!passed) {
      passed = one.at === after || Date.parse(one.time) !== time;
      if (one.at === after) continue;
    }
    if (wanted.matches(one)) items.push(one);
    if (items.length === limit || looked > LOOKED_AT) break;
  }
  const slow = world.fleet.all().find((one) => one.metadata.name === "edge-lagos");
  const late = slow && wanted.clusters.includes("edge-lagos") ? "edge-lagos is behind: its agent has not been here for some minutes" : null;
  const partial = looked > LOOKED_AT ? `only the ${oldest ? "oldest" : "newest"} ${LOOKED_AT} records were looked through; narrow the time` : late;
  return json({ items, next: items.length === limit ? (items.at(-1)?.at ?? null) : null, partial } satisfies Schemas["LogPage"]);
}

function histogram(world: World, asked: Asked, wanted: Range): Answer {
  const count = Math.min(200, Number(asked.query.get("slices") ?? 60));
  const by = asked.query.get("by");
  const length = Math.max(1, (wanted.to - wanted.from) / count);
  const slices = Array.from({ length: count }, (_, index) => ({ begins: new Date(wanted.from + index * length).toISOString(), count: 0, by: new Map<string, number>() }));
  const every = Math.max(1, Math.ceil(((wanted.to - wanted.from) / EVERY_MS) * wanted.clusters.length / LOOKED_AT));
  for (const one of walk(world, wanted, true, every)) {
    if (!wanted.matches(one)) continue;
    const slice = slices[Math.min(count - 1, Math.floor((Date.parse(one.time) - wanted.from) / length))];
    if (slice === undefined) continue;
    slice.count += every;
    const value = by === null ? undefined : valueOf(one, by);
    if (value !== undefined) slice.by.set(value, (slice.by.get(value) ?? 0) + every);
  }
  return json({ slices: slices.map((slice) => ({ ...slice, by: ranked(slice.by, 10) })) } satisfies Schemas["LogHistogram"]);
}

function top(world: World, asked: Asked, wanted: Range): Answer {
  const field = asked.query.get("field") ?? "";
  const counts = new Map<string, number>();
  let withIt = 0;
  let looked = 0;
  for (const one of walk(world, wanted, false)) {
    if ((looked += 1) > LOOKED_AT / 4) break;
    const value = wanted.matches(one) ? valueOf(one, field) : undefined;
    if (value === undefined) continue;
    withIt += 1;
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return json({ field, values: ranked(counts, Math.min(50, Number(asked.query.get("limit") ?? 10))), with: withIt } satisfies Schemas["LogTop"]);
}

function ranked(counts: Map<string, number>, most: number): Schemas["LogCount"][] {
  return [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count).slice(0, most);
}

function tail(world: World, asked: Asked, wanted: Range): Answer {
  const queue = new Queue(asked.signal);
  let through = Date.now();
  const timer = setInterval(() => {
    const to = Date.now();
    for (const one of walk(world, { ...wanted, from: through, to }, true)) if (wanted.matches(one)) queue.push(JSON.stringify({ type: "record", ...one }));
    if (queue.lost > 0) queue.push(JSON.stringify({ type: "passedOver", records: queue.lost }));
    queue.lost = 0;
    through = to;
  }, 500);
  queue.finally(() => clearInterval(timer));
  return events(queue.lines());
}

function status(world: World): Schemas["LogStatus"] {
  const items = world.fleet.all().slice(1).filter((one) => one.status.state !== "joining").map(({ metadata: { name }, status: { state } }): Schemas["LogStanding"] => {
    const behind = state === "disconnected";
    return {
      cluster: name, dataset: "pods", records: 1_204_551, bytes: 412_000_000, rate: behind ? 0 : 1000 / EVERY_MS, lagMs: behind ? null : 900, waiting: behind ? 4_210 : 0, oldest: behind ? iso(world.fleet.began - 180_000) : null,
      why: behind ? "the cluster is not connected" : "", lost: name === "edge-lagos" ? 12 : 0, deadLetters: name === "dev" ? 3 : 0, spoolBytes: behind ? 9_000_000 : 0, spoolCap: 2 * 1024 ** 3,
    };
  });
  return { items, store: { kind: "embedded", records: 14_203_771, bytes: 4_912_000_000, waiting: 0, lost: 0, fault: null, oldestDay: iso(Date.now() - KEPT_MS).slice(0, 10), notes: [] } };
}
