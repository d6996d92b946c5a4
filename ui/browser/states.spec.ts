/** The states of reference/manager-ui.md §6, on the list of a cluster's pods: each says what is, and what to do. */
import type { Page } from "@playwright/test";

import { findings } from "./axe.ts";
import { expect, test, visit } from "./fixtures.ts";
import { picture } from "./picture.ts";

const PODS = "/c/staging-eu/core/v1/pods";
/** Few enough that all are in sight. */
const FEW = `${PODS}?ns=trunkline`;
const API = "/trunkline/v1/clusters/staging-eu/k8s/api/v1/pods";

const rows = (page: Page) => page.locator("tbody tr[data-index]");

/** A state is one that people can use as well. */
async function shown(page: Page, name: string): Promise<void> {
  await picture(page, `state_${name}`);
  expect(await findings(page)).toEqual([]);
}

test("loading: a word after a while, and a way out", async ({ page, simulator }) => {
  await simulator.has("faults", { path: API, delay: 14_000, times: 1 });
  await page.goto(`/ui${PODS}`);
  await expect(page.getByText(/still waiting/i)).toBeVisible({ timeout: 9_000 });
  await shown(page, "loading");
  await expect(rows(page).first()).toBeVisible({ timeout: 15_000 });
});

test("empty by a filter: how many are hidden, and the filter goes", async ({ page }) => {
  await visit(page, `${PODS}?q=no-pod-has-this-name`);
  await shown(page, "filtered");
  await page.getByRole("button", { name: /clear/i }).first().click();
  await expect(rows(page).first()).toBeVisible();
});

test("forbidden: which right is missing", async ({ page, simulator }) => {
  await simulator.has("rights/deny", { cluster: "staging-eu", denied: [{ verb: "list", resource: "pods" }, { verb: "watch", resource: "pods" }] });
  await visit(page, PODS);
  await expect(page.locator("main")).toContainText(/list/);
  await expect(page.locator("main")).toContainText(/pods/);
  await shown(page, "forbidden");
  await simulator.has("rights/deny", { cluster: "staging-eu", denied: [] });
});

test("stale: the rows stay, the pill says so, and what came meanwhile is there afterwards", async ({ page, simulator }) => {
  await visit(page, FEW);
  await expect(rows(page).first()).toBeVisible();
  await simulator.has("faults", { path: "/trunkline/v1/live", hangUp: true });
  await simulator.has("live/lose");
  await expect(page.getByRole("banner").getByText(/retr|reconnect|lost|data from|away/i).first()).toBeVisible();
  await expect(rows(page).first()).toBeVisible();
  await shown(page, "stale");
  await simulator.has("pods/add", { cluster: "staging-eu", count: 1, namespace: "trunkline" });
  await simulator.has("faults/clear");
  await expect(page.getByRole("banner").getByText("Live", { exact: true })).toBeVisible({ timeout: 15_000 });
  await expect(page.getByText(/^added-/).first()).toBeVisible({ timeout: 15_000 });
});

test("a version that is too old: the list begins anew, and goes on", async ({ page, simulator }) => {
  await visit(page, FEW);
  await expect(rows(page).first()).toBeVisible();
  await simulator.has("objects/compact", { cluster: "staging-eu" });
  await simulator.has("live/lose");
  await simulator.has("pods/add", { cluster: "staging-eu", count: 1, namespace: "trunkline" });
  await expect(page.getByText(/^added-/).first()).toBeVisible({ timeout: 15_000 });
});

test("disconnected while it is looked at: said so, with the last known rows", async ({ page, simulator }) => {
  await visit(page, PODS);
  await expect(rows(page).first()).toBeVisible();
  await simulator.has("clusters/drop", { cluster: "staging-eu" });
  await expect(page.getByText(/not connected|disconnected/i).first()).toBeVisible();
  await shown(page, "disconnected");
  await simulator.has("clusters/return", { cluster: "staging-eu" });
  await expect(rows(page).first()).toBeVisible({ timeout: 15_000 });
});

for (const [name, status, reason, words] of [
  ["rate_limited", 429, "TooManyRequests", /too much|too many|try again/i],
  ["tunnel_lost", 502, "TunnelLost", /tunnel/i],
  ["degraded", 502, "UpstreamUnreachable", /API server|no answer/i],
  ["cluster_token", 403, "ClusterTokenNeeded", /token/i],
] as const) {
  test(`${reason}: what happened, where, and a way on`, async ({ page, simulator }) => {
    await simulator.has("faults", { path: API, refuse: { status, reason, detail: `trunkline gateway: the tunnel or the API server brought no answer, try again; bring a token (${reason})` } });
    await page.goto(`/ui${PODS}`);
    await expect(page.locator("main").getByText(words).first()).toBeVisible();
    await shown(page, name);
  });
}

test("a session that ends: who ended it, and after the sign-in the same page", async ({ page, simulator }) => {
  await visit(page, `${PODS}?ns=shop`);
  await simulator.has("sessions/end", { why: "omar ended the session" });
  await expect(page.getByText(/omar ended the session/)).toBeVisible();
  await picture(page, "state_session_ended");
  await page.getByLabel(/user/i).fill("jane");
  await page.getByLabel(/password/i).first().fill("simulated password");
  await page.keyboard.press("Enter");
  await expect(rows(page).first()).toBeVisible();
  expect(page.url()).toContain(`${PODS}?ns=shop`);
});

test("a gateway that restarts: nothing stands in the way, and it goes on", async ({ page, simulator }) => {
  await visit(page, PODS);
  await expect(rows(page).first()).toBeVisible();
  await simulator.has("live/drain");
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(page.getByRole("banner").getByText("Live", { exact: true })).toBeVisible();
  expect(await simulator.has("live")).toMatchObject({ open: 1 });
});

test("a protected cluster: said so, and nothing that changes is offered", async ({ page }) => {
  await visit(page, "/c/prod-us/core/v1/pods");
  await expect(rows(page).first()).toBeVisible();
  await expect(page.getByText(/read-only/i).first()).toBeVisible();
  await expect(page.getByRole("button", { name: /delete|apply|create/i })).toHaveCount(0);
  await shown(page, "read_only");
});

test("scripts that do not come: the page says so, and what to do", async ({ page, faults }) => {
  await page.route(/\/assets\/.*\.js$/, (route) => route.abort());
  await page.goto(`/ui${PODS}`);
  await expect(page.getByText(/scripts have not come yet/)).toBeVisible();
  expect(faults.splice(0).join("\n")).toMatch(/net::ERR_FAILED/);
});

test("one socket a tab, whatever is looked at", async ({ page, simulator }) => {
  await visit(page, PODS);
  const { opened } = (await simulator.has("live")) as { opened: number };
  for (const name of ["Deployments", "Pods", "Events", "Nodes"]) {
    const link = page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name, exact: true });
    if ((await link.count()) > 0) await link.click();
  }
  expect(await simulator.has("live")).toMatchObject({ open: 1, opened });
});
