// What the journeys stand on: a real gateway, two real clusters, and a direct way to each to compare with.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { expect, test as base, type Locator, type Page } from "@playwright/test";

export function given(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: the scenario a_browser_works_in_two_real_clusters of tests/cluster runs this`);
  return value;
}

export type Name = "north" | "south";

/** kubectl straight to a cluster, past the gateway. */
export function kubectl(cluster: Name, args: string[], input?: string): string {
  const env = { ...process.env, KUBECONFIG: given(`${cluster.toUpperCase()}_KUBECONFIG`) };
  return execFileSync(given("KUBECTL"), args, { env, encoding: "utf8", timeout: 60_000, ...(input === undefined ? {} : { input }) });
}

/** What a shell says that is given a text of the page, with the cluster's own kubeconfig and our kubectl and Helm. */
export function shell(cluster: Name, text: string): string {
  const folder = (program: string) => program.slice(0, program.lastIndexOf("/"));
  const path = `${folder(given("KUBECTL"))}:${folder(given("HELM"))}:${process.env["PATH"] ?? ""}`;
  const env = { ...process.env, PATH: path, KUBECONFIG: given(`${cluster.toUpperCase()}_KUBECONFIG`) };
  return execFileSync("bash", ["-euo", "pipefail", "-c", text], { env, encoding: "utf8", timeout: 90_000 });
}

/** The names of a kind's objects, straight from a cluster. */
export function namesOf(cluster: Name, kind: string): string[] {
  const found = kubectl(cluster, ["get", kind, "--all-namespaces", "-o", "name"]);
  return found.split("\n").filter((line) => line !== "").map((line) => line.slice(line.indexOf("/") + 1)).sort();
}

/** Hands a record in at a cluster's intake, as a shipper in a pod does. The clusters have no DNS, so it goes to an agent's address. */
export function record(cluster: Name, message: string): void {
  // A tunnel may be up before the kubelet has told the API server where the pod is.
  kubectl(cluster, ["-n", "trunkline", "wait", "pod/trunkline-agent-0", "--for=jsonpath={.status.podIP}", "--timeout=30s"]);
  const address = kubectl(cluster, ["-n", "trunkline", "get", "pod", "trunkline-agent-0", "-o", "jsonpath={.status.podIP}"]);
  const lines = `{"create":{}}\n${JSON.stringify({ message, kubernetes: { namespace: "default", pod: { name: "ships" } } })}\n`;
  const command = `wget -q -O - --header 'content-type: application/x-ndjson' --post-data "$LINES" http://${address}:9200/_bulk`;
  const pod = {
    apiVersion: "v1", kind: "Pod", metadata: { generateName: "ships-", labels: { app: "ships" } },
    spec: {
      restartPolicy: "OnFailure",
      containers: [{ name: "ships", image: "trunkline.test/busybox:1", imagePullPolicy: "Never", command: ["sh", "-c", command], env: [{ name: "LINES", value: lines }] }],
    },
  };
  kubectl(cluster, ["create", "-f", "-"], JSON.stringify(pod));
}

/** Cuts the tunnel without a word: the processes of a cluster's agents are killed; its kubelet starts them again. */
export function cut(cluster: Name): void {
  const path = "{.items[*].status.containerStatuses[*].containerID}";
  const said = kubectl(cluster, ["-n", "trunkline", "get", "pods", "-l", "app.kubernetes.io/name=trunkline-agent", "-o", `jsonpath=${path}`]);
  const containers = said.split(" ").map((id) => id.replace("containerd://", ""));
  const groupOf = (process: string) => {
    try {
      return readFileSync(`/proc/${process}/cgroup`, "utf8");
    } catch {
      // It has ended.
      return "";
    }
  };
  const agents = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && containers.some((id) => groupOf(name).includes(id)));
  expect(agents.length, "agents of the cluster").toBeGreaterThan(0);
  for (const agent of agents) process.kill(Number(agent), "SIGKILL");
}

/** What Chromium says of all that is on its way when an interface comes or goes on the machine, as with every pod of the clusters. */
const CHANGED = "net::ERR_NETWORK_CHANGED";

/** A page that an interface's coming kept from loading is loaded again, as its reader would do. */
function comeThrough(page: Page): void {
  let changed = false;
  page.on("requestfailed", (request) => {
    changed ||= request.failure()?.errorText === CHANGED;
  });
  const once = page.goto.bind(page);
  page.goto = async (...where) => {
    for (let left = 5; left > 0; left--) {
      changed = false;
      try {
        const answer = await once(...where);
        if (!changed) return answer;
      } catch (fault) {
        if (!String(fault).includes(CHANGED)) throw fault;
      }
    }
    return once(...where);
  };
}

interface Given {
  faults: string[];
  signedIn: Page;
}

export const test = base.extend<Given>({
  faults: async ({}, give) => give([]),
  page: async ({ page, faults }, give) => {
    comeThrough(page);
    page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
    page.on("console", (message) => {
      const answer = /^Failed to load resource: the server responded with a status of (4\d\d|503)/.test(message.text());
      if (message.type() === "error" && !answer && !message.text().includes(CHANGED)) faults.push(`console: ${message.text()}`);
    });
    await give(page);
    expect(faults, "the page's console and exceptions").toEqual([]);
  },
  signedIn: async ({ page }, give) => {
    await signIn(page, "");
    await give(page);
  },
});

/** Goes to an address, and signs in on the way. */
export async function signIn(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await page.getByRole("textbox", { name: "User" }).fill(given("MANAGER_USER"));
  await page.getByRole("textbox", { name: "Password" }).fill(given("MANAGER_PASSWORD"));
  const [you, away] = [page.getByRole("button", { name: /^You:/ }), page.getByText(/the gateway does not answer/)];
  for (let left = 5; left > 0; left--) {
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await expect(you.or(away)).toBeVisible();
    if (await you.isVisible()) return;
    // A change of the machine's network took the request: said so, and tried again.
  }
  throw new Error("nobody was signed in");
}

/** Registers clusters as the signed-in user, for which no agent will come. */
export async function registered(page: Page, names: string[]): Promise<void> {
  const failed = await page.evaluate(async (all) => {
    const { csrf } = (await (await fetch("/trunkline/v1/auth/session")).json()) as { csrf: string };
    const headers = { "content-type": "application/json", "x-trunkline-csrf": csrf };
    const no: string[] = [];
    for (const name of all) {
      const answer = await fetch("/trunkline/v1/clusters", { method: "POST", headers, body: JSON.stringify({ name }) });
      if (!answer.ok) no.push(`${name}: ${answer.status} ${await answer.text()}`);
    }
    return no;
  }, names);
  expect(failed).toEqual([]);
}

/** Comes to a part of the page by Tab, as somebody without a mouse does. */
export async function reach(page: Page, part: Locator): Promise<void> {
  await expect(part).toBeVisible();
  for (let left = 150; left > 0; left--) {
    if (await part.evaluate((element) => element === (element.getRootNode() as Document | ShadowRoot).activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not lead to ${String(part)}`);
}

/** Chooses a cluster in the drop-down, by its keys. */
export async function choose(page: Page, cluster: string): Promise<void> {
  await page.getByRole("button", { name: /^Cluster:/ }).click();
  await page.keyboard.type(cluster);
  // A page that has just come may not have heard of the clusters yet.
  await expect(page.getByRole("option", { name: new RegExp(`^${cluster}`) })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: new RegExp(`^Cluster:.*${cluster}`) })).toBeVisible();
}

export { expect };
