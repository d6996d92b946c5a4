// For everybody: in the dark, on a narrow screen, enlarged, and with what reads a screen aloud.

import type { Page } from "@playwright/test";
import { findings } from "../axe.ts";
import { nameOf, picture } from "../picture.ts";
import { choose, expect, signIn, test } from "./stage.ts";

/** Each screen once, as the two clusters fill it. */
const SCREENS = [
  "", "clusters", "clusters/new", "clusters/north", "logs?q=heron", "sessions", "audit", "access", "settings", "profile", "policies/compare?a=north&b=south",
  "c/north", "c/north/workloads", "c/north/core/v1/pods", "c/north/core/v1/pods/default/demo", "c/north/core/v1/pods/default/demo/yaml",
  "c/north/core/v1/pods/default/demo/events", "c/north/core/v1/nodes", "c/north/core/v1/events", "c/north/network", "c/north/config", "c/north/storage",
  "c/north/kinds", "c/north/create", "c/north/podlogs?ns=default&pod=counts", "c/north/shell?ns=default&pod=demo",
  "c/north/policies?view=board", "c/north/policies?view=list", "c/north/policies?view=pod", "c/north/policies/networkpolicies.networking.k8s.io/default/demo",
];

/** Waits until what the page shows has come. */
async function filled(page: Page): Promise<void> {
  await expect(page.getByRole("banner").getByText("Live", { exact: true })).toBeVisible();
  await expect(page.locator("[aria-busy=true], .pf-v6-c-skeleton").first()).toBeHidden({ timeout: 30_000 });
  await page.waitForLoadState("networkidle");
  if (page.url().includes("/podlogs")) await expect(page.getByRole("log")).toContainText(/number/);
  if (page.url().includes("/shell")) await expect(page.locator(".xterm")).toContainText(/[#$]/);
}

export function everybody(): void {
  for (const screen of SCREENS) {
    test(`/${screen}: nothing serious keeps anybody from using it, and it fits 320 px and 200 %`, async ({ signedIn: page }) => {
      await page.goto(screen);
      await expect(page.locator("main")).toBeVisible();
      await expect(page.getByText("There is no such page")).toHaveCount(0);
      await filled(page);
      await picture(page, `real_${nameOf(screen)}`);
      expect(await findings(page)).toEqual([]);
      // 640 px are 1280 px at 200 %, and 320 px at 400 % (WCAG 2.2, 1.4.10). What has two dimensions scrolls in a frame of its own.
      for (const width of [640, 320]) {
        await page.setViewportSize({ width, height: 800 });
        await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      }
    });
  }

  test("on a narrow screen one goes from cluster to cluster, and to a pod and its log", async ({ page }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await signIn(page, "c/south/core/v1/pods?ns=default");
    await choose(page, "north");
    await page.getByRole("link", { name: "counts", exact: true }).click();
    await expect(page.getByRole("heading", { name: "counts" })).toBeVisible();
    await page.getByRole("link", { name: "Logs", exact: true }).or(page.getByRole("button", { name: "Logs", exact: true })).or(page.getByRole("tab", { name: "Logs", exact: true })).first().click();
    await expect(page.getByRole("log")).toContainText(/number \d+ of north/);
    await picture(page, "real_narrow_log");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  });

  test("dark is chosen once, and every page is dark, also after it is loaded again", async ({ signedIn: page }) => {
    await page.goto("profile");
    await page.getByRole("main").getByRole("button", { name: "dark", exact: true }).click();
    for (const screen of ["", "clusters", "c/north/core/v1/pods", "c/north/policies?view=board", "logs?q=heron", "c/north/core/v1/pods/default/demo/yaml", "c/north/shell?ns=default&pod=demo"]) {
      await page.goto(screen);
      await expect(page.locator("html")).toHaveClass(/pf-v6-theme-dark/);
      await filled(page);
      const ground = await page.evaluate(() => {
        const main = document.querySelector("main") ?? document.body;
        for (let at: Element | null = main; at !== null; at = at.parentElement) {
          const [r = 0, g = 0, b = 0, a = 1] = getComputedStyle(at).backgroundColor.match(/[\d.]+/g)?.map(Number) ?? [];
          if (a > 0) return Math.max(r, g, b);
        }
        return 255;
      });
      expect(ground, `the ground of /${screen}`).toBeLessThan(80);
      await picture(page, `real_dark_${nameOf(screen)}`);
      expect(await findings(page)).toEqual([]);
    }
  });
}
