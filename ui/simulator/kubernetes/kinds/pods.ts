/** Pods, and the words kubectl finds for how they are. */
import { age, at, list, text, type KubeObject } from "../object.ts";
import { column, field, resource, wide } from "../resource.ts";

/** As kubectl's STATUS column has it (pkg/printers/internalversion: printPod). */
export function statusOf(pod: KubeObject): string {
  let reason = text(at(pod, "status", "reason")) || text(at(pod, "status", "phase"));
  for (const container of list(at(pod, "status", "containerStatuses"))) {
    const waiting = text(at(container, "state", "waiting", "reason"));
    const ended = text(at(container, "state", "terminated", "reason"));
    if (waiting !== "") reason = waiting;
    else if (ended !== "") reason = ended;
  }
  return pod.metadata.deletionTimestamp === undefined ? reason : "Terminating";
}

function ready(pod: KubeObject): string {
  const statuses = list(at(pod, "status", "containerStatuses"));
  const up = statuses.filter((status) => at(status, "ready") === true).length;
  return `${up}/${list(at(pod, "spec", "containers")).length}`;
}

function restarts(pod: KubeObject): string {
  const statuses = list(at(pod, "status", "containerStatuses"));
  const count = statuses.reduce<number>((sum, status) => sum + Number(at(status, "restartCount") ?? 0), 0);
  const last = statuses.map((status) => text(at(status, "lastState", "terminated", "finishedAt"))).find((when) => when !== "");
  return count > 0 && last !== undefined ? `${count} (${age(last)} ago)` : String(count);
}

export const PODS = resource("Pod", "v1", {
  short: ["po"],
  categories: ["all"],
  subresources: ["log", "exec", "attach", "portforward", "eviction", "status"],
  columns: [
    column("Ready", ready, { description: "The aggregate readiness state of this pod for accepting traffic." }),
    column("Status", statusOf, { description: "The aggregate status of the containers in this pod." }),
    column("Restarts", restarts, { description: "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted." }),
    wide(field("IP", "status", "podIP")),
    wide(field("Node", "spec", "nodeName")),
    wide(column("Nominated Node", () => "<none>")),
    wide(column("Readiness Gates", () => "<none>")),
  ],
});
