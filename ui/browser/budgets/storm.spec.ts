import { expect, test, visit } from "../fixtures.ts";
import { figure } from "./measure.ts";

test.use({ scenario: "pods=5000,storm=5000" });

test("the table is drawn four times a second at the most", async ({ page }) => {
  await visit(page, "/c/prod-eu/core/v1/pods");
  await expect(page.locator("tbody tr[data-index]").first()).toBeVisible();
  await page.waitForTimeout(2000);
  const drawn = await page.evaluate(async () => {
    const body = document.querySelector("tbody");
    if (body === null) throw new Error("there is no table");
    const frames = new Set<number>();
    let frame = 0;
    const observer = new MutationObserver(() => frames.add(frame));
    observer.observe(body, { subtree: true, childList: true, characterData: true, attributes: true });
    const ends = performance.now() + 5000;
    while (performance.now() < ends) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      frame += 1;
    }
    return { perSecond: frames.size / 5, frames: frame / 5 };
  });
  console.log(`figure: storm, frames a second: ${drawn.frames.toFixed(1)}`);
  figure("storm, table drawn", drawn.perSecond, "times/s", 4, false);
  expect(drawn.perSecond, "the storm is to be seen").toBeGreaterThan(0);
});
