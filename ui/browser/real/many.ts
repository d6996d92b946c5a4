// A fleet of 500: all are registered with the gateway, two of them and the management cluster are there.

import { expect, reach, registered, test } from "./stage.ts";

export function many(): void {
  test("among 500 clusters some letters find the one, with the keyboard alone, and the page stays the same", async ({ signedIn: page }) => {
    const names = Array.from({ length: 500 - 3 }, (_, number) => `edge-${String(number).padStart(3, "0")}`);
    await registered(page, names);
    await page.goto("c/north/core/v1/pods?ns=default");
    await expect(page.getByRole("link", { name: "demo", exact: true })).toBeVisible();
    await page.keyboard.press("g");
    await page.keyboard.press("c");
    const found = page.getByRole("listbox", { name: "Clusters" });
    await expect(found.getByRole("option").first()).toHaveAccessibleName(/^management/);
    await page.keyboard.type("edge-317");
    await expect(found.getByRole("option").first()).toHaveAccessibleName(/^edge-317/);
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/\/ui\/c\/edge-317\/core\/v1\/pods\?ns=default/);
    await expect(page.locator("main")).toContainText(/not joined|has not|joining|not connected/i);
    await page.keyboard.press("g");
    await page.keyboard.press("c");
    await expect(found).toBeVisible();
    await page.keyboard.type("sou");
    await expect(found.getByRole("option").first()).toHaveAccessibleName(/^south/);
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/\/ui\/c\/south\/core\/v1\/pods\?ns=default/);
    await expect(page.getByRole("link", { name: "demo", exact: true })).toBeVisible();
    // The table of the fleet has all but the management cluster, and a filter that is in the address.
    await page.goto("clusters?q=edge-4");
    await expect(page.getByText(/97/).first()).toBeVisible();
    await reach(page, page.getByRole("link", { name: "edge-400", exact: true }));
  });
}
