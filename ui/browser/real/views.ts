// Every view is the chosen cluster's: what pages show is what kubectl sees straight.

import { choose, expect, kubectl, namesOf, test, type Name } from "./stage.ts";

export function views(): void {
  for (const cluster of ["north", "south"] as Name[]) {
    test(`policies are those of ${cluster}, as kubectl sees them straight`, async ({ signedIn: page }) => {
      await page.goto("c/management/policies?view=list");
      await choose(page, cluster);
      await expect(page).toHaveURL(new RegExp(`/ui/c/${cluster}/policies\\?view=list`));
      const kinds = [
        "globalnetworkpolicies.projectcalico.org", "networkpolicies.projectcalico.org", "stagednetworkpolicies.projectcalico.org",
        "networkpolicies.networking.k8s.io", "adminnetworkpolicies.policy.networking.k8s.io", "clusternetworkpolicies.policy.networking.k8s.io",
      ];
      // Calico's names in its default tier are shown without the tier, as its own API does.
      const there = kinds.flatMap((kind) => namesOf(cluster, kind)).map((name) => name.replace(/^default\./, "")).sort();
      const table = page.getByRole("table", { name: /Policies in the order/ });
      await expect(table.getByRole("row")).toHaveCount(there.length + 1);
      const shown = await table.getByRole("row").getByRole("link").allTextContents();
      expect([...new Set(shown)].sort()).toEqual([...new Set(there)].sort());

      await page.goto(`c/${cluster}/policies?view=board`);
      const tiers = namesOf(cluster, "tiers.projectcalico.org");
      for (const tier of tiers) await expect(page.getByRole("region", { name: new RegExp(`^Tier ${tier}`) })).toBeVisible();
      const other = cluster === "north" ? "south" : "north";
      await expect(page.getByRole("region", { name: new RegExp(`^Tier of-${other}`) })).toHaveCount(0);
    });
  }

  test("every view is the chosen cluster's: nodes, pods, events, kinds", async ({ signedIn: page }) => {
    for (const cluster of ["north", "south"] as Name[]) {
      await page.goto("c/management/core/v1/nodes");
      await choose(page, cluster);
      for (const node of namesOf(cluster, "nodes")) await expect(page.getByRole("link", { name: node, exact: true })).toBeVisible();
      await page.goto(`c/${cluster}/core/v1/pods`);
      for (const pod of namesOf(cluster, "pods")) await expect(page.getByRole("link", { name: pod, exact: true })).toBeVisible();
      const other = cluster === "north" ? "south" : "north";
      for (const pod of namesOf(other, "pods").filter((name) => !namesOf(cluster, "pods").includes(name))) {
        await expect(page.getByRole("link", { name: pod, exact: true })).toHaveCount(0);
      }
    }
  });

  test("what comes and goes in a cluster comes and goes on the page", async ({ signedIn: page }) => {
    await page.goto("c/north/core/v1/configmaps?ns=default");
    await expect(page.getByRole("link", { name: "kube-root-ca.crt" })).toBeVisible();
    kubectl("north", ["create", "configmap", "comes-and-goes", "--from-literal=a=1"]);
    await expect(page.getByRole("link", { name: "comes-and-goes" })).toBeVisible();
    kubectl("north", ["delete", "configmap", "comes-and-goes"]);
    await expect(page.getByRole("link", { name: "comes-and-goes" })).toHaveCount(0);
  });
}
