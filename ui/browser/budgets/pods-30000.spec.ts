import { expect, settled, test, visit } from "../fixtures.ts";
import { figure, heapMegabytes } from "./measure.ts";

test.use({ scenario: "pods=30000" });

test("the first rows come at once, and the tab stays small", async ({ page }) => {
  await visit(page, "/c/prod-eu/core/v1/nodes");
  await expect(page.locator("tbody tr[data-index]").first()).toBeVisible({ timeout: 30_000 });
  const took = await page.evaluate(async () => {
    const link = [...document.querySelectorAll<HTMLElement>("nav[aria-label=Pages] a")].find((one) => one.textContent === "Pods");
    if (link === undefined) throw new Error("the navigation has no Pods");
    const began = performance.now();
    link.click();
    while (document.querySelectorAll('table[aria-label^="pods"] tbody tr[data-index]').length < 5) await new Promise((resolve) => requestAnimationFrame(resolve));
    return performance.now() - began;
  });
  figure("30,000 pods, first rows", took, "ms", 1000);
  await settled(page);
  await page.waitForTimeout(3000);
  figure("30,000 pods, heap", await heapMegabytes(page), "MB", 300, false);
});
