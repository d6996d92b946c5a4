// The state of any object in a word: of pods and workloads as their pages tell it, of others by their conditions or their phase.

import type { KubeObject } from "../../api/kube.ts";
import { healthOf } from "../list/rows.ts";
import { podStanding, type Condition, type Standing } from "../workloads/pod.ts";
import { standingOf } from "../workloads/standing.ts";

const WORKLOAD_KINDS = new Set(["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"]);

export function standing(kind: string, object: KubeObject): Standing | null {
  if (kind === "Pod") return podStanding(object);
  if (WORKLOAD_KINDS.has(kind)) return standingOf(kind, object);
  if (object.metadata.deletionTimestamp !== undefined) return { word: "Terminating", health: "busy", why: "" };
  const status = (object["status"] ?? {}) as { phase?: unknown; conditions?: unknown };
  if (kind === "Node" && (object["spec"] as { unschedulable?: boolean } | undefined)?.unschedulable === true) {
    return { word: "Cordoned", health: "busy", why: "no new pods are put on it" };
  }
  const ready = conditionsOf(object).find(({ type }) => type === "Ready");
  if (ready !== undefined) {
    const good = ready.status === "True";
    return { word: good ? "Ready" : "Not ready", health: good ? "good" : "bad", why: good ? "" : (ready.message ?? ready.reason ?? "") };
  }
  return typeof status.phase === "string" ? { word: status.phase, health: healthOf(status.phase), why: "" } : null;
}

/** The conditions of an object, where they are what conditions are. */
export function conditionsOf(object: KubeObject): Condition[] {
  const found = (object["status"] as { conditions?: unknown } | undefined)?.conditions;
  if (!Array.isArray(found)) return [];
  return found.filter((one): one is Condition => typeof one === "object" && one !== null && typeof (one as Condition).type === "string" && typeof (one as Condition).status === "string");
}
