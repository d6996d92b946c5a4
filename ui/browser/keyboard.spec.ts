/** What is done without a mouse. */
import { expect, test, visit } from "./fixtures.ts";

test("g c opens the drop-down, what is typed finds the cluster, Enter goes to the same page there", async ({ page }) => {
  await visit(page, "/c/staging-eu/core/v1/pods?ns=shop");
  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await expect(page.getByLabel("Find a cluster")).toBeFocused();
  await page.keyboard.type("dev");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/c\/dev\/core\/v1\/pods\?ns=shop/);
  await expect(page.getByRole("dialog", { name: "Choose a cluster" })).toBeHidden();
});

test("Escape closes the drop-down, and one is where one was", async ({ page }) => {
  await visit(page, "/settings");
  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await expect(page.getByLabel("Find a cluster")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog", { name: "Choose a cluster" })).toBeHidden();
  await expect(page.getByRole("button", { name: /^Cluster:/ })).toBeFocused();
});

test("? tells the keys, and they can be switched off", async ({ page }) => {
  await visit(page, "/settings");
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.getByRole("dialog").getByRole("switch").or(page.getByRole("dialog").getByRole("checkbox")).first().press("Space");
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await expect(page.getByRole("dialog", { name: "Choose a cluster" })).toBeHidden();
});

test("the first Tab leads past the navigation", async ({ page }) => {
  await visit(page, "/settings");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: /skip/i })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("#content")).toBeVisible();
});
