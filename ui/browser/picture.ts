/** Pictures of screens, for people to look at: ui/pictures/<name>.png. */
import type { Page } from "@playwright/test";

export async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: new URL(`../pictures/${name.replace(/[^\w.-]+/g, "_")}.png`, import.meta.url).pathname, animations: "disabled" });
}

/** The name of an address's picture. */
export function nameOf(address: string): string {
  return address.replace(/^\//, "").replace(/[^\w.-]+/g, "_") || "overview";
}
