import { defineConfig } from "@playwright/test";

// Chromium as the system has it: nothing is downloaded. CHROMIUM says where, if it is elsewhere.
const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

export default defineConfig({
  testDir: "browser",
  testMatch: "**/*.spec.ts",
  // These want a real gateway: playwright.real.config.ts.
  testIgnore: "real/**",
  outputDir: "test-results",
  timeout: 60_000,
  expect: { timeout: 10_000 },
  fullyParallel: false,
  workers: 1,
  forbidOnly: process.env["CI"] !== undefined,
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    timezoneId: "UTC",
    trace: "retain-on-failure",
    launchOptions: { executablePath, args: ["--no-sandbox"] },
  },
});
