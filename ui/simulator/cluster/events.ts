/** What happened in a cluster, told by its events. */
import { EVENTS } from "../kubernetes/kinds/core.ts";
import { PODS, statusOf } from "../kubernetes/kinds/pods.ts";
import type { KubeObject } from "../kubernetes/object.ts";
import { ago, put, type Seeding } from "./seeding.ts";

const WARNINGS: Record<string, [string, string]> = {
  CrashLoopBackOff: ["BackOff", "Back-off restarting failed container in pod"],
  ImagePullBackOff: ["Failed", "Failed to pull image: unexpected status from HEAD request: 401 Unauthorized"],
  OOMKilled: ["OOMKilling", "Memory cgroup out of memory: Killed process 4711"],
  Pending: ["FailedScheduling", "0/12 nodes are available: 12 Insufficient memory."],
};

export function seedEvents(seeding: Seeding): void {
  const { random } = seeding;
  const pods = seeding.store.of(PODS);
  for (const key of pods.keys().slice(0, 400)) {
    const pod = pods.objects.get(key);
    if (pod === undefined) continue;
    const warning = WARNINGS[statusOf(pod)];
    if (warning) event(seeding, pod, "Warning", warning[0], warning[1], random.whole(3, 90), random.whole(5, 1800));
    else if (random.chance(0.2)) event(seeding, pod, "Normal", "Started", "Started container", 1, random.whole(60, 3500));
  }
}

export function event(seeding: Seeding, about: KubeObject, type: string, reason: string, message: string, count: number, seconds: number): void {
  const { name, namespace, uid } = about.metadata;
  put(seeding, EVENTS, { name: `${name}.${seeding.random.hex(16)}`, namespace: namespace ?? "default", creationTimestamp: ago(seeding, seconds + 60) }, {
    involvedObject: { apiVersion: about.apiVersion, kind: about.kind, name, namespace, uid },
    type, reason, message, count, source: { component: "kubelet" },
    firstTimestamp: ago(seeding, seconds + 60), lastTimestamp: ago(seeding, seconds), reportingComponent: "kubelet", reportingInstance: seeding.nodes[0] ?? "",
  });
}
