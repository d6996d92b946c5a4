// The journeys of people, one after the other on one stage: `south` has joined by a command, `north` joins from the page.

import { choose, cut, expect, kubectl, namesOf, record, shell, signIn, test, type Name } from "./stage.ts";

// One worker, in this order; what fails does not keep the others from being played.

test("whoever follows a link signs in and comes to what the link leads to", async ({ page }) => {
  await signIn(page, "c/south/core/v1/pods?ns=default&q=demo");
  await expect(page).toHaveURL(/\/ui\/c\/south\/core\/v1\/pods\?.*q=demo/);
  await expect(page.getByRole("link", { name: "demo", exact: true })).toBeVisible();
});

test("the management cluster is the first of the drop-down, and not among the managed", async ({ signedIn: page }) => {
  await page.goto("clusters");
  await expect(page.getByRole("row", { name: /south/ })).toBeVisible();
  await expect(page.getByRole("row", { name: /management/ })).toHaveCount(0);
  await page.getByRole("button", { name: /^Cluster:/ }).click();
  await expect(page.getByRole("listbox", { name: "Clusters" }).getByRole("option").first()).toHaveAccessibleName(/^management/);
});

test("a cluster joins from the page, with the keyboard alone, and each step is told", async ({ signedIn: page }) => {
  await page.goto("clusters/new");
  await page.getByRole("textbox", { name: "Name", exact: true }).focus();
  await page.keyboard.type("north");
  await page.getByRole("textbox", { name: "Environment" }).or(page.getByRole("combobox", { name: "Environment" })).focus();
  await page.keyboard.type("production");
  await page.keyboard.press("Escape");
  await page.getByRole("radio", { name: /shippers/i }).press("Space");
  await page.getByRole("button", { name: "More", exact: true }).press("Enter");
  await page.getByRole("checkbox", { name: /No volume for the spool/ }).press("Space");
  await page.getByRole("button", { name: "Register north" }).press("Enter");
  await page.getByRole("tab", { name: "kubectl" }).press("Enter");
  const command = page.getByRole("region", { name: /Run this where kubectl points at north/ });
  await expect(command).toContainText("kubectl apply");
  expect(page.url(), "no token in the address").not.toMatch(/token/i);
  const steps = page.getByRole("list", { name: "How north joins" });
  await expect(steps).toContainText("First contact");
  shell("north", (await command.textContent()) ?? "");
  await expect(steps.getByRole("listitem").filter({ hasText: "Rights" })).toContainText("5 of 5", { timeout: 90_000 });
  record("north", "the first record of north");
  await expect(page.getByRole("heading", { name: /north has joined/ })).toBeVisible({ timeout: 90_000 });
});

for (const cluster of ["north", "south"] as Name[]) {
  test(`policies are those of ${cluster}, as kubectl sees them straight`, async ({ signedIn: page }) => {
    await page.goto("c/management/policies?view=list");
    await choose(page, cluster);
    await expect(page).toHaveURL(new RegExp(`/ui/c/${cluster}/policies\\?view=list`));
    const kinds = [
      "globalnetworkpolicies.projectcalico.org", "networkpolicies.projectcalico.org", "stagednetworkpolicies.projectcalico.org",
      "networkpolicies.networking.k8s.io", "adminnetworkpolicies.policy.networking.k8s.io", "clusternetworkpolicies.policy.networking.k8s.io",
    ];
    // Calico's names in its default tier are shown without the tier, as its own API does.
    const there = kinds.flatMap((kind) => namesOf(cluster, kind)).map((name) => name.replace(/^default\./, "")).sort();
    const table = page.getByRole("table", { name: /Policies in the order/ });
    await expect(table.getByRole("row")).toHaveCount(there.length + 1);
    const shown = await table.getByRole("row").getByRole("link").allTextContents();
    expect([...new Set(shown)].sort()).toEqual([...new Set(there)].sort());

    await page.goto(`c/${cluster}/policies?view=board`);
    const tiers = namesOf(cluster, "tiers.projectcalico.org");
    for (const tier of tiers) await expect(page.getByRole("region", { name: new RegExp(`^Tier ${tier}`) })).toBeVisible();
    const other = cluster === "north" ? "south" : "north";
    await expect(page.getByRole("region", { name: new RegExp(`^Tier of-${other}`) })).toHaveCount(0);
  });
}

