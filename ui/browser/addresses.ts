/** The addresses of the Manager: reference/manager-ui.md §4, each once. */

/** Of the fleet. */
export const FLEET = ["/", "/clusters", "/clusters/new", "/logs", "/sessions", "/audit", "/access", "/settings", "/profile"];

/** Of a cluster, after `/c/<cluster>`. */
export const CLUSTER = [
  "",
  "/core/v1/pods",
  "/core/v1/pods?ns=shop",
  "/apps/v1/deployments",
  "/core/v1/services",
  "/core/v1/configmaps",
  "/core/v1/secrets",
  "/core/v1/persistentvolumeclaims",
  "/core/v1/nodes",
  "/core/v1/events",
  "/brew.example.com/v1beta2/teapotses",
  "/policies?view=board",
  "/policies?view=list",
  "/policies?view=pod",
];

/** Clusters in each state, and what their pages say. */
export const STATES: Record<string, RegExp> = {
  "prod-us": /production: prod-us/, "edge-berlin": /API server/, "edge-lagos": /not connected/, lab: /locked/, "branch-42": /not connected/, twin: /pods/i,
  "no-such-cluster": /There is no such cluster/,
};

export function inCluster(cluster: string): string[] {
  return CLUSTER.map((rest) => `/c/${cluster}${rest}`);
}
