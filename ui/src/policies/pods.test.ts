import { describe, expect, it } from "vitest";
import type { PodFacts } from "./applies.ts";
import { filtered, fits } from "./filter.ts";
import { inOrder } from "./order.ts";
import { changeOf, factsOf, selected, type Pods } from "./pods.ts";
import { made, object } from "./testing.ts";

const pod = (name: string, app: string, more: Partial<PodFacts> = {}): PodFacts => ({ name, namespace: "shop", labels: { app }, serviceAccount: "default", hostNetwork: false, ...more });
const PODS: Pods = {
  pods: [pod("web-1", "web"), pod("web-2", "web", { namespace: "bank" }), pod("api-1", "api"), pod("host", "web", { hostNetwork: true })],
  namespaces: new Map([["shop", { team: "a" }], ["bank", { team: "b" }]]),
  accounts: null,
  truncated: false,
};
const names = (pods: PodFacts[]) => pods.map(({ name }) => name);
const policy = (spec: object) => made("GlobalNetworkPolicy", "p", spec);

describe("pods that a policy is for", () => {
  it("are those that all of its selectors fit", () => {
    expect(names(selected(policy({ selector: "app == 'web'" }), PODS).yes)).toEqual(["web-1", "web-2"]);
    expect(names(selected(policy({ namespaceSelector: "team == 'b'" }), PODS).yes)).toEqual(["web-2"]);
  });

  it("may be some of which nobody can say", () => {
    expect(names(selected(policy({ selector: "app == 'web'", serviceAccountSelector: "role == 'x'" }), PODS).unknown)).toEqual(["web-1", "web-2"]);
  });

  it("are gained and lost by a change of its selectors", () => {
    const change = changeOf(policy({ selector: "app == 'web'" }), policy({ namespaceSelector: "team == 'a'" }), PODS);
    expect({ gained: names(change.gained), lost: names(change.lost), kept: change.kept, unknown: change.unknown }).toEqual({ gained: ["api-1"], lost: ["web-2"], kept: 1, unknown: 0 });
  });

  it("are all gained by a new one", () => {
    expect(names(changeOf(null, policy({ selector: "app == 'api'" }), PODS).gained)).toEqual(["api-1"]);
  });

  it("are read from what the cluster says of them", () => {
    const found = { ...object("Pod", "shop/p"), metadata: { name: "p", namespace: "shop", labels: { a: "b" } }, spec: { serviceAccountName: "web", hostNetwork: true } };
    expect(factsOf(found)).toEqual({ name: "p", namespace: "shop", labels: { a: "b" }, serviceAccount: "web", hostNetwork: true });
  });
});

describe("a filter", () => {
  const none = { text: "", force: "", kind: "", label: "" };
  const staged = made("StagedGlobalNetworkPolicy", "next", { selector: "app == 'web'" });
  const enforced = { ...made("GlobalNetworkPolicy", "now", { selector: "app == 'web'" }) };
  enforced.object.metadata.labels = { team: "a" };

  it("is by words, which must all be seen", () => {
    expect(fits(enforced, { ...none, text: "now WEB" })).toBe(true);
    expect(fits(enforced, { ...none, text: "now api" })).toBe(false);
  });

  it("is by force, kind and label", () => {
    expect([staged, enforced].map((one) => fits(one, { ...none, force: "staged" }))).toEqual([true, false]);
    expect([staged, enforced].map((one) => fits(one, { ...none, force: "enforced" }))).toEqual([false, true]);
    expect(fits(enforced, { ...none, kind: "GlobalNetworkPolicy" })).toBe(true);
    expect(["team=a", "team", "team==a", "team=b", "other"].map((label) => fits(enforced, { ...none, label }))).toEqual([true, true, true, false, false]);
  });

  it("leaves out tiers of which nothing fits, and nothing where nothing is asked", () => {
    const tiers = inOrder([object("Tier", "empty", { order: 1 })], [staged, enforced], true);
    expect(filtered(tiers, none).map(({ name }) => name)).toEqual(["empty", "default"]);
    expect(filtered(tiers, { ...none, force: "staged" }).map(({ name, policies }) => `${name} ${policies.length}`)).toEqual(["default 1"]);
  });
});
