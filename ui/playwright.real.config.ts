// The journeys through a real gateway with real clusters: the scenario `a_browser_works_in_two_real_clusters` of tests/cluster
// puts all of it up and calls this.

import { defineConfig } from "@playwright/test";
import usual from "./playwright.config.ts";

export default defineConfig({
  ...usual,
  testDir: "browser/real",
  testIgnore: [],
  timeout: 120_000,
  // One stage, on which one act follows another.
  fullyParallel: false,
  maxFailures: 0,
  use: {
    ...usual.use,
    baseURL: `${process.env["MANAGER_URL"] ?? ""}/ui/`,
    // The gateway made its own papers.
    ignoreHTTPSErrors: true,
  },
});
