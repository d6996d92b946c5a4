import type { Page } from "@playwright/test";

import { FLEET, inCluster } from "./addresses.ts";
import { expect, test, visit } from "./fixtures.ts";
import { nameOf, picture } from "./picture.ts";

test.use({ scenario: "xss" });

/** What a payload made of the page: elements of its own, addresses that run or lead away, a script that ran. */
async function effects(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const say = (what: string, element: Element): number => found.push(`${what}: ${element.tagName} ${[...element.attributes].map(({ name, value }) => `${name}=${value}`).join(" ").slice(0, 200)}`);
    if ("__xss" in window) found.push(`a script ran: ${String(window.__xss)}`);
    for (const element of document.querySelectorAll(".xss, iframe, object, embed, base, form[action], marquee, math, [srcdoc]")) {
      say("an element", element);
    }
    for (const element of document.querySelectorAll("*")) {
      for (const { name } of element.attributes) if (/^on/i.test(name)) say("a script's attribute", element);
    }
    for (const link of document.querySelectorAll<HTMLAnchorElement>("a[href]")) {
      if (!/^https?:$/.test(link.protocol) || link.hostname === "evil.example") say("a link", link);
    }
    for (const image of document.querySelectorAll<HTMLImageElement>("img[src]")) if (new URL(image.src).origin !== location.origin && !image.src.startsWith("data:image/")) say("a picture", image);
    if (/evil\.example/.test(location.href)) found.push(`it went to ${location.href}`);
    return found;
  });
}

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
