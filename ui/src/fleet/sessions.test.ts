import { expect, it } from "vitest";
import type { Shapes } from "../api/client.ts";
import { byUser, underWayIn } from "./sessions.ts";

function session(user: string, ...requests: [cluster: string | null, since: string][]): Shapes["UserSession"] {
  return { user, how: "oidc:corp", from: "10.0.0.1", requests: requests.map(([cluster, since]) => ({ request: since, cluster, since })) } as Shapes["UserSession"];
}

const sessions = [
  session("vera", ["prod-eu", "2026-11-27T05:00:00Z"], ["prod-us", "2026-11-27T04:00:00Z"], ["prod-eu", "2026-11-27T03:00:00Z"]),
  session("otto", ["prod-eu", "2026-11-27T04:30:00Z"], [null, "2026-11-27T01:00:00Z"]),
];

it("is what goes to that cluster, the oldest first", () => {
  expect(underWayIn("prod-eu", sessions).map(({ user, request }) => [user, request.since.slice(11, 16)])).toEqual([["vera", "03:00"], ["otto", "04:30"], ["vera", "05:00"]]);
});

it("is counted by user", () => {
  expect(byUser(underWayIn("prod-eu", sessions))).toEqual([{ user: "vera", count: 2 }, { user: "otto", count: 1 }]);
});
