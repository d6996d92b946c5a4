// Events as pages need them, and which of them tell why a workload does not work. Pure.

import type { KubeObject } from "../../api/kube.ts";

export interface Happening {
  uid: string;
  namespace: string;
  kind: string;
  name: string;
  apiVersion: string;
  type: string;
  reason: string;
  message: string;
  count: number;
  /** When it happened last (ms since 1970). */
  at: number;
  source: string;
}

interface EventObject extends KubeObject {
  involvedObject?: { kind?: string; name?: string; namespace?: string; apiVersion?: string };
  reason?: string;
  message?: string;
  type?: string;
  count?: number;
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  eventTime?: string | null;
  series?: { count?: number; lastObservedTime?: string } | null;
  source?: { component?: string; host?: string };
  reportingComponent?: string;
}

/** What is kept of an event. */
export function happening(object: KubeObject): Happening {
  const event = object as EventObject;
  const times = [event.series?.lastObservedTime, event.lastTimestamp, event.eventTime, event.firstTimestamp, event.metadata.creationTimestamp];
  const at = times.map((time) => Date.parse(time ?? "")).find((time) => !Number.isNaN(time)) ?? 0;
  return {
    uid: event.metadata.uid ?? event.metadata.name,
    namespace: event.involvedObject?.namespace ?? event.metadata.namespace ?? "",
    kind: event.involvedObject?.kind ?? "",
    name: event.involvedObject?.name ?? "",
    apiVersion: event.involvedObject?.apiVersion ?? "v1",
    type: event.type ?? "",
    reason: event.reason ?? "",
    message: event.message ?? "",
    count: event.series?.count ?? event.count ?? 1,
    at,
    source: event.reportingComponent || event.source?.component || "",
  };
}

/** The newest warnings by what they are about: `shop/web-7d9`. */
export function byObject(events: Happening[]): Map<string, Happening> {
  const found = new Map<string, Happening>();
  for (const event of events) {
    const key = `${event.namespace}/${event.name}`;
    const before = found.get(key);
    if (before === undefined || before.at < event.at) found.set(key, event);
  }
  return found;
}

const PARTS = /^(.+?)(-[a-z0-9]+)+$/;

/** The newest warning about each workload, or about what is named after it (its pods and replica sets). */
export function byOwner(events: Happening[]): Map<string, Happening> {
  const found = byObject(events);
  for (const event of events) {
    let name = event.name;
    // web-7d9f8c-x2x4k: web-7d9f8c, web
    while (PARTS.test(name)) {
      name = name.slice(0, name.lastIndexOf("-"));
      const key = `${event.namespace}/${name}`;
      const before = found.get(key);
      if (before === undefined || before.at < event.at) found.set(key, event);
    }
  }
  return found;
}

export function inWords({ reason, message }: Pick<Happening, "reason" | "message">): string {
  return message === "" ? reason : `${reason}: ${message}`;
}
