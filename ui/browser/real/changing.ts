// Changes: of objects, of policies, of a cluster's lock.

import type { Page } from "@playwright/test";
import { expect, kubectl, reach, test } from "./stage.ts";

/** What an object has at a path, straight from `south`. */
function there(kind: string, name: string, path: string): string {
  return kubectl("south", ["get", kind, name, "-o", `jsonpath={${path}}`]);
}

/** Replaces a word of the text that is edited. */
async function edit(page: Page, label: RegExp, word: string, by: string): Promise<void> {
  const editor = page.getByRole("textbox", { name: label });
  await editor.getByText(word).last().dblclick({ position: { x: 2, y: 8 } });
  await editor.press("End");
  for (let left = word.length; left > 0; left--) await page.keyboard.press("Backspace");
  await page.keyboard.type(by);
}

export function changing(): void {
  test("two change one object at once: what both changed is asked, and neither overwrites the other", async ({ signedIn: page }) => {
    kubectl("south", ["create", "configmap", "shared", "--from-literal=colour=red", "--from-literal=size=small"]);
    await page.goto("c/south/core/v1/configmaps/default/shared/yaml");
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    await edit(page, /Edit the YAML of shared/, "red", "green");
    // Meanwhile somebody with kubectl.
    kubectl("south", ["patch", "configmap", "shared", "--type=merge", "-p", '{"data":{"colour":"blue","size":"large"}}']);
    await page.getByRole("button", { name: "Review and apply" }).click();
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByText(/changed by somebody else/)).toBeVisible();
    const both = dialog.getByRole("table", { name: "Fields that both changed" });
    await expect(both.getByRole("row", { name: /data\.colour/ })).toContainText(/red.*blue.*green/s);
    expect(there("configmap", "shared", ".data.colour"), "nothing is written yet").toBe("blue");
    await both.getByRole("radio", { name: /mine for data\.colour/ }).check();
    await dialog.getByRole("button", { name: "Put together and try" }).click();
    await expect(dialog.getByText(/The dry run worked/)).toBeVisible();
    await dialog.getByRole("button", { name: "Apply", exact: true }).click();
    await expect(dialog).toBeHidden();
    expect(there("configmap", "shared", ".data")).toBe('{"colour":"green","size":"large"}');
  });

  test("a policy is tried before it is applied: which pods it gains and loses, and nothing is written until then", async ({ signedIn: page }) => {
    await page.goto("c/south/policies/networkpolicies.networking.k8s.io/default/demo?tab=yaml");
    await edit(page, /the YAML of demo/, "demo", "nobody");
    await page.getByRole("button", { name: "Try it (dry run)" }).click();
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByText(/The dry run worked/)).toBeVisible();
    await expect(dialog.getByRole("region", { name: "Pods" })).toContainText(/1 lost/);
    await expect(dialog.getByRole("list", { name: "Lost" })).toContainText("default / demo");
    expect(there("networkpolicy", "demo", ".spec.podSelector.matchLabels.app")).toBe("demo");
    await dialog.getByRole("button", { name: "Apply", exact: true }).click();
    await expect(page.getByRole("status").filter({ hasText: "Applied" })).toBeVisible();
    expect(there("networkpolicy", "demo", ".spec.podSelector.matchLabels.app")).toBe("nobody");
    kubectl("south", ["patch", "networkpolicy", "demo", "--type=merge", "-p", '{"spec":{"podSelector":{"matchLabels":{"app":"demo"}}}}']);
  });

  test("a cluster takes new certificates from the page, and stays connected", async ({ signedIn: page }) => {
    const ends = () => page.evaluate(async () => {
      const { status } = (await (await fetch("/trunkline/v1/clusters/north")).json()) as { status: { state: string; certificateNotAfter: string } };
      return [status.state, Date.parse(status.certificateNotAfter)] as const;
    });
    const [, before] = await ends();
    await page.goto("clusters/north");
    await page.getByRole("button", { name: "Actions" }).click();
    await page.getByRole("menuitem", { name: "New certificates" }).click();
    await expect(page.getByRole("dialog")).toContainText("production");
    await page.getByRole("dialog").getByRole("button", { name: "Rotate", exact: true }).click();
    await expect(page.getByRole("dialog")).toBeHidden();
    // A link for logs that nothing is on is let go a while later.
    await expect.poll(async () => (await ends())[1], { timeout: 60_000 }).toBeGreaterThan(before);
    expect((await ends())[0]).toBe("connected");
  });

  test("a lock, with the keyboard alone, cuts what is under way within a second, and says who and why", async ({ signedIn: page }) => {
    await page.goto("clusters/north");
    await reach(page, page.getByRole("button", { name: "Actions" }));
    await page.keyboard.press("Enter");
    // The menu takes the keys.
    const lock = page.getByRole("menuitem", { name: /^Lock/ });
    await expect(lock).toBeVisible();
    await expect(page.getByRole("menuitem").first()).toBeFocused();
    for (let left = 12; left > 0 && !(await lock.evaluate((one) => one === document.activeElement)); left--) await page.keyboard.press("ArrowDown");
    await expect(lock).toBeFocused();
    await page.keyboard.press("Enter");
    await reach(page, page.getByRole("textbox", { name: /Reason/ }));
    await page.keyboard.type("incident 42");
    await reach(page, page.getByRole("dialog").getByRole("button", { name: "Lock", exact: true }));
    await page.keyboard.press("Enter");
    await expect(page.getByText(/Locked/).first()).toBeVisible();
    await page.goto("c/north/core/v1/pods");
    await expect(page.getByText(/incident 42/).first()).toBeVisible();
    await page.goto("clusters/north");
    await page.getByRole("button", { name: "Actions" }).click();
    await page.getByRole("menuitem", { name: /^Unlock/ }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Unlock", exact: true }).click();
    await expect(page.getByText(/Connected/).first()).toBeVisible();
  });
}
