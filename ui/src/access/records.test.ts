import { expect, test } from "vitest";
import { csv, tell, type AuditRecord } from "./records.ts";

function record(event: object): AuditRecord {
  return { sequence: 7, time: "2026-11-27T06:00:00Z", hash: "h", previous: "p", writer: "w", event } as AuditRecord;
}

test("a decision says who wanted what where, and by which rule or why not", () => {
  const object = { resource: "pods", subresource: "exec", namespace: "shop", name: "web-1" };
  const event = { phase: "decision", user: "jane", cluster: "prod-eu", verb: "create", object, allowed: true, rule: "team-a", request: "r1" };
  expect(tell(record(event))).toMatchObject({ user: "jane", cluster: "prod-eu", what: "create", object: "pods/exec shop/web-1", outcome: "allowed", bad: false, rule: "team-a" });
  expect(tell(record({ ...event, allowed: false, rule: null, why: "no rule names jane" }))).toMatchObject({ bad: true, outcome: "refused: no rule names jane" });
});

test("what is no resource is told by its path", () => {
  expect(tell(record({ phase: "decision", object: { path: "/healthz" }, allowed: true }))).toMatchObject({ object: "/healthz" });
});

test("ends, sign-ins, changes and reads are told in their own words", () => {
  expect(tell(record({ phase: "end", status: 403, reason: "AccessRevoked", ms: 12 }))).toMatchObject({ what: "ended", bad: true, outcome: "403, AccessRevoked, 12 ms" });
  expect(tell(record({ phase: "signIn", ok: false, why: "the token has expired" }))).toMatchObject({ what: "signed in", bad: true, outcome: "refused: the token has expired" });
  expect(tell(record({ phase: "change", what: "lock", subject: "prod-eu", failed: null }))).toMatchObject({ what: "lock", object: "prod-eu", outcome: "done" });
  expect(tell(record({ phase: "read", what: "audit", query: "user=jane" }))).toMatchObject({ what: "read audit", object: "user=jane" });
});

test("a spreadsheet computes nothing of what somebody was called", () => {
  const text = csv([record({ phase: "signIn", ok: true, user: '=HYPERLINK("http://x")', how: "local" })]);
  expect(text.split("\r\n")[1]).toContain(`"'=HYPERLINK(""http://x"")"`);
});
