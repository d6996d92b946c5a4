/** Who may talk to whom in a cluster: tiers in their order, with policies of every kind. */
import { ADMIN_POLICIES, BASELINE_POLICIES, CALICO, CALICO_CRD, CLUSTER_POLICIES, NETWORK_POLICIES } from "../kubernetes/kinds/policies.ts";
import type { Resource } from "../kubernetes/resource.ts";
import { put, type Seeding } from "./seeding.ts";

export function seedPlainPolicies(seeding: Seeding): void {
  for (const namespace of ["shop", "payments"]) {
    put(seeding, NETWORK_POLICIES, { name: "default-deny", namespace }, { spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] } });
  }
  put(seeding, NETWORK_POLICIES, { name: "web-from-ingress", namespace: "shop" }, {
    spec: {
      podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Ingress"],
      ingress: [{ from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ingress-nginx" } } }], ports: [{ protocol: "TCP", port: 8080 }] }],
    },
  });
  put(seeding, NETWORK_POLICIES, { name: "cart-from-web", namespace: "shop" }, {
    spec: {
      podSelector: { matchLabels: { app: "cart" } }, policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: [{ podSelector: { matchLabels: { app: "web" } } }] }],
      egress: [{ to: [{ podSelector: { matchLabels: { app: "database" } } }, { ipBlock: { cidr: "198.51.100.0/24", except: ["198.51.100.7/32"] } }] }],
    },
  });
}

export function seedAdminPolicies(seeding: Seeding): void {
  const everywhere = { namespaces: {} };
  put(seeding, ADMIN_POLICIES, { name: "no-metadata-service" }, { spec: { priority: 10, subject: everywhere, egress: [{ name: "no-metadata", action: "Deny", to: [{ networks: ["169.254.169.254/32"] }] }] } });
  put(seeding, ADMIN_POLICIES, { name: "monitoring-may-scrape" }, { spec: { priority: 20, subject: everywhere, ingress: [{ name: "scrape", action: "Allow", from: [{ namespaces: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } }] }] } });
  put(seeding, BASELINE_POLICIES, { name: "default" }, { spec: { subject: everywhere, ingress: [{ name: "deny-by-default", action: "Deny", from: [everywhere] }] } });
  put(seeding, CLUSTER_POLICIES, { name: "isolate-payments" }, {
    spec: {
      tier: "Admin", priority: 30, subject: { namespaces: { matchLabels: { "kubernetes.io/metadata.name": "payments" } } },
      ingress: [{ name: "from-shop", action: "Accept", from: [{ namespaces: { matchLabels: { "kubernetes.io/metadata.name": "shop" } } }] }, { name: "else", action: "Deny", from: [everywhere] }],
    },
  });
  put(seeding, CLUSTER_POLICIES, { name: "baseline" }, { spec: { tier: "Baseline", priority: 100, subject: everywhere, egress: [{ name: "dns", action: "Accept", to: [everywhere] }] } });
}

const TIERS: readonly [string, number | undefined, string][] = [
  ["security", 100, "Deny"], ["platform", 200, "Pass"], ["kube-admin", 1_000, "Pass"], ["default", 1_000_000, "Deny"], ["kube-baseline", 10_000_000, "Pass"],
];

/** As Calico's API server shows them, and as the custom resources that they are kept as. */
export function seedCalico(seeding: Seeding, server: boolean): void {
  const groups = server ? [CALICO, CALICO_CRD] : [CALICO_CRD];
  for (const kinds of groups) {
    for (const [name, order, defaultAction] of TIERS) put(seeding, kinds.tiers, { name }, { spec: { order, defaultAction } });
    policy(seeding, kinds.global, "security.quarantine", undefined, "security", 10, "quarantine == 'true'", [{ action: "Deny" }], [{ action: "Deny" }]);
    policy(seeding, kinds.global, "security.block-known-bad", undefined, "security", 20, "all()", [{ action: "Pass" }], [{ action: "Deny", destination: { nets: ["203.0.113.128/25"] } }, { action: "Pass" }]);
    policy(seeding, kinds.global, "platform.allow-dns", undefined, "platform", 100, "all()", [], [{ action: "Allow", protocol: "UDP", destination: { selector: "k8s-app == 'kube-dns'", ports: [53] } }]);
    policy(seeding, kinds.namespaced, "platform.gateway-from-shop", "payments", "platform", 200, "app == 'gateway'", [{ action: "Allow", protocol: "TCP", source: { namespaceSelector: "kubernetes.io/metadata.name == 'shop'" }, destination: { ports: [8080] } }], []);
    policy(seeding, kinds.namespaced, "default.web", "shop", "default", 500, "app == 'web'", [{ action: "Allow", protocol: "TCP", destination: { ports: [8080] } }], [{ action: "Allow" }]);
    policy(seeding, kinds.namespaced, "default.ledger-log", "payments", "default", undefined, "app == 'ledger'", [{ action: "Log" }, { action: "Deny" }], []);
    policy(seeding, kinds.staged, "default.cart-next", "shop", "default", 510, "app == 'cart'", [{ action: "Allow", source: { selector: "app == 'web'" } }], [], { stagedAction: "Set" });
  }
}

function policy(
  seeding: Seeding, kind: Resource, name: string, namespace: string | undefined, tier: string, order: number | undefined,
  selector: string, ingress: unknown[], egress: unknown[], rest: object = {},
): void {
  const types = [...(ingress.length > 0 ? ["Ingress"] : []), ...(egress.length > 0 ? ["Egress"] : [])];
  put(seeding, kind, { name, ...(namespace === undefined ? {} : { namespace }), labels: { "projectcalico.org/tier": tier } }, {
    spec: { tier, ...(order === undefined ? {} : { order }), selector, types, ...(ingress.length > 0 ? { ingress } : {}), ...(egress.length > 0 ? { egress } : {}), ...rest },
  });
}
