/** What hostile text did to a page. */
import type { Page } from "@playwright/test";

/** What a payload made of the page: elements of its own, addresses that run or lead away, a script that ran. */
export async function effects(page: Page): Promise<string[]> {
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
