/** The audit log: a chain of records with true hashes. */
import { createHash } from "node:crypto";

import { events, json, plain, problem, type Answer, type Asked } from "../door/answer.ts";
import { iso, type Schemas } from "../fleet/shapes.ts";
import { text } from "../kubernetes/object.ts";
import { Random } from "../random.ts";
import { Queue } from "./queue.ts";

type AuditEvent = Schemas["AuditEvent"];
type AuditRecord = Schemas["AuditRecord"];

const WRITER = "simulated-gateway";

export class Audit {
  readonly records: AuditRecord[] = [];
  private readonly followers = new Set<(record: AuditRecord) => void>();

  constructor(now: number, past: number) {
    const random = new Random("audit");
    this.note({ phase: "start", version: "0.1.0" }, now - past * 40_000);
    for (let index = 1; index < past; index += 2) this.request(random, now - (past - index) * 40_000);
  }

  note(event: AuditEvent, time = Date.now()): void {
    const previous = this.records.at(-1)?.hash ?? "0".repeat(64);
    const unhashed = { event, previous, sequence: this.records.length + 1, time: iso(time), writer: WRITER };
    const record = { ...unhashed, hash: hashOf(unhashed) };
    this.records.push(record);
    for (const hear of this.followers) hear(record);
  }

  change(asked: Asked, what: string, cluster: string | null, subject = ""): void {
    this.note({ phase: "change", what, cluster, subject, user: asked.user, request: new Random(String(this.records.length)).hex(16), failed: null });
  }

  /** A request to a cluster as it would have been: its decision and its end. */
  private request(random: Random, time: number): void {
    const user = random.pick(["jane", "omar", "li", "ci-deployer"]);
    const cluster = random.pick(["prod-eu", "prod-us", "staging-eu", "dev"]);
    const [verb, resource, subresource] = random.pick([["get", "pods", ""], ["list", "deployments", ""], ["watch", "pods", ""], ["create", "pods", "exec"], ["patch", "deployments", ""], ["delete", "pods", ""], ["get", "pods", "log"]] as const);
    const allowed = !(user === "li" && ["create", "patch", "delete"].includes(verb));
    const request = random.hex(16);
    const object = { apiGroup: resource === "deployments" ? "apps" : "", resource, subresource, namespace: "shop", name: verb === "list" ? "" : "web-7d9c4-x2x4k", path: `/api/v1/namespaces/shop/${resource}` };
    this.note({
      phase: "decision", request, user, groups: ["shop"], cluster, clusterUid: null, verb, object, allowed, signedInBy: "oidc:corp", session: null, from: "198.51.100.10:50022", identity: "impersonate", as: { user, groups: ["shop"] },
      rule: allowed ? "trunkline-operators" : null, why: allowed ? "" : `no rule lets ${user} ${verb} ${resource}`,
    }, time);
    const recording = subresource === "exec" && allowed ? { id: request, bytes: random.whole(2_000, 90_000), sha256: random.hex(64) } : null;
    this.note({ phase: "end", request, user, cluster, ms: random.whole(3, 4000), reason: allowed ? "" : "AccessDenied", received: random.whole(0, 900), sent: random.whole(100, 90_000), status: allowed ? 200 : 403, recording }, time + 800);
  }

  answer(asked: Asked, action: string, id: string): Answer {
    switch (`${asked.method} ${action}`) {
      case "GET ":
        return asked.query.get("follow") === "true" ? this.follow(asked) : this.page(asked);
      case "GET head": {
        const { hash, sequence, time, writer } = this.records.at(-1) as AuditRecord;
        return json({ hash, sequence, time, writer });
      }
      case "POST verify":
        return json(this.verify());
      case "GET recordings":
        return id === "" ? json({ apiVersion: "trunkline.dev/v1", kind: "AuditRecordings", items: this.recordings() }) : this.play(id);
      default:
        return problem(404, "NotFound", "there is nothing at this path");
    }
  }

  private page(asked: Asked): Answer {
    const { query } = asked;
    const limit = Math.min(1000, Number(query.get("limit") ?? 100));
    const [after, before] = [Number(query.get("after") ?? 0), Number(query.get("before") ?? Infinity)];
    const wanted = this.records.filter((record) => matches(record, query) && record.sequence > after && record.sequence < before);
    const forward = query.has("after");
    const records = forward ? wanted.slice(0, limit) : wanted.slice(-limit);
    const first = records[0];
    const last = records.at(-1);
    return json({
      apiVersion: "trunkline.dev/v1", kind: "AuditPage", records,
      ...(!forward && first && wanted[0] !== first ? { older: first.sequence } : {}),
      ...(last ? { newer: last.sequence } : {}),
    });
  }

  private follow(asked: Asked): Answer {
    const queue = new Queue(asked.signal);
    const tell = (record: AuditRecord): void => {
      if (matches(record, asked.query)) queue.push(JSON.stringify(record));
    };
    if (asked.query.has("after")) for (const record of this.records.slice(Number(asked.query.get("after")))) tell(record);
    this.followers.add(tell);
    queue.finally(() => this.followers.delete(tell));
    return events(queue.lines());
  }

  private verify(): Schemas["AuditVerdict"] {
    const bad = this.records.find((record, index) => {
      const { hash, ...rest } = record;
      return hash !== hashOf(rest) || record.previous !== (this.records[index - 1]?.hash ?? "0".repeat(64));
    });
    const last = bad === undefined ? this.records.length : bad.sequence - 1;
    return {
      apiVersion: "trunkline.dev/v1", kind: "AuditVerdict", intact: bad === undefined, first: 1, last, hash: this.records[last - 1]?.hash ?? "", records: last, recordings: this.recordings().length, segments: 3, writer: WRITER,
      fault: bad === undefined ? null : { sequence: bad.sequence, file: "000003.jsonl", line: bad.sequence, why: "its hash is not that of its line" },
    };
  }

  private recordings(): Schemas["AuditRecordingFile"][] {
    return this.records
      .flatMap(({ event, time }) => (event.phase === "end" && event.recording ? [{ request: event.recording.id, bytes: event.recording.bytes, live: false, modified: time }] : []))
      .reverse();
  }

  private play(id: string): Answer {
    if (!this.recordings().some((one) => one.request === id)) return problem(404, "NotFound", `there is no recording of ${id}`);
    const typed = ["/ # ", "ls\r\n", "bin   dev   etc\r\n/ # ", "exit\r\n"];
    const head = { version: 2, width: 80, height: 24, timestamp: Math.floor(Date.now() / 1000) };
    return { ...plain([head, ...typed.map((words, index) => [index * 0.8, "o", words])].map((line) => JSON.stringify(line)).join("\n")), type: "application/x-asciicast" };
  }
}

function hashOf(record: object): string {
  return createHash("sha256").update(JSON.stringify(record)).digest("hex");
}

function matches({ event, time }: AuditRecord, query: URLSearchParams): boolean {
  const said = event as Partial<Record<string, unknown>>;
  const same = (name: string): boolean => !query.has(name) || text(said[name]) === query.get(name);
  return (
    ["user", "cluster", "verb", "phase", "request", "allowed"].every(same) &&
    (!query.has("since") || time >= (query.get("since") ?? "")) &&
    (!query.has("until") || time < (query.get("until") ?? ""))
  );
}
