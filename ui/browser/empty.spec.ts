import { FLEET } from "./addresses.ts";
import { expect, test, visit } from "./fixtures.ts";
import { nameOf, picture } from "./picture.ts";

test.use({ scenario: "empty" });

test.describe("the first run", () => {
  for (const address of [...FLEET, "/c/management", "/c/management/core/v1/pods"]) {
    test(`${address} opens, and nothing goes wrong`, async ({ page }) => {
      await visit(page, address);
      await expect(page.getByRole("heading").first()).toBeVisible();
      await picture(page, `empty_${nameOf(address)}`);
    });
  }

  test.describe("before anybody is there", () => {
    test.use({ user: "" });
    test("asks for the first-run code", async ({ page }) => {
      await page.goto("/ui/");
      await expect(page.getByLabel(/code/i)).toBeVisible();
      await picture(page, "empty_set_up");
    });
  });
});
