// How a workload stands: what it wants, what it has, and why that is not the same. Pure.

import type { KubeObject } from "../../api/kube.ts";
import type { Condition, Standing } from "./pod.ts";

export interface WorkloadStanding extends Standing {
  /** `2/3`; empty where that says nothing. */
  ready: string;
}

interface Numbers {
  replicas?: number;
  readyReplicas?: number;
  updatedReplicas?: number;
  availableReplicas?: number;
  observedGeneration?: number;
  desiredNumberScheduled?: number;
  numberReady?: number;
  updatedNumberScheduled?: number;
  numberMisscheduled?: number;
  active?: number | unknown[];
  succeeded?: number;
  failed?: number;
  conditions?: Condition[];
  lastScheduleTime?: string;
  lastSuccessfulTime?: string;
}

interface Wants {
  replicas?: number;
  completions?: number;
  suspend?: boolean;
  paused?: boolean;
  schedule?: string;
}

/** How the object of a workload's kind stands. */
export function standingOf(kind: string, object: KubeObject): WorkloadStanding {
  const spec = (object["spec"] ?? {}) as Wants;
  const status = (object["status"] ?? {}) as Numbers;
  if (object.metadata.deletionTimestamp !== undefined) return { word: "Terminating", health: "busy", why: "", ready: "" };
  if (kind === "Job") return job(spec, status);
  if (kind === "CronJob") return cronJob(spec, status);
  const found = kind === "DaemonSet" ? daemons(status) : replicas(kind, spec, status);
  const unseen = (object.metadata.generation ?? 0) > (status.observedGeneration ?? 0) && status.observedGeneration !== undefined;
  return unseen && found.health === "good" ? { ...found, word: "Updating", health: "busy", why: "the change was not taken up yet" } : found;
}

function replicas(kind: string, spec: Wants, status: Numbers): WorkloadStanding {
  const wanted = spec.replicas ?? 1;
  const has = status.readyReplicas ?? 0;
  const updated = status.updatedReplicas ?? (kind === "ReplicaSet" ? wanted : 0);
  const ready = `${has}/${wanted}`;
  const failure = is(status, "ReplicaFailure", "True");
  if (failure !== undefined) return { word: failure.reason ?? "Failing", health: "bad", why: said(failure), ready };
  const stuck = is(status, "Progressing", "False");
  if (stuck !== undefined) return { word: stuck.reason ?? "Stuck", health: "bad", why: said(stuck), ready };
  if (wanted === 0) return { word: "Scaled to 0", health: "plain", why: has > 0 ? `${has} still run` : "", ready };
  if (updated < wanted && !(kind === "StatefulSet" && has === wanted)) {
    return { word: "Rolling out", health: "busy", why: `${updated} of ${wanted} are of the newest version, ${has} ready`, ready };
  }
  const away = is(status, "Available", "False");
  if (has < wanted) {
    const why = `${wanted - has} of ${wanted} not ready${away === undefined ? "" : `; ${said(away)}`}`;
    return { word: has === 0 ? "Down" : "Degraded", health: "bad", why, ready };
  }
  if (spec.paused === true) return { word: "Paused", health: "plain", why: "changes are not rolled out", ready };
  return { word: "Ready", health: "good", why: "", ready };
}

function daemons(status: Numbers): WorkloadStanding {
  const wanted = status.desiredNumberScheduled ?? 0;
  const has = status.numberReady ?? 0;
  const ready = `${has}/${wanted}`;
  const updated = status.updatedNumberScheduled ?? wanted;
  if (wanted === 0) return { word: "No nodes", health: "plain", why: "no node fits it", ready };
  if (updated < wanted) return { word: "Rolling out", health: "busy", why: `${updated} of ${wanted} nodes have the newest version, ${has} ready`, ready };
  if (has < wanted) return { word: has === 0 ? "Down" : "Degraded", health: "bad", why: `not ready on ${wanted - has} of ${wanted} nodes`, ready };
  const strays = status.numberMisscheduled ?? 0;
  return { word: "Ready", health: "good", why: strays > 0 ? `runs on ${strays} nodes where it should not` : "", ready };
}

function job(spec: Wants, status: Numbers): WorkloadStanding {
  const ready = `${status.succeeded ?? 0}/${spec.completions ?? 1}`;
  const failed = is(status, "Failed", "True");
  if (failed !== undefined) return { word: failed.reason ?? "Failed", health: "bad", why: said(failed), ready };
  if (is(status, "Complete", "True") !== undefined) return { word: "Complete", health: "good", why: "", ready };
  if (spec.suspend === true) return { word: "Suspended", health: "plain", why: "", ready };
  const tries = status.failed ?? 0;
  const why = tries > 0 ? `${tries} ${tries === 1 ? "try" : "tries"} failed so far` : "";
  return { word: "Running", health: tries > 0 ? "bad" : "busy", why, ready };
}

function cronJob(spec: Wants, status: Numbers): WorkloadStanding {
  const active = Array.isArray(status.active) ? status.active.length : 0;
  if (spec.suspend === true) return { word: "Suspended", health: "plain", why: "", ready: "" };
  if (active > 0) return { word: "Running", health: "busy", why: `${active} under way`, ready: "" };
  const failed = status.lastScheduleTime !== undefined && (status.lastSuccessfulTime ?? "") < status.lastScheduleTime;
  if (failed) return { word: "Last run failed", health: "bad", why: "the newest run has not succeeded", ready: "" };
  return { word: status.lastScheduleTime === undefined ? "Not run yet" : "Scheduled", health: "good", why: spec.schedule ?? "", ready: "" };
}

function is(status: Numbers, type: string, value: string): Condition | undefined {
  return status.conditions?.find((one) => one.type === type && one.status === value);
}

function said({ message, reason, type }: Condition): string {
  return message || reason || type;
}
