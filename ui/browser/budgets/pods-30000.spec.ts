import { settled, test, visit } from "../fixtures.ts";
import { figure, heapMegabytes } from "./measure.ts";

test.use({ scenario: "pods=30000" });

test("the first rows come at once, and the tab stays small", async ({ page }) => {
  await visit(page, "/c/prod-eu/core/v1/nodes");
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Pods", exact: true }).click();
  const took = await page.evaluate(async () => {
    const began = performance.now();
    while (document.querySelectorAll("tbody tr[data-index]").length < 5 || !/pods/.test(location.pathname)) await new Promise((resolve) => requestAnimationFrame(resolve));
    return performance.now() - began;
  });
  figure("30,000 pods, first rows", took, "ms", 1000);
  await settled(page);
  await page.waitForTimeout(3000);
  figure("30,000 pods, heap", await heapMegabytes(page), "MB", 300, false);
});
