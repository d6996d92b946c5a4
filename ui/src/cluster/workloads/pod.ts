// What a pod's state is, in the word kubectl prints and in a sentence that says why. Pure.

import type { KubeObject } from "../../api/kube.ts";
import type { Health } from "../list/rows.ts";

interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt?: string };
  terminated?: { reason?: string; message?: string; exitCode?: number; signal?: number; finishedAt?: string };
}

export interface ContainerStatus {
  name: string;
  ready?: boolean;
  restartCount?: number;
  image?: string;
  state?: ContainerState;
  lastState?: ContainerState;
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export interface Pod extends KubeObject {
  spec?: {
    nodeName?: string;
    containers?: { name: string; image?: string }[];
    initContainers?: { name: string; image?: string; restartPolicy?: string }[];
  };
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    podIP?: string;
    qosClass?: string;
    conditions?: Condition[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
}

export interface Standing {
  /** `CrashLoopBackOff` */
  word: string;
  health: Health;
  /** Why, for people; empty when there is nothing to say. */
  why: string;
}

const FINE = new Set(["Running", "Succeeded", "Completed"]);
const ON_THE_WAY = new Set(["Pending", "ContainerCreating", "PodInitializing", "Terminating", "SchedulingGated"]);

/** The word and the reason of a pod. */
export function podStanding(pod: Pod): Standing {
  const status = pod.status ?? {};
  const found = troubled(pod) ?? { word: status.reason ?? status.phase ?? "Unknown", why: status.message ?? "" };
  if (pod.metadata.deletionTimestamp !== undefined) {
    const lost = status.reason === "NodeLost";
    return { word: lost ? "Unknown" : "Terminating", health: lost ? "bad" : "busy", why: lost ? "its node is lost" : "" };
  }
  if (found.word === "Running") {
    const unready = condition(pod, "Ready");
    if (unready?.status === "False") return { word: "Running", health: "busy", why: `not ready: ${unready.message ?? unready.reason ?? ""}` };
  }
  if (found.word === "Pending") {
    const scheduled = condition(pod, "PodScheduled");
    if (scheduled?.status === "False") {
      const word = scheduled.reason ?? "Pending";
      return { word, health: word === "SchedulingGated" ? "busy" : "bad", why: scheduled.message ?? "" };
    }
  }
  const health = FINE.has(found.word) ? "good" : ON_THE_WAY.has(found.word) || /^Init:\d/.test(found.word) ? "busy" : "bad";
  return { ...found, health };
}

/** The container that holds it up, if one does: the first of the init containers, or else the last that is not well. */
function troubled(pod: Pod): { word: string; why: string } | null {
  const inits = pod.status?.initContainerStatuses ?? [];
  const sidecars = new Set((pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always").map(({ name }) => name));
  for (const [at, one] of inits.entries()) {
    const ended = one.state?.terminated;
    if (ended?.exitCode === 0 || (sidecars.has(one.name) && one.state?.running !== undefined)) continue;
    if (ended !== undefined) return { word: `Init:${ended.reason || exited(ended)}`, why: `init container ${one.name}: ${ending(ended)}` };
    const waiting = one.state?.waiting;
    if (waiting?.reason !== undefined && waiting.reason !== "PodInitializing") {
      return { word: `Init:${waiting.reason}`, why: `init container ${one.name}: ${waited(waiting, one)}` };
    }
    return { word: `Init:${at}/${inits.length}`, why: `init container ${one.name} runs` };
  }
  const all = pod.status?.containerStatuses ?? [];
  // Of one container everybody knows which it is.
  const of = (name: string) => (all.length > 1 ? `${name}: ` : "");
  let found: { word: string; why: string } | null = null;
  let runs = false;
  for (const one of [...all].reverse()) {
    const { waiting, terminated, running } = one.state ?? {};
    if (waiting?.reason !== undefined) found = { word: waiting.reason, why: `${of(one.name)}${waited(waiting, one)}` };
    else if (terminated !== undefined) found = { word: terminated.reason || exited(terminated), why: terminated.exitCode === 0 ? "" : `${of(one.name)}${ending(terminated)}` };
    else if (running !== undefined && one.ready === true) runs = true;
  }
  // Some have ended well and others run: it runs.
  return found?.word === "Completed" && runs ? { word: "Running", why: "" } : found;
}

function exited({ signal, exitCode }: { signal?: number; exitCode?: number }): string {
  return signal === undefined || signal === 0 ? `ExitCode:${exitCode ?? "?"}` : `Signal:${signal}`;
}

function waited(waiting: { reason?: string; message?: string }, of: ContainerStatus): string {
  const last = of.lastState?.terminated;
  const parts = [last === undefined ? "" : `last ${ending(last)}`, waiting.message ?? ""].filter((part) => part !== "");
  return parts.join("; ") || (waiting.reason ?? "");
}

/** `exit code 137 (OOMKilled)` */
function ending(ended: { reason?: string; message?: string; exitCode?: number; signal?: number }): string {
  const how = ended.signal !== undefined && ended.signal !== 0 ? `signal ${ended.signal}` : `exit code ${ended.exitCode ?? "unknown"}`;
  const reason = ended.reason !== undefined && ended.reason !== "Error" && ended.reason !== "" ? ` (${ended.reason})` : "";
  const message = ended.message === undefined || ended.message === "" ? "" : `: ${ended.message.trim().split("\n").at(-1) ?? ""}`;
  return `${how}${reason}${message}`;
}

function condition(pod: Pod, type: string): Condition | undefined {
  return pod.status?.conditions?.find((one) => one.type === type);
}

/** How often its containers were started again. */
export function restartsOf(pod: Pod): number {
  return (pod.status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + (restartCount ?? 0), 0);
}
