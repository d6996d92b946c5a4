// Conditions of any kind in plain words. Pure.

import type { Condition } from "./pod.ts";
import type { Health } from "../list/rows.ts";

/** Conditions that are bad when they are true. */
const BAD_WHEN_TRUE = /(Pressure|Unavailable|Failure|Failed|Degraded|Stalled|Error|Conflicted|DisruptionTarget|NonStructuralSchema|Terminating|SchedulingDisabled)$/;

const WORDS: Record<string, [whenTrue: string, whenFalse: string]> = {
  Ready: ["It is ready", "It is not ready"],
  ContainersReady: ["All containers are ready", "Not all containers are ready"],
  Initialized: ["All init containers have ended", "Init containers still run"],
  PodScheduled: ["It has a node", "No node takes it"],
  PodReadyToStartContainers: ["Its sandbox and network are there", "Its sandbox or network is not there yet"],
  Available: ["Enough of it is available", "Too little of it is available"],
  Progressing: ["The newest version is rolled out or on its way", "The roll-out is stuck"],
  ReplicaFailure: ["Pods cannot be made", "Pods can be made"],
  MemoryPressure: ["The node runs out of memory", "The node has memory enough"],
  DiskPressure: ["The node runs out of disk", "The node has disk enough"],
  PIDPressure: ["The node runs out of process ids", "The node has process ids enough"],
  NetworkUnavailable: ["The node's network is not set up", "The node's network is set up"],
  Complete: ["It has ended well", "It has not ended"],
  Failed: ["It has failed", "It has not failed"],
  Established: ["The API serves it", "The API does not serve it"],
  NamesAccepted: ["Its names are free", "Its names are taken"],
  AbleToScale: ["It can be scaled", "It cannot be scaled"],
  ScalingActive: ["It is scaled by its metrics", "Its metrics are missing"],
  ScalingLimited: ["It stands at a limit of its size", "It is within the limits of its size"],
  DisruptionAllowed: ["A pod may be taken away", "No pod may be taken away"],
};

export interface Told {
  words: string;
  health: Health;
  /** Reason and message, where they say more. */
  more: string;
}

/** A condition as a sentence, and whether it is well. */
export function tell({ type, status, reason, message }: Condition): Told {
  const [whenTrue, whenFalse] = WORDS[type] ?? [`${spaced(type)}: yes`, `${spaced(type)}: no`];
  const more = [reason ?? "", message ?? ""].filter((part) => part !== "").join(": ");
  if (status !== "True" && status !== "False") return { words: `${spaced(type)}: not known`, health: "busy", more };
  const isTrue = status === "True";
  const bad = BAD_WHEN_TRUE.test(type) === isTrue;
  return { words: isTrue ? whenTrue : whenFalse, health: type === "ScalingLimited" ? "plain" : bad ? "bad" : "good", more };
}

/** `ContainersReady`: `Containers ready` */
function spaced(type: string): string {
  const words = type.replace(/([a-z\d])([A-Z])/g, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What is not well comes first. */
export function sortConditions(conditions: Condition[]): Condition[] {
  const rank = { bad: 0, busy: 1, plain: 2, good: 3 };
  return [...conditions].sort((a, b) => rank[tell(a).health] - rank[tell(b).health]);
}
