// What a terminal's session asks of the gateway and of the cluster.

import { csrfToken, rest, send, take, type Shapes } from "../../api/client.ts";
import { kube, kubeUrl } from "../../api/kube.ts";
import type { Target, World } from "./session.ts";

export function worldOf(of: Target, who: Shapes["SignedIn"]): World {
  const { cluster, namespace, pod } = of;
  return {
    async may() {
      const body = { user: who.user, groups: who.groups, cluster, verb: "create", resource: "pods/exec", namespace, name: pod };
      const { allowed, recorded, why } = await take(rest.POST("/trunkline/v1/access/test", { body }));
      return { allowed, recorded: recorded ?? false, why };
    },
    async mayThere() {
      const spec = { resourceAttributes: { verb: "create", resource: "pods", subresource: "exec", namespace, name: pod } };
      const body = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec };
      const { status } = await kube<{ status?: { allowed?: boolean; reason?: string } }>(cluster, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { method: "POST", body });
      return { allowed: status?.allowed ?? false, why: status?.reason ?? "" };
    },
    async ticket(path) {
      const address = `/trunkline/v1/clusters/${encodeURIComponent(cluster)}/tickets`;
      const answer = await send(address, { method: "POST", headers: { "content-type": "application/json", "x-trunkline-csrf": csrfToken() }, body: JSON.stringify({ path }) });
      return ((await answer.json()) as { ticket: string }).ticket;
    },
    dial: (path, protocols) => new WebSocket(`${location.origin.replace(/^http/, "ws")}${kubeUrl(cluster, path)}`, protocols),
  };
}
