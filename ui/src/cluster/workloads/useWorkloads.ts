// The workloads of a cluster, live: five kinds together, each as it stands, and the newest warnings that are about them.

import { useMemo } from "react";
import type { Fault } from "../../api/fault.ts";
import { EVENTS, type KubeObject } from "../../api/kube.ts";
import { useList, type ListView } from "../../api/objects.ts";
import { live } from "../../api/tab.ts";
import type { Named } from "../places.ts";
import { byOwner, happening, inWords, type Happening } from "./events.ts";
import { standingOf, type WorkloadStanding } from "./standing.ts";

export interface Workload extends WorkloadStanding {
  uid: string;
  kind: string;
  of: Named;
  namespace: string;
  name: string;
  created: string;
  images: string;
}

interface Templated {
  template?: { spec?: { containers?: { image?: string }[] } };
  jobTemplate?: { spec?: Templated };
}

function imagesOf(object: KubeObject): string {
  const spec = object["spec"] as Templated | undefined;
  const template = spec?.template ?? spec?.jobTemplate?.spec?.template;
  return (template?.spec?.containers ?? []).map(({ image }) => image ?? "").join(", ");
}

function keeper(kind: string, group: string, resource: string) {
  const of = { group, version: "v1", resource };
  const keep = (object: KubeObject): Workload => ({
    ...standingOf(kind, object),
    uid: object.metadata.uid ?? `${resource}/${object.metadata.namespace}/${object.metadata.name}`,
    kind,
    of,
    namespace: object.metadata.namespace ?? "",
    name: object.metadata.name,
    created: object.metadata.creationTimestamp ?? "",
    images: imagesOf(object),
  });
  return { of, keep };
}

const DEPLOYMENTS = keeper("Deployment", "apps", "deployments");
const STATEFUL = keeper("StatefulSet", "apps", "statefulsets");
const DAEMONS = keeper("DaemonSet", "apps", "daemonsets");
const JOBS = keeper("Job", "batch", "jobs");
const CRON_JOBS = keeper("CronJob", "batch", "cronjobs");

export const KINDS = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"];

export interface WorkloadsView {
  all: Workload[];
  warnings: Happening[];
  /** Until every kind has come or was refused. */
  loading: boolean;
  /** Some are not live, and as of when. */
  stale: { asOf: number; fault: Fault | null } | null;
  failed: { resource: string; fault: Fault }[];
  truncated: boolean;
  refresh: () => void;
}

export function useWarnings(cluster: string, namespace: string) {
  return useList({ cluster, resource: EVENTS, namespace, fieldSelector: "type=Warning" }, live, happening);
}

/** All workloads of a namespace, or of all. */
export function useWorkloads(cluster: string, namespace: string): WorkloadsView {
  const events = useWarnings(cluster, namespace);
  const deployments = useList({ cluster, resource: DEPLOYMENTS.of, namespace }, live, DEPLOYMENTS.keep);
  const stateful = useList({ cluster, resource: STATEFUL.of, namespace }, live, STATEFUL.keep);
  const daemons = useList({ cluster, resource: DAEMONS.of, namespace }, live, DAEMONS.keep);
  const jobs = useList({ cluster, resource: JOBS.of, namespace }, live, JOBS.keep);
  const cronJobs = useList({ cluster, resource: CRON_JOBS.of, namespace }, live, CRON_JOBS.keep);
  const lists = [
    { resource: "deployments", list: deployments },
    { resource: "statefulsets", list: stateful },
    { resource: "daemonsets", list: daemons },
    { resource: "jobs", list: jobs },
    { resource: "cronjobs", list: cronJobs },
  ];
  const all = useMemo(
    () => explained([...deployments.items, ...stateful.items, ...daemons.items, ...jobs.items, ...cronJobs.items], events.items),
    [deployments.items, stateful.items, daemons.items, jobs.items, cronJobs.items, events.items],
  );
  const failed = lists.flatMap(({ resource, list }) => (list.state === "failed" && list.fault !== null ? [{ resource, fault: list.fault }] : []));
  const stale = lists.map(({ list }) => list).find(({ state }) => state === "stale");
  return {
    all,
    warnings: events.items,
    loading: lists.some(({ list }) => list.state === "loading"),
    stale: stale === undefined ? null : { asOf: oldest(lists.map(({ list }) => list)), fault: stale.fault },
    failed,
    truncated: lists.some(({ list }) => list.truncated),
    refresh: () => lists.forEach(({ list }) => list.refresh()),
  };
}

function oldest(lists: ListView<Workload>[]): number {
  return Math.min(...lists.filter(({ state }) => state === "stale").map(({ asOf }) => asOf));
}

/** Workloads that are not well, with the newest warning about them beside what their conditions say. */
export function explained(workloads: Workload[], warnings: Happening[]): Workload[] {
  if (warnings.length === 0) return workloads;
  const newest = byOwner(warnings);
  return workloads.map((one) => {
    if (one.health === "good" || one.health === "plain") return one;
    const warning = newest.get(`${one.namespace}/${one.name}`);
    if (warning === undefined) return one;
    const words = inWords(warning);
    // What happened says more than that it has taken too long.
    return { ...one, why: one.why === "" ? words : `${words}; ${one.why}` };
  });
}

const RANK = { bad: 0, busy: 1, plain: 2, good: 3 };

/** What needs somebody comes first. */
export function rank({ health }: Pick<Workload, "health">): number {
  return RANK[health];
}
