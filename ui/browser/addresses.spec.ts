import { FLEET, inCluster, STATES } from "./addresses.ts";
import { expect, test, visit } from "./fixtures.ts";
import { nameOf, picture } from "./picture.ts";

for (const address of [...FLEET, ...inCluster("prod-eu"), "/c/management", "/c/untended/policies", "/c/prod-eu+staging-eu/core/v1/pods"]) {
  test(`${address} opens, says what it is, and nothing goes wrong`, async ({ page }) => {
    await visit(page, address);
    await expect(page.getByRole("heading").first()).toBeVisible();
    await picture(page, nameOf(address));
  });
}

test("an address that leads nowhere says so", async ({ page }) => {
  await page.goto("/ui/no/such/page");
  await expect(page.getByText("There is no such page")).toBeVisible();
});

for (const [cluster, words] of Object.entries(STATES)) {
  for (const within of ["", "?ns=shop"]) {
    test(`the pods of ${cluster}${within} open, or say why they are not there`, async ({ page }) => {
      await visit(page, `/c/${cluster}/core/v1/pods${within}`);
      await expect(page.locator("main")).toContainText(words);
      await picture(page, `state_${cluster}${within.replace("?", "_")}`);
    });
  }
}

test.describe("in the dark", () => {
  test.use({ colorScheme: "dark" });
  for (const address of ["/", "/clusters", "/c/prod-eu/core/v1/pods", "/c/prod-eu/policies?view=board", "/logs"]) {
    test(`${address} opens`, async ({ page }) => {
      await visit(page, address);
      await picture(page, `dark_${nameOf(address)}`);
    });
  }
});

test.describe("signed out", () => {
  test.use({ user: "" });
  test("every address leads to the sign-in, and from there to where it led", async ({ page }) => {
    await page.goto("/ui/clusters?q=prod");
    await page.getByLabel(/user/i).fill("jane");
    await page.getByLabel(/password/i).first().fill("simulated password");
    await picture(page, "sign_in");
    await page.keyboard.press("Enter");
    await expect(page.locator("main")).toBeVisible();
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe("/ui/clusters?q=prod");
  });
});
