// The journeys of people, one after the other on one stage: `south` has joined by a command, `north` joins from the page.

import { choose, expect, kubectl, namesOf, shell, signIn, test, type Name } from "./stage.ts";

test.describe.configure({ mode: "serial" });

test("whoever follows a link signs in and comes to what the link leads to", async ({ page }) => {
  await signIn(page, "c/south/core/v1/pods?ns=default&q=demo");
  await expect(page).toHaveURL(/\/ui\/c\/south\/core\/v1\/pods\?.*q=demo/);
  await expect(page.getByRole("link", { name: "demo", exact: true })).toBeVisible();
});

test("the management cluster is the first of the drop-down, and not among the managed", async ({ signedIn: page }) => {
  await page.goto("clusters");
  await expect(page.getByRole("row", { name: /south/ })).toBeVisible();
  await expect(page.getByRole("row", { name: /management/ })).toHaveCount(0);
  await page.getByRole("button", { name: /^Cluster:/ }).click();
  await expect(page.getByRole("option").first()).toHaveAccessibleName(/^management/);
});
