import { FLEET, inCluster } from "./addresses.ts";
import { effects } from "./effects.ts";
import { expect, test, visit } from "./fixtures.ts";
import { nameOf, picture } from "./picture.ts";

test.use({ scenario: "xss" });

for (const address of [
  ...FLEET,
  ...inCluster("prod-eu"),
  "/c/prod-eu/core/v1/pods/shop/poisoned",
  "/c/prod-eu/ns/shop/pods/poisoned/logs",
  "/c/prod-eu/ns/shop/pods/poisoned/yaml",
  "/c/prod-eu/poison.example.com/v1/poisons",
  "/logs?q=*",
]) {
  test(`${address}: what a cluster says is text`, async ({ page, simulator }) => {
    const left: string[] = [];
    page.on("request", (request) => {
      if (!request.url().startsWith(simulator.origin) && !request.url().startsWith("data:") && !request.url().startsWith("blob:")) left.push(request.url());
    });
    await visit(page, address);
    // All that is in sight of a long list is not all there is.
    for (const step of [0.25, 0.5, 0.75, 1]) {
      await page.evaluate((step) => {
        for (const box of document.querySelectorAll("*")) if (box.scrollHeight > box.clientHeight + 50) box.scrollTop = box.scrollHeight * step;
      }, step);
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
      expect(await effects(page)).toEqual([]);
    }
    expect(left, "requests to elsewhere").toEqual([]);
    await picture(page, `xss_${nameOf(address)}`);
  });
}
