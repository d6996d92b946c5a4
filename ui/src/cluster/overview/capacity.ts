// What a cluster's nodes have to give. Pure.

import type { KubeObject } from "../../api/kube.ts";
import { conditionsOf } from "../object/standing.ts";

export interface NodeStanding {
  name: string;
  ready: boolean;
  cordoned: boolean;
  /** Conditions that are bad, in their own words. */
  troubles: string[];
  /** Cores. */
  cpu: number;
  /** Bytes. */
  memory: number;
  pods: number;
}

const SUFFIXES: Record<string, number> = {
  "": 1, n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
};

/** A Kubernetes quantity as a number; 0 for what is none. */
export function quantity(text: unknown): number {
  const found = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)(n|u|m|k|[KMGTPE]i?)?$/.exec(typeof text === "number" ? String(text) : typeof text === "string" ? text : "");
  return found === null ? 0 : Number(found[1]) * (SUFFIXES[found[2] ?? ""] ?? 0);
}

/** What is kept of a node. */
export function nodeStanding(object: KubeObject): NodeStanding {
  const status = (object["status"] ?? {}) as { allocatable?: Record<string, string> };
  const conditions = conditionsOf(object);
  return {
    name: object.metadata.name,
    ready: conditions.some(({ type, status: is }) => type === "Ready" && is === "True"),
    cordoned: (object["spec"] as { unschedulable?: boolean } | undefined)?.unschedulable === true,
    troubles: conditions.filter(({ type, status: is }) => type !== "Ready" && is === "True" && /Pressure|Unavailable/.test(type)).map(({ type }) => type),
    cpu: quantity(status.allocatable?.["cpu"]),
    memory: quantity(status.allocatable?.["memory"]),
    pods: quantity(status.allocatable?.["pods"]),
  };
}

export interface Usage {
  cpu: number;
  memory: number;
}

/** What metrics say of all nodes together. */
export function usageOf(items: { usage?: Record<string, string> }[]): Usage {
  return items.reduce((sum, { usage }) => ({ cpu: sum.cpu + quantity(usage?.["cpu"]), memory: sum.memory + quantity(usage?.["memory"]) }), { cpu: 0, memory: 0 });
}
