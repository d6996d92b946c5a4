import { describe, expect, it } from "vitest";
import type { KubeObject } from "../api/kube.ts";
import { endpointOf, isFor, verdict, verdictWords, type Around, type PodFacts, type Verdict } from "./applies.ts";
import { inOrder } from "./order.ts";
import type { Policy } from "./policy.ts";
import { DENY_ALL, made, object, PASS_ALL } from "./testing.ts";

const WEB: PodFacts = { name: "web-1", namespace: "shop", labels: { app: "web" }, serviceAccount: "web", hostNetwork: false };
const AROUND: Around = { namespace: { team: "a" }, serviceAccount: { role: "front" } };
const endpoint = endpointOf(WEB, AROUND);
const tier = (name: string, order: number, defaultAction?: string) => object("Tier", name, { order, ...(defaultAction ? { defaultAction } : {}) });
const some = { action: "Allow", source: { selector: "app == 'api'" } };

function ingress(policies: Policy[], tiers: KubeObject[] = [tier("default", 1_000_000)]): Verdict {
  return verdict(inOrder(tiers, policies, true), endpoint, "ingress");
}

/** `tier: policy state [effects] -> end` for each tier. */
function told({ tiers }: Verdict): string[] {
  return tiers.map(({ tier: { name }, policies, end }) => {
    const each = policies.map(({ policy, state, rules }) => `${policy.name} ${state} [${rules.map(({ effect }) => effect).join()}]`);
    return `${name}: ${each.join("; ")} -> ${end ?? "nothing"}`;
  });
}

describe("a policy is for a pod", () => {
  it.each([
    ["GlobalNetworkPolicy", "p", {}, "yes"],
    ["GlobalNetworkPolicy", "p", { selector: "app == 'web'" }, "yes"],
    ["GlobalNetworkPolicy", "p", { selector: "app == 'api'" }, "no"],
    ["GlobalNetworkPolicy", "p", { namespaceSelector: "team == 'a'" }, "yes"],
    ["GlobalNetworkPolicy", "p", { namespaceSelector: "team == 'b'" }, "no"],
    ["GlobalNetworkPolicy", "p", { namespaceSelector: "projectcalico.org/name == 'shop'" }, "yes"],
    ["GlobalNetworkPolicy", "p", { namespaceSelector: "kubernetes.io/metadata.name == 'shop'" }, "yes"],
    ["GlobalNetworkPolicy", "p", { namespaceSelector: "all()" }, "yes"],
    ["GlobalNetworkPolicy", "p", { selector: "projectcalico.org/namespace == 'shop' && projectcalico.org/orchestrator == 'k8s'" }, "yes"],
    ["GlobalNetworkPolicy", "p", { serviceAccountSelector: "role == 'front'" }, "yes"],
    ["GlobalNetworkPolicy", "p", { serviceAccountSelector: "projectcalico.org/name == 'other'" }, "no"],
    ["GlobalNetworkPolicy", "p", { selector: "pcns.team == 'a' && pcsa.role == 'front'" }, "yes"],
    ["GlobalNetworkPolicy", "p", { preDNAT: true, applyOnForward: true }, "no"],
    ["GlobalNetworkPolicy", "p", { doNotTrack: true, applyOnForward: true }, "no"],
    ["GlobalNetworkPolicy", "p", { selector: "app = 'web'" }, "unknown"],
    ["CalicoNetworkPolicy", "shop/p", {}, "yes"],
    ["CalicoNetworkPolicy", "bank/p", {}, "no"],
    ["NetworkPolicy", "shop/p", { podSelector: {} }, "yes"],
    ["NetworkPolicy", "shop/p", { podSelector: { matchLabels: { app: "api" } } }, "no"],
    ["NetworkPolicy", "bank/p", { podSelector: {} }, "no"],
    ["AdminNetworkPolicy", "p", { subject: { namespaces: {} } }, "yes"],
    ["AdminNetworkPolicy", "p", { subject: { namespaces: { matchLabels: { team: "b" } } } }, "no"],
    ["ClusterNetworkPolicy", "p", { subject: { pods: { namespaceSelector: { matchLabels: { team: "a" } }, podSelector: { matchLabels: { app: "web" } } } } }, "yes"],
    ["ClusterNetworkPolicy", "p", { subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: "api" } } } } }, "no"],
  ] as [string, string, object, string][])("%s %s %j: %s", (kind, name, spec, expected) => {
    expect(isFor(made(kind, name, spec), endpoint)).toBe(expected);
  });

  it("or not, which cannot be said while the labels that it asks for cannot be read", () => {
    const unread = endpointOf(WEB, { namespace: null, serviceAccount: null });
    expect(isFor(made("GlobalNetworkPolicy", "p", { namespaceSelector: "team == 'a'" }), unread)).toBe("unknown");
    expect(isFor(made("GlobalNetworkPolicy", "p", { namespaceSelector: "projectcalico.org/name == 'shop'" }), unread)).toBe("yes");
    expect(isFor(made("GlobalNetworkPolicy", "p", { selector: "app == 'api'", namespaceSelector: "team == 'a'" }), unread)).toBe("no");
    expect(isFor(made("AdminNetworkPolicy", "p", { subject: { namespaces: {} } }), unread)).toBe("yes");
  });

  it("never if the pod is in its host's network", () => {
    const host = endpointOf({ ...WEB, hostNetwork: true }, AROUND);
    expect(isFor(made("GlobalNetworkPolicy", "p"), host)).toBe("no");
  });

  it("by its service account's name alone if that is short enough for a label", () => {
    const long = endpointOf({ ...WEB, serviceAccount: "s".repeat(63) }, AROUND);
    expect(long.labels.has("projectcalico.org/serviceaccount")).toBe(false);
    expect(long.labels.get("pcsa.projectcalico.org/name")).toBe("s".repeat(63));
  });
});

