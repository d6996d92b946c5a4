/**
 * What every browser test stands on: a simulator with the scenario it asks for, a page that is signed in, and a watch over the page.
 *
 * - A console error, an exception that nobody caught, or a report of the content security policy fails the test.
 * - What a test has go wrong at the simulator is mended after it.
 */
import { expect, test as base, type Page } from "@playwright/test";

import { Simulator } from "./simulator.ts";

interface Given {
  /** Who is signed in; nobody if empty. */
  user: string;
  /** What went wrong on the page so far. */
  faults: string[];
}

interface Shared {
  scenario: string;
  simulator: Simulator;
}

/** The browser's own line about an answer that is a no: the pages show those to people. */
const ANSWER =
  /^Failed to load resource: the server responded with a status of (401|403|404|409|410|422|429|502|503)|^WebSocket connection to '\S+\/trunkline\/v1\/\S+' failed: Error during WebSocket handshake: Unexpected response code: (401|403|503)/;

export const test = base.extend<Given, Shared>({
  scenario: ["default", { option: true, scope: "worker" }],
  simulator: [
    async ({ scenario }, give) => {
      const simulator = await Simulator.start(scenario);
      await give(simulator);
      await simulator.stop();
    },
    { scope: "worker", timeout: 60_000 },
  ],
  user: ["jane", { option: true }],
  baseURL: async ({ simulator }, give) => give(simulator.origin),
  faults: async ({}, give) => give([]),
  page: async ({ page, simulator, user, faults }, give) => {
    await watchOver(page, faults);
    if (user !== "") await page.request.get(`${simulator.origin}/simulator/enter?user=${user}`, { maxRedirects: 0 });
    await give(page);
    await simulator.has("faults/clear");
    await simulator.has("rights/deny", { denied: [] });
    expect(faults, "the page's console, exceptions and policy reports").toEqual([]);
  },
});

async function watchOver(page: Page, faults: string[]): Promise<void> {
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    const of = message.location().url;
    if (ANSWER.test(message.text()) && (of.includes("/trunkline/v1/") || message.text().startsWith("WebSocket"))) return;
    faults.push(`console: ${message.text()} (${of})`);
  });
  page.on("pageerror", (error) => faults.push(`exception: ${error.stack ?? error.message}`));
  page.on("dialog", (dialog) => {
    faults.push(`a dialog opened: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.exposeFunction("__reported", (report: string) => faults.push(`policy: ${report}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      const { __reported } = window as unknown as { __reported: (report: string) => void };
      __reported(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`);
    });
  });
}

/** Goes to a page and waits until it says something: no skeleton, nothing busy. */
export async function visit(page: Page, address: string): Promise<void> {
  await page.goto(`/ui${address}`);
  await settled(page);
}

export async function settled(page: Page): Promise<void> {
  await expect(page.locator("#root")).not.toBeEmpty();
  await expect(page.locator("main")).toBeVisible();
  await expect(page.getByText("There is no such page")).toBeHidden({ timeout: 2_000 });
  await expect(page.locator("[aria-busy=true], .pf-v6-c-skeleton").first()).toBeHidden({ timeout: 15_000 });
}

export { expect };
