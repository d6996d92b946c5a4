/** A key in the cluster drop-down, with so many clusters. */
import { expect, test, visit } from "../fixtures.ts";
import { figure, keysTimed } from "./measure.ts";

export function dropDownAnswers(clusters: number): void {
  test("a key in the cluster drop-down is answered at once", async ({ page }) => {
    await visit(page, "/settings");
    await page.keyboard.press("g");
    await page.keyboard.press("c");
    const box = page.getByLabel("Find a cluster");
    await box.focus();
    const durations = await keysTimed(page, async () => {
      for (const key of "prod-eu-01") await page.keyboard.press(key, { delay: 20 });
      for (let press = 0; press < 5; press += 1) await page.keyboard.press("Backspace", { delay: 20 });
    });
    await expect(page.getByRole("listbox", { name: "Clusters" }).getByRole("option").first()).toBeVisible();
    figure(`drop-down of ${clusters}, slowest key`, Math.max(0, ...durations), "ms", 50);
  });
}
