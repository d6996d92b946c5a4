import { expect, test } from "vitest";
import { sameIn } from "./place.ts";

test("another cluster keeps the page and its filters", () => {
  expect(sameIn("/c/alpha/core/v1/pods", "?ns=shop&q=web", "beta")).toBe("/c/beta/core/v1/pods?ns=shop&q=web");
  expect(sameIn("/c/alpha/policies", "?view=board", "beta")).toBe("/c/beta/policies?view=board");
  expect(sameIn("/c/alpha", "", "beta")).toBe("/c/beta");
});

test("an object's page becomes the list it is in", () => {
  expect(sameIn("/c/alpha/core/v1/pods/shop/web-1/logs", "?ns=shop", "beta")).toBe("/c/beta/core/v1/pods?ns=shop");
  expect(sameIn("/c/alpha/apps/v1/deployments/shop/web", "", "beta")).toBe("/c/beta/apps/v1/deployments");
  expect(sameIn("/c/alpha/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies/_/deny", "", "beta")).toBe(
    "/c/beta/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies",
  );
});

test("from a page about the fleet one comes to the cluster's own", () => {
  expect(sameIn("/clusters", "?q=prod", "beta")).toBe("/c/beta");
  expect(sameIn("/", "", "a/b")).toBe("/c/a%2Fb");
});
