// Coming in, and bringing a cluster in: `south` has joined by a command, `north` joins from the page.

import { expect, given, reach, record, shell, signIn, test } from "./stage.ts";

export function joining(): void {
  test("whoever follows a link signs in and comes to what the link leads to", async ({ page }) => {
    await signIn(page, "c/south/core/v1/pods?ns=default&q=demo");
    await expect(page).toHaveURL(/\/ui\/c\/south\/core\/v1\/pods\?.*q=demo/);
    await expect(page.getByRole("link", { name: "demo", exact: true })).toBeVisible();
  });

  test("somebody of the company's issuer signs in there, with the keyboard alone, and comes back to where the link leads", async ({ page }) => {
    await page.goto("c/south/core/v1/pods?ns=default");
    await reach(page, page.getByRole("link", { name: "Sign in with dex" }).or(page.getByRole("button", { name: "Sign in with dex" })));
    await page.keyboard.press("Enter");
    await expect(page.locator("#login")).toBeVisible();
    await reach(page, page.locator("#login"));
    await page.keyboard.type(given("ISSUER_USER"));
    await reach(page, page.locator("#password"));
    await page.keyboard.type(given("ISSUER_PASSWORD"));
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/\/ui\/c\/south\/core\/v1\/pods\?.*ns=default/);
    await expect(page.getByRole("button", { name: /^You:.*alice/ })).toBeVisible();
    await expect(page.getByRole("link", { name: "demo", exact: true })).toBeVisible();
    const stored = await page.evaluate(() => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]));
    expect(stored, "no script sees a token").not.toMatch(/eyJ|trunkline_session/);
    // She is among those who only look: nothing that changes the fleet is offered.
    await page.goto("clusters");
    await expect(page.getByRole("row", { name: /south/ })).toBeVisible();
    await expect(page.getByRole("link", { name: /^Register/ }).or(page.getByRole("button", { name: /^Register/ }))).toHaveCount(0);
  });

  test("the management cluster is the first of the drop-down, and not among the managed", async ({ signedIn: page }) => {
    await page.goto("clusters");
    await expect(page.getByRole("row", { name: /south/ })).toBeVisible();
    await expect(page.getByRole("row", { name: /management/ })).toHaveCount(0);
    await page.getByRole("button", { name: /^Cluster:/ }).click();
    await expect(page.getByRole("listbox", { name: "Clusters" }).getByRole("option").first()).toHaveAccessibleName(/^management/);
  });

  test("a cluster joins from the page, with the keyboard alone, and each step is told", async ({ signedIn: page }) => {
    await page.goto("clusters/new");
    await reach(page, page.getByRole("textbox", { name: "Name", exact: true }));
    await page.keyboard.type("north");
    await reach(page, page.getByRole("textbox", { name: "Environment" }).or(page.getByRole("combobox", { name: "Environment" })));
    await page.keyboard.type("production");
    // Of a group of radio buttons, Tab comes to the one that is on, and arrows go on from there.
    await reach(page, page.getByRole("radio", { name: /nothing/i }));
    await page.keyboard.press("ArrowDown");
    await expect(page.getByRole("radio", { name: /shippers/i })).toBeChecked();
    await reach(page, page.getByRole("button", { name: "More", exact: true }));
    await page.keyboard.press("Enter");
    await reach(page, page.getByRole("checkbox", { name: /No volume for the spool/ }));
    await page.keyboard.press("Space");
    await reach(page, page.getByRole("button", { name: "Register north" }));
    await page.keyboard.press("Enter");
    await reach(page, page.getByRole("tab", { name: "kubectl" }));
    await page.keyboard.press("Enter");
    const command = page.getByRole("region", { name: /Run this where kubectl points at north/ });
    await expect(command).toContainText("kubectl apply");
    expect(page.url(), "no token in the address").not.toMatch(/token/i);
    const steps = page.getByRole("list", { name: "How north joins" });
    await expect(steps).toContainText("First contact");
    shell("north", (await command.textContent()) ?? "");
    await expect(steps.getByRole("listitem").filter({ hasText: "Rights" })).toContainText("5 of 5", { timeout: 90_000 });
    record("north", "the first record of north");
    await expect(page.getByRole("heading", { name: /north has joined/ })).toBeVisible({ timeout: 90_000 });
  });
}
