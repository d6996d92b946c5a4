import { expect, it } from "vitest";
import type { Cluster } from "../api/fleet.ts";
import { cluster, standing } from "../testing/sample.ts";
import { sumUp, type LogStatus } from "./logs.ts";
import { MOST_OF_EACH, needsOf } from "./needs.ts";

const now = Date.parse("2026-11-27T06:00:00Z");

function needs(clusters: Cluster[], items: Parameters<typeof sumUp>[0] = [], fault?: string) {
  const store = { waiting: 0, lost: 0, fault } as LogStatus["store"];
  return needsOf({ clusters, logs: sumUp(items), store, gatewayVersion: "0.2.0", now });
}

it("is empty when all is well", () => {
  expect(needs([cluster("a"), cluster("b", { status: { state: "locked", reason: "locked by ops" } })])).toEqual([]);
});

it("lists the worst kind first, each with its reason and where to act", () => {
  const groups = needs([
    cluster("old", { status: { agentVersion: "0.1.0" } }),
    cluster("gone", { status: { state: "disconnected", reason: "no link is up" } }),
    cluster("twice", { status: { state: "duplicate-identity", reason: "two agents contend" } }),
    cluster("half", { status: { state: "degraded", reason: "the API server does not answer" } }),
  ]);
  expect(groups.map(({ kind }) => kind)).toEqual(["duplicate-identity", "disconnected", "degraded", "update"]);
  expect(groups.map(({ needs: [first] }) => first?.reason)).toEqual([
    "two agents contend", "no link is up", "the API server does not answer", "0.1.0, the gateway is 0.2.0",
  ]);
  const gone = groups[1];
  expect(gone?.title).toBe("1 cluster is disconnected");
  expect(gone?.to(gone.needs[0]!)).toBe("/clusters/gone");
  expect(gone?.all).toBe("/clusters?status=disconnected");
});

it("shows a few of many: production first, and of those what went last", () => {
  const clusters = Array.from({ length: 3_000 }, (_, at) =>
    cluster(`c${at}`, {
      spec: { environment: at % 1_000 === 0 ? "production" : "dev" },
      status: { state: "disconnected", lastSeen: new Date(now - 3_600_000 + at * 1_000).toISOString() },
    }));
  const [group] = needs(clusters);
  expect(group?.title).toBe("3,000 clusters are disconnected");
  expect(group?.needs).toHaveLength(MOST_OF_EACH);
  expect(group?.needs.map((need) => need.cluster?.metadata.name)).toEqual(["c2000", "c1000", "c0", "c2999", "c2998"]);
});

it("names a joining that stands still with its cause, and one whose token has ended", () => {
  const stalled = cluster("stalled", { status: { state: "joining", joinExpires: "2026-11-27T06:20:00Z" } });
  Object.assign(stalled.status, {
    joining: { since: "2026-11-27T05:59:00Z", done: false, steps: [{ name: "contact", state: "stalled", since: null, reason: "NoContact", cause: "nothing has come" }] },
  });
  const waits = cluster("waits", { status: { state: "joining", joinExpires: "2026-11-27T06:20:00Z" } });
  const ended = cluster("ended", { status: { state: "joining", joinExpires: null, reason: "its join token has ended" } });
  const [group] = needs([stalled, waits, ended]);
  expect(group?.needs.map(({ cluster: one, reason }) => [one?.metadata.name, reason]).sort()).toEqual([
    ["ended", "its join token has ended"],
    ["stalled", "nothing has come"],
  ]);
});

it("asks for a look at certificates by whether somebody or the agent itself renews them", () => {
  const ends = (hours: number) => new Date(now + hours * 3_600_000).toISOString();
  const groups = needs([
    cluster("enrolled", { status: { certificateNotAfter: ends(11) } }),
    cluster("late", { status: { certificateNotAfter: ends(1) } }),
    cluster("file", { status: { origin: "file", certificateNotAfter: ends(24 * 6) } }),
    cluster("file-fine", { status: { origin: "file", certificateNotAfter: ends(24 * 30) } }),
  ]);
  expect(groups.map(({ kind }) => kind)).toEqual(["certificate"]);
  expect(groups[0]?.needs.map((need) => need.cluster?.metadata.name).sort()).toEqual(["file", "late"]);
});

it("names logs that stay behind, and a store that takes nothing", () => {
  const groups = needs(
    [cluster("full"), cluster("late"), cluster("told"), cluster("fine")],
    [
      standing("full", { spoolBytes: 90 }),
      standing("late", { lagMs: 500, oldest: "2026-11-27T05:50:00Z" }),
      standing("told", { why: "the gateway asks to wait" }),
      standing("fine", { lagMs: 500 }),
    ],
    "the disk is full",
  );
  expect(groups.map(({ kind, count }) => [kind, count])).toEqual([["store", 1], ["logs", 3]]);
});
