import { describe, expect, it } from "vitest";
import { actionSummary } from "./policy.ts";
import { made } from "./testing.ts";
import { adminRule, calicoRule, kubernetesRule } from "./rules.ts";

describe("directions", () => {
  it.each([
    ["CalicoNetworkPolicy", { types: ["Egress"] }, ["egress"]],
    ["CalicoNetworkPolicy", { types: ["egress", "INGRESS"] }, ["ingress", "egress"]],
    ["GlobalNetworkPolicy", { ingress: [{ action: "Allow" }] }, ["ingress", "egress"]],
    ["NetworkPolicy", { podSelector: {} }, ["ingress"]],
    ["NetworkPolicy", { egress: [{}] }, ["ingress", "egress"]],
    ["NetworkPolicy", { policyTypes: ["Egress"], ingress: [{}] }, ["egress"]],
    ["AdminNetworkPolicy", { ingress: [{ action: "Allow" }] }, ["ingress"]],
    ["ClusterNetworkPolicy", {}, []],
    ["StagedKubernetesNetworkPolicy", { podSelector: {} }, ["ingress"]],
  ] as [string, object, string[]][])("of %s %j are %j", (kind, spec, expected) => {
    expect(made(kind, "shop/p", spec).directions).toEqual(expected);
  });
});

describe("rules in words", () => {
  it("of Calico name the other end, what is let through, and what else must be so", () => {
    const rule = {
      action: "Allow", protocol: "TCP",
      source: { selector: "app == 'web'", namespaceSelector: "env == 'prod'", ports: ["1024:65535"] },
      destination: { ports: [80, "8000:8080"], nets: ["10.0.0.0/8"] },
    };
    expect(calicoRule(rule, "ingress")).toMatchObject({
      action: "Allow", who: "endpoints app == 'web' in namespaces env == 'prod'", what: "TCP 80, 8000:8080",
      further: "from ports 1024:65535; where this end is 10.0.0.0/8", everything: false,
    });
    expect(calicoRule(rule, "egress")).toMatchObject({ who: "10.0.0.0/8", what: "TCP 80, 8000:8080" });
  });

  it("of Kubernetes say what kubectl describe says", () => {
    const rule = {
      from: [{ podSelector: { matchLabels: { app: "web" } } }, { namespaceSelector: {} }, { ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }],
      ports: [{ port: 80 }, { port: 32000, endPort: 32768, protocol: "UDP" }, { protocol: "SCTP" }],
    };
    expect(kubernetesRule(rule, "ingress")).toMatchObject({
      who: "pods app=web in this namespace or all pods in any namespace or 10.0.0.0/8 except 10.1.0.0/16",
      what: "TCP 80, UDP 32000-32768, SCTP",
    });
  });

  it("of admins name ports of both versions", () => {
    const from = [{ namespaces: { matchLabels: { team: "a" } } }, { pods: { namespaceSelector: {}, podSelector: {} } }];
    const older = { action: "Pass", name: "pass-a", from, ports: [{ portNumber: { protocol: "UDP", port: 53 } }, { portRange: { start: 1, end: 9 } }, { namedPort: "web" }] };
    expect(adminRule(older, "ingress")).toMatchObject({ action: "Pass", name: "pass-a", who: "pods in namespaces team=a or all pods in any namespace", what: "UDP 53, TCP 1-9, port web" });
    const newer = { action: "Accept", to: [{ networks: ["0.0.0.0/0", "::/0"] }], protocols: [{ tcp: { destinationPort: { number: 443 } } }, { udp: { destinationPort: { range: { start: 1, end: 9 } } } }] };
    expect(adminRule(newer, "egress")).toMatchObject({ action: "Allow", who: "0.0.0.0/0, ::/0", what: "TCP 443, UDP 1-9", everything: false });
  });
});

describe("that everything fits a rule", () => {
  it.each([
    [{ action: "Deny" }, true],
    [{ action: "Deny", source: {}, destination: { nets: [] } }, true],
    [{ action: "Deny", metadata: { annotations: { note: "x" } } }, true],
    [{ action: "Deny", source: { nets: ["0.0.0.0/0", "::/0"] } }, true],
    [{ action: "Deny", source: { nets: ["0.0.0.0/0"] } }, false],
    [{ action: "Deny", protocol: "TCP" }, false],
    [{ action: "Deny", notProtocol: "TCP" }, false],
    [{ action: "Deny", ipVersion: 4 }, false],
    [{ action: "Deny", source: { selector: "all()" } }, false],
    [{ action: "Deny", destination: { notPorts: [80] } }, false],
    [{ action: "Deny", somethingNew: { of: "tomorrow" } }, false],
    [{ action: "Deny", source: { somethingNew: true } }, false],
  ] as [object, boolean][])("is said of %j: %s", (rule, expected) => {
    expect(calicoRule(rule, "ingress")?.everything).toBe(expected);
  });

  it("is said of a NetworkPolicy's rule without peers and ports, and of an admin's for all networks", () => {
    expect(kubernetesRule({}, "ingress").everything).toBe(true);
    expect(kubernetesRule({ from: [], ports: [] }, "ingress").everything).toBe(true);
    expect(kubernetesRule({ ports: [{ port: 80 }] }, "ingress").everything).toBe(false);
    expect(kubernetesRule({ from: [{ podSelector: {} }] }, "ingress").everything).toBe(false);
    expect(adminRule({ action: "Deny", to: [{ networks: ["0.0.0.0/0", "::/0"] }] }, "egress")?.everything).toBe(true);
    expect(adminRule({ action: "Deny", from: [{ namespaces: {} }] }, "ingress")?.everything).toBe(false);
  });
});

describe("a policy", () => {
  it("tells whom it is for", () => {
    expect(made("GlobalNetworkPolicy", "p", { selector: "all()", namespaceSelector: "env == 'prod'" }).subject).toMatchObject({ pods: "", namespaces: "env == 'prod'" });
    expect(made("NetworkPolicy", "shop/p", { podSelector: { matchLabels: { app: "web" } } }).subject).toMatchObject({ pods: "app=web", namespaces: "shop" });
    expect(made("CalicoNetworkPolicy", "shop/p", { selector: "a == 'b'", serviceAccountSelector: "c == 'd'" }).subject.pods).toBe("a == 'b'; service accounts c == 'd'");
  });

  it("whose selector cannot be read says so", () => {
    const { subject } = made("GlobalNetworkPolicy", "p", { selector: "app = 'web'" });
    expect(subject.pods).toBe("app = 'web'");
    expect(subject.unreadable).toContain("cannot be read");
    expect(made("AdminNetworkPolicy", "p", {}).subject.unreadable).toContain("neither namespaces nor pods");
  });

  it("is read whatever stands in it", () => {
    const junk = [null, 7, "text", [], [[]], { a: null }, [{ action: 7 }, null, "x"]];
    for (const kind of ["GlobalNetworkPolicy", "NetworkPolicy", "AdminNetworkPolicy", "ClusterNetworkPolicy", "StagedKubernetesNetworkPolicy"]) {
      for (const value of junk) {
        expect(() => made(kind, "n/p", value as object)).not.toThrow();
        const spec = { selector: value, podSelector: value, subject: value, ingress: value, egress: value, types: value, order: value, priority: value, tier: value };
        expect(() => made(kind, "n/p", spec)).not.toThrow();
      }
    }
  });

  it("sums its rules up", () => {
    expect(actionSummary(made("GlobalNetworkPolicy", "p", { ingress: [{ action: "Allow" }, { action: "Deny" }, { action: "Allow" }] }).rules.ingress)).toBe("2 allow, 1 deny");
  });
});