test("every view is the chosen cluster's: nodes, pods, events, kinds", async ({ signedIn: page }) => {
  for (const cluster of ["north", "south"] as Name[]) {
    await page.goto("c/management/core/v1/nodes");
    await choose(page, cluster);
    for (const node of namesOf(cluster, "nodes")) await expect(page.getByRole("link", { name: node, exact: true })).toBeVisible();
    await page.goto(`c/${cluster}/core/v1/pods`);
    for (const pod of namesOf(cluster, "pods")) await expect(page.getByRole("link", { name: pod, exact: true })).toBeVisible();
    const other = cluster === "north" ? "south" : "north";
    for (const pod of namesOf(other, "pods").filter((name) => !namesOf(cluster, "pods").includes(name))) {
      await expect(page.getByRole("link", { name: pod, exact: true })).toHaveCount(0);
    }
  }
});

test("what comes and goes in a cluster comes and goes on the page", async ({ signedIn: page }) => {
  await page.goto("c/north/core/v1/configmaps?ns=default");
  await expect(page.getByRole("link", { name: "kube-root-ca.crt" })).toBeVisible();
  kubectl("north", ["create", "configmap", "comes-and-goes", "--from-literal=a=1"]);
  await expect(page.getByRole("link", { name: "comes-and-goes" })).toBeVisible();
  kubectl("north", ["delete", "configmap", "comes-and-goes"]);
  await expect(page.getByRole("link", { name: "comes-and-goes" })).toHaveCount(0);
});

/** A pod that says a number ten times a second. */
const COUNTS = JSON.stringify({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "counts", labels: { app: "counts" } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{
      name: "counts", image: "trunkline.test/busybox:1", imagePullPolicy: "Never",
      command: ["sh", "-c", "n=0; while true; do n=$((n+1)); echo number $n of north; sleep 0.1; done"],
    }],
  },
});

test("a cut of the tunnel is told where logs follow, and no line is lost or doubled", async ({ signedIn: page }) => {
  kubectl("north", ["apply", "-f", "-"], COUNTS);
  kubectl("north", ["wait", "--for=condition=Ready", "pod/counts", "--timeout=60s"]);
  await page.goto("c/north/podlogs?ns=default&pod=counts");
  const log = page.getByRole("log");
  await expect(log).toContainText(/number \d+ of north/);
  cut("north");
  await expect(page.getByText(/The log is cut since|lines may be missing/).first()).toBeVisible({ timeout: 20_000 });
  await expect(page.getByText(/The log is cut since/)).toHaveCount(0, { timeout: 60_000 });
  // Some more lines, so that what came after the cut is there as well.
  const last = async () => Math.max(...(await log.innerText()).match(/number (\d+)/g)?.map((text) => Number(text.slice(7))) ?? [0]);
  const then = await last();
  await expect.poll(last).toBeGreaterThan(then + 10);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: /Download/ }).click()]);
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  const numbers = [...Buffer.concat(chunks).toString().matchAll(/number (\d+) of north/g)].map(([, number]) => Number(number));
  expect(numbers.length).toBeGreaterThan(20);
  numbers.forEach((number, at) => expect(number, "no gap and no repetition").toBe((numbers[0] ?? 0) + at));
});

test("a terminal works, and when the tunnel is cut it says so and offers a new one", async ({ signedIn: page }) => {
  await page.goto("c/north/shell?ns=default&pod=demo");
  const terminal = page.locator(".xterm");
  await expect(terminal).toContainText(/[#$]/, { timeout: 30_000 });
  await terminal.click();
  await page.keyboard.type("echo $((6*7)) is the answer\n");
  await expect(terminal).toContainText("42 is the answer");
  cut("north");
  await expect(page.getByRole("button", { name: "New session" })).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole("button", { name: /^Cluster:.*north/ })).toBeVisible();
});

test("records of both clusters are found together", async ({ signedIn: page }) => {
  for (const cluster of ["north", "south"] as Name[]) record(cluster, `a heron stands in ${cluster}`);
  await page.goto("logs?q=heron");
  for (const cluster of ["north", "south"]) {
    await expect(async () => {
      await page.getByRole("button", { name: "Search again" }).click();
      await expect(page.getByRole("region", { name: "Records", exact: true })).toContainText(`a heron stands in ${cluster}`, { timeout: 2_000 });
    }).toPass({ timeout: 60_000 });
  }
});

test("a lock cuts what is under way within a second, and says who and why", async ({ signedIn: page }) => {
  await page.goto("clusters/north");
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: /^Lock/ }).click();
  await page.getByRole("textbox", { name: /Reason/ }).fill("incident 42");
  await page.getByRole("dialog").getByRole("button", { name: "Lock", exact: true }).click();
  await expect(page.getByText(/Locked/).first()).toBeVisible();
  await page.goto("c/north/core/v1/pods");
  await expect(page.getByText(/incident 42/).first()).toBeVisible();
  await page.goto("clusters/north");
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: /^Unlock/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Unlock", exact: true }).click();
  await expect(page.getByText(/Connected/).first()).toBeVisible();
});
