// Where joining stands still, with agents as people start them: the page names the cause, and what to do.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator, Page } from "@playwright/test";
import { expect, given, kubectl, test } from "./stage.ts";

/** What the page hands out for an agent. */
interface Handed {
  steps: Locator;
  addresses: string;
  pin: string;
  token: string;
}

/** Registers a cluster on the page, and reads what it hands out there. */
async function register(page: Page, name: string): Promise<Handed> {
  await page.goto("clusters/new");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await page.getByRole("button", { name: `Register ${name}` }).click();
  const text = (await page.getByRole("region", { name: `Run this where kubectl points at ${name}.` }).textContent()) ?? "";
  const found = (pattern: RegExp) => {
    const value = pattern.exec(text)?.[1];
    if (value === undefined) throw new Error(`no ${String(pattern)} is handed out`);
    return value;
  };
  return {
    steps: page.getByRole("list", { name: `How ${name} joins` }),
    addresses: [...text.matchAll(/\b(\d+(?:\.\d+){3}:\d+)\b/g)].map(([, address]) => JSON.stringify(address)).join(", "),
    pin: found(/(sha256:[0-9a-f]{64})/),
    token: found(/(tlj_[\w-]+)/),
  };
}

/** What a test leaves behind, until it is over. */
const agents: ChildProcess[] = [];
const folders: string[] = [];

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "trunkline-journeys-"));
  folders.push(folder);
  return folder;
}

/** Starts an agent with what was handed out, on this machine. */
function agent(name: string, { addresses, pin, token }: Handed, upstream: string): void {
  const folder = temporary();
  mkdirSync(join(folder, "identity"), { mode: 0o700 });
  writeFileSync(join(folder, "token"), token, { mode: 0o600 });
  writeFileSync(join(folder, "agent.yaml"), `cluster: ${name}
gateway:
  addresses: [${addresses}]
  enrol: {pin: "${pin}", token_file: token, identity: {folder: identity}, slot: 0}
upstream: ${upstream}
`);
  agents.push(spawn(given("TRUNKLINE"), ["agent", "--config", join(folder, "agent.yaml")], { cwd: folder, stdio: "ignore" }));
}

/** The way to the API server of `south` with its administrator's papers: what an agent has there, and more. */
const SOUTH = () => `{kubeconfig: ${JSON.stringify(given("SOUTH_KUBECONFIG"))}}`;

interface Kubeconfig {
  clusters: { cluster: object }[];
}

/** The way to the API server of `south`, changed so, as a service account that has no right there. */
function asBare(changed: object): string {
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "bare" } };
  kubectl("south", ["apply", "-n", "default", "-f", "-"], JSON.stringify(account));
  const token = kubectl("south", ["create", "token", "bare", "-n", "default"]).trim();
  const [south] = (JSON.parse(kubectl("south", ["config", "view", "--raw", "-o", "json"])) as Kubeconfig).clusters;
  const file = join(temporary(), "kubeconfig");
  writeFileSync(file, JSON.stringify({
    apiVersion: "v1", kind: "Config", "current-context": "bare",
    clusters: [{ name: "south", cluster: { ...south?.cluster, ...changed } }],
    users: [{ name: "bare", user: { token } }],
    contexts: [{ name: "bare", context: { cluster: "south", user: "bare" } }],
  }), { mode: 0o600 });
  return `{kubeconfig: ${JSON.stringify(file)}}`;
}

/** Waits until a step stands still, and says so in these words. */
async function standsStill(steps: Locator, step: string, words: RegExp): Promise<void> {
  const item = steps.getByRole("listitem").filter({ hasText: step });
  await expect(item).toContainText(words, { timeout: 60_000 });
  await expect(item).toContainText(/stands still|failed/);
}

export function stalls(): void {
  test.afterEach(() => {
    agents.splice(0).forEach((agent) => agent.kill("SIGKILL"));
    folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true }));
  });

  test("nobody comes: the way out of the cluster may be closed", async ({ signedIn: page }) => {
    const { steps } = await register(page, "nobody-comes");
    await standsStill(steps, "First contact", /has come|no agent/i);
  });

  test("something on the way shows another certificate", async ({ signedIn: page }) => {
    const handed = await register(page, "wrong-pin");
    agent("wrong-pin", { ...handed, pin: `sha256:${"7f".repeat(32)}` }, SOUTH());
    await standsStill(handed.steps, "TLS", /pin|certificate/i);
  });

  test("the agent brings a join token that a newer one has replaced", async ({ signedIn: page }) => {
    const handed = await register(page, "old-token");
    await page.getByRole("button", { name: "New token" }).click();
    await expect(page.getByRole("region", { name: /Run this where kubectl points at old-token/ })).not.toContainText(handed.token);
    agent("old-token", handed, SOUTH());
    await standsStill(handed.steps, "Join token", /a newer one has replaced/);
  });

  test("the API server does not answer", async ({ signedIn: page }) => {
    const handed = await register(page, "no-api-server");
    // Nobody listens at port 1.
    agent("no-api-server", handed, asBare({ server: "https://127.0.0.1:1" }));
    await standsStill(handed.steps, "API server", /does not answer/i);
  });

  test("the agent lacks its rights in the cluster", async ({ signedIn: page }) => {
    const handed = await register(page, "no-rights");
    agent("no-rights", handed, asBare({}));
    await standsStill(handed.steps, "Rights", /may not impersonate/i);
  });
}