describe("what becomes of a pod's traffic", () => {
  it("is that everything comes in where no policy is for it", () => {
    const result = ingress([made("NetworkPolicy", "bank/p", { podSelector: {} }), made("GlobalNetworkPolicy", "egress", { types: ["Egress"] })]);
    expect(result).toMatchObject({ action: "Allow", by: { what: "default" }, tiers: [] });
  });

  it("is that a NetworkPolicy lets in what it says and nothing else", () => {
    const result = ingress([made("NetworkPolicy", "shop/p", { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] })], []);
    expect(told(result)).toEqual(["default: p applies [some] -> Deny"]);
    expect(result).toMatchObject({ action: "Deny", by: { what: "tier" }, before: { allow: 1, deny: 0, pass: 0 } });
  });

  it("is the same without Calico, with admins' policies before and baseline ones after", () => {
    const policies = [
      made("ClusterNetworkPolicy", "deny-some", { tier: "Admin", priority: 1, subject: { namespaces: {} }, ingress: [{ action: "Deny", from: [{ namespaces: { matchLabels: { team: "x" } } }] }] }),
      made("ClusterNetworkPolicy", "deny-all", { tier: "Baseline", priority: 1, subject: { namespaces: {} }, ingress: [{ action: "Deny", from: [{ namespaces: {} }] }] }),
    ];
    const open = verdict(inOrder([], policies, false), endpoint, "ingress");
    expect(told(open)).toEqual(["kube-admin: deny-some applies [some] -> Pass", "kube-baseline: deny-all applies [some] -> Pass"]);
    expect(open).toMatchObject({ action: "Allow", by: { what: "default" }, before: { deny: 2 } });
    const closed = verdict(inOrder([], [...policies, made("NetworkPolicy", "shop/p", { podSelector: {} })], false), endpoint, "ingress");
    expect(told(closed)).toEqual(["kube-admin: deny-some applies [some] -> Pass", "default: p applies [] -> Deny", "kube-baseline: deny-all unreached [unreached] -> nothing"]);
    expect(closed.action).toBe("Deny");
  });

  it("is decided by the first rule that everything fits, and nothing comes to what is after it", () => {
    const result = ingress([
      made("GlobalNetworkPolicy", "first", { order: 1, ingress: [{ action: "Log" }, some, DENY_ALL, { action: "Allow" }] }),
      made("GlobalNetworkPolicy", "second", { order: 2, ingress: [{ action: "Allow" }] }),
    ]);
    expect(told(result)).toEqual(["default: first applies [logs,some,decides,unreached]; second unreached [unreached] -> nothing"]);
    expect(result).toMatchObject({ action: "Deny", by: { what: "rule", rule: 2 }, before: { allow: 1 } });
  });

  it("goes on in the next tier by a rule that passes, and the rest of the tier is left out", () => {
    const tiers = [tier("security", 10), tier("default", 1_000_000)];
    const result = ingress([
      made("GlobalNetworkPolicy", "security.pass", { tier: "security", order: 1, ingress: [some, PASS_ALL] }),
      made("GlobalNetworkPolicy", "security.deny", { tier: "security", order: 2, ingress: [DENY_ALL] }),
      made("GlobalNetworkPolicy", "allow", { ingress: [{ action: "Allow" }] }),
    ], tiers);
    expect(told(result)).toEqual(["security: security.pass applies [some,passes]; security.deny unreached [unreached] -> nothing", "default: allow applies [decides] -> nothing"]);
    expect(result).toMatchObject({ action: "Allow", by: { what: "rule", rule: 0 } });
  });

  it("ends with a tier that denies at its end, and goes on where it passes", () => {
    const security = made("GlobalNetworkPolicy", "security.some", { tier: "security", ingress: [some] });
    const allow = made("GlobalNetworkPolicy", "allow", { ingress: [{ action: "Allow" }] });
    const denied = ingress([security, allow], [tier("security", 10), tier("default", 1_000_000)]);
    expect(denied).toMatchObject({ action: "Deny", by: { what: "tier", tier: { name: "security" } } });
    expect(told(denied)).toEqual(["security: security.some applies [some] -> Deny", "default: allow unreached [unreached] -> nothing"]);
    expect(ingress([security, allow], [tier("security", 10, "Pass"), tier("default", 1_000_000)])).toMatchObject({ action: "Allow", by: { what: "rule" } });
  });

  it("is not changed by staged policies, nor by a tier in which all are", () => {
    const result = ingress([made("StagedGlobalNetworkPolicy", "security.staged", { tier: "security", ingress: [DENY_ALL] })], [tier("security", 10)]);
    expect(told(result)).toEqual(["security: security.staged staged [decides] -> nothing"]);
    expect(result).toMatchObject({ action: "Allow", by: { what: "default" } });
  });

  it("is not changed by policies in a tier that there is not", () => {
    expect(ingress([made("GlobalNetworkPolicy", "gone.deny", { tier: "gone", ingress: [DENY_ALL] })])).toMatchObject({ action: "Allow", tiers: [] });
  });

  it("is said to be uncertain where a policy may be for the pod", () => {
    const result = ingress([made("GlobalNetworkPolicy", "p", { selector: "app = 'web'", ingress: [DENY_ALL] })]);
    expect(result).toMatchObject({ action: "Allow", uncertain: true });
    expect(told(result)).toEqual(["default: p unknown [decides] -> nothing"]);
  });

  it("by a pass in the last tier is that it is allowed", () => {
    expect(ingress([made("GlobalNetworkPolicy", "p", { ingress: [PASS_ALL] })])).toMatchObject({ action: "Allow", by: { what: "default" } });
  });
});

describe("a verdict in words", () => {
  it("says what decides, and that there is more before it", () => {
    expect(verdictWords(ingress([]))).toBe("Everything is allowed: no policy is for this pod.");
    expect(verdictWords(ingress([made("GlobalNetworkPolicy", "deny", { ingress: [some, some, DENY_ALL] })]))).toBe(
      "Everything is denied by rule 3 of deny, but for what rules before it catch: 2 allow.",
    );
    expect(verdictWords(ingress([made("NetworkPolicy", "shop/p", { podSelector: {} })]))).toBe("Everything is denied at the end of the tier default.");
    expect(verdictWords(ingress([made("GlobalNetworkPolicy", "pass", { ingress: [PASS_ALL] })]))).toBe("Everything is allowed by default.");
    expect(verdictWords(ingress([made("GlobalNetworkPolicy", "odd", { selector: "!" })]))).toContain("cannot be said");
  });
});
