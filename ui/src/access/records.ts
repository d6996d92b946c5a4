// Audit records in words. What happened is told by their phase; whatever is in them is text.

import type { Shapes } from "../api/client.ts";
import { csvLine } from "../parts/csv.ts";

export type AuditRecord = Shapes["AuditRecord"];

export interface Told {
  user: string;
  cluster: string;
  /** What was done, in a few words. */
  what: string;
  object: string;
  outcome: string;
  /** Whether it was a no, or went wrong. */
  bad: boolean;
  rule: string;
  request: string;
}

type AuditObject = Shapes["AuditObject"];

/** A record as a row. */
export function tell(record: AuditRecord): Told {
  const event = record.event as { phase: string } & Record<string, unknown>;
  const text = (name: string) => (typeof event[name] === "string" ? event[name] : "");
  const told: Told = {
    user: text("user"), cluster: text("cluster"), what: event.phase, object: "", outcome: "", bad: false, rule: text("rule"), request: text("request"),
  };
  switch (event.phase) {
    case "decision": {
      told.what = text("verb");
      told.object = objectOf(event["object"] as AuditObject | undefined);
      told.bad = event["allowed"] !== true;
      told.outcome = told.bad ? `refused: ${text("why")}` : "allowed";
      break;
    }
    case "end": {
      const status = Number(event["status"] ?? 0);
      told.what = "ended";
      told.bad = status >= 400;
      told.outcome = [String(status), text("reason"), `${Number(event["ms"] ?? 0)} ms`].filter((part) => part !== "").join(", ");
      break;
    }
    case "signIn":
      told.what = "signed in";
      told.bad = event["ok"] !== true;
      told.outcome = told.bad ? `refused: ${text("why")}` : text("how");
      break;
    case "change":
      told.what = text("what");
      told.object = text("subject");
      told.bad = text("failed") !== "";
      told.outcome = told.bad ? `failed: ${text("failed")}` : "done";
      break;
    case "read":
      told.what = `read ${text("what")}`;
      told.object = text("query");
      break;
    default:
      told.outcome = text("version");
  }
  return told;
}

function objectOf(object: AuditObject | undefined): string {
  if (object === undefined) return "";
  const kind = [object.resource, object.subresource].filter(Boolean).join("/");
  const place = [object.namespace, object.name].filter(Boolean).join("/");
  return [kind, place].filter(Boolean).join(" ") || (object.path ?? "");
}

const FIELDS: (keyof Told)[] = ["user", "cluster", "what", "object", "outcome", "rule", "request"];

/** Records as CSV. */
export function csv(records: AuditRecord[]): string {
  const lines = records.map((record) => {
    const told = tell(record);
    return csvLine([record.sequence, record.time, ...FIELDS.map((field) => String(told[field]))]);
  });
  return [csvLine(["sequence", "time", ...FIELDS]), ...lines].join("");
}
