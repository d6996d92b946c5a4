// Whether anything in a cluster is seen that enforces policies. What is not seen may be there nevertheless (k3s has kube-router
// within), so this is a warning and no more.

import type { KubeObject } from "../api/kube.ts";
import { fields, list, text } from "./read.ts";

/** Names of daemon sets, or of their images, and whose they are. */
const ENFORCERS: [RegExp, string][] = [
  [/^(calico-node|canal)$|\/(calico-)?node:.*calico|calico\/node/, "Calico"],
  [/^(cilium|anetd)$|cilium\/cilium/, "Cilium"],
  [/^kube-router$|kube-router/, "kube-router"],
  [/^antrea-agent$|antrea\/antrea/, "Antrea"],
  [/^weave-net$|weave-kube/, "Weave Net"],
  [/^ovnkube-node|ovn-kubernetes/, "OVN-Kubernetes"],
  [/^kube-ovn-cni$|kube-ovn/, "Kube-OVN"],
  [/^kube-network-policies|kube-network-policies/, "kube-network-policies"],
  [/^azure-npm$/, "Azure Network Policy Manager"],
  [/network-policy-agent/, "Amazon VPC CNI"],
];

/** Who enforces policies, as far as daemon sets tell. */
export function enforcers(daemonSets: KubeObject[]): string[] {
  const found = new Set<string>();
  for (const { metadata, ...rest } of daemonSets) {
    const template = fields(fields(fields(rest["spec"])["template"])["spec"]);
    const images = list(template["containers"]).map((container) => text(fields(container)["image"]));
    for (const [pattern, name] of ENFORCERS) if ([metadata.name, ...images].some((one) => pattern.test(one))) found.add(name);
  }
  return [...found];
}
