import { findings } from "./axe.ts";
import { FLEET, inCluster } from "./addresses.ts";
import { expect, test, visit } from "./fixtures.ts";

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`for everybody, ${colorScheme}`, () => {
    test.use({ colorScheme });
    for (const address of [...FLEET, ...inCluster("prod-eu"), "/c/edge-lagos/core/v1/pods"]) {
      test(`${address}: axe finds nothing serious`, async ({ page }) => {
        await visit(page, address);
        expect(await findings(page)).toEqual([]);
      });
    }
  });
}

test.describe("on a narrow screen", () => {
  test.use({ viewport: { width: 320, height: 640 } });
  for (const address of [...FLEET, ...inCluster("prod-eu")]) {
    test(`${address}: nothing is wider than the page`, async ({ page }) => {
      await visit(page, address);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(wide).toBe(0);
    });
  }
});

// 200 % on a screen of 1280 x 1024 is a page of 640 x 512 with two device pixels each.
test.describe("at 200 %", () => {
  test.use({ viewport: { width: 640, height: 512 }, deviceScaleFactor: 2 });
  for (const address of [...FLEET, ...inCluster("prod-eu")]) {
    test(`${address}: nothing is wider than the page`, async ({ page }) => {
      await visit(page, address);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(wide).toBe(0);
    });
  }
});
