/** Who may talk to whom: Kubernetes' own kinds, the network policy API's, and Calico's in both of its groups. */
import { at, text } from "../object.ts";
import { column, field, resource, type Resource } from "../resource.ts";

export const INGRESSES = resource("Ingress", "networking.k8s.io/v1", {
  plural: "ingresses",
  short: ["ing"],
  subresources: ["status"],
  columns: [
    field("Class", "spec", "ingressClassName"),
    column("Hosts", (ingress) => text(at(ingress, "spec", "rules", 0, "host")) || "*"),
    column("Address", (ingress) => text(at(ingress, "status", "loadBalancer", "ingress", 0, "ip"))),
    column("Ports", () => "80, 443"),
  ],
});

export const NETWORK_POLICIES = resource("NetworkPolicy", "networking.k8s.io/v1", {
  plural: "networkpolicies",
  short: ["netpol"],
  columns: [
    column("Pod-Selector", (policy) =>
      Object.entries(at(policy, "spec", "podSelector", "matchLabels") ?? {}).map((pair) => pair.join("=")).join(",") || "<none>",
    ),
  ],
});

const priority = field("Priority", "spec", "priority");

export const ADMIN_POLICIES = resource("AdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1", {
  plural: "adminnetworkpolicies",
  namespaced: false,
  short: ["anp"],
  subresources: ["status"],
  columns: [priority],
});

export const BASELINE_POLICIES = resource("BaselineAdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1", {
  plural: "baselineadminnetworkpolicies",
  namespaced: false,
  short: ["banp"],
  subresources: ["status"],
});

export const CLUSTER_POLICIES = resource("ClusterNetworkPolicy", "policy.networking.k8s.io/v1alpha2", {
  plural: "clusternetworkpolicies",
  namespaced: false,
  short: ["cnp"],
  subresources: ["status"],
  columns: [field("Tier", "spec", "tier"), priority],
});

/** Calico's kinds: served by its API server as `projectcalico.org/v3`, and as custom resources where that one is not installed. */
function calico(group: "projectcalico.org/v3" | "crd.projectcalico.org/v1"): Record<"tiers" | "global" | "namespaced" | "staged", Resource> {
  const ordered = { columns: [field("Tier", "spec", "tier"), field("Order", "spec", "order")] };
  return {
    tiers: resource("Tier", group, { namespaced: false, columns: [field("Order", "spec", "order"), field("DefaultAction", "spec", "defaultAction")] }),
    global: resource("GlobalNetworkPolicy", group, { ...ordered, plural: "globalnetworkpolicies", namespaced: false, short: ["gnp"] }),
    namespaced: resource("NetworkPolicy", group, { ...ordered, plural: "networkpolicies", short: ["cnp"] }),
    staged: resource("StagedNetworkPolicy", group, { ...ordered, plural: "stagednetworkpolicies", short: ["snp"] }),
  };
}

export const CALICO = calico("projectcalico.org/v3");
export const CALICO_CRD = calico("crd.projectcalico.org/v1");
