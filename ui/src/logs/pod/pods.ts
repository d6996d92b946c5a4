// Which pods' logs are followed: one pod, or those of a workload as they come and go.
//
// Invariants: pods are listed, and watched from where the list stood; what is too old is listed again; no more than MOST_PODS.

import type { Fault } from "../../api/fault.ts";
import { asFault, faultOf } from "../../api/fault.ts";
import { kube, kubeUrl, resourcePath, type KubeObject, type Query } from "../../api/kube.ts";
import type { Live } from "../../api/live.ts";

export const MOST_PODS = 500;

export interface Workload {
  group: string;
  version: string;
  resource: string;
  name: string;
}

export interface Container {
  name: string;
  kind: "init" | "container" | "ephemeral";
  /** Of this start of it; empty before the first. */
  id: string;
  state: "waiting" | "running" | "terminated" | "unknown";
  /** `ImagePullBackOff: 401 from the registry`, `Error: exit code 1`. */
  why: string;
  restarts: number;
}

export interface Pod {
  uid: string;
  name: string;
  created: string;
  containers: Container[];
}

interface StateObject {
  waiting?: { reason?: string; message?: string };
  running?: object;
  terminated?: { reason?: string; exitCode?: number; message?: string };
}

interface ContainerStatus {
  name: string;
  containerID?: string;
  restartCount?: number;
  state?: StateObject;
}

interface PodObject extends KubeObject {
  spec?: { containers?: { name: string }[]; initContainers?: { name: string }[]; ephemeralContainers?: { name: string }[] };
  status?: { containerStatuses?: ContainerStatus[]; initContainerStatuses?: ContainerStatus[]; ephemeralContainerStatuses?: ContainerStatus[] };
}

export function podOf(object: KubeObject): Pod {
  const { metadata, spec, status } = object as PodObject;
  const group = (kind: Container["kind"], named: { name: string }[] = [], statuses: ContainerStatus[] = []) =>
    named.map(({ name }) => containerOf(kind, name, statuses.find((one) => one.name === name)));
  return {
    uid: metadata.uid ?? metadata.name,
    name: metadata.name,
    created: metadata.creationTimestamp ?? "",
    containers: [
      ...group("container", spec?.containers, status?.containerStatuses),
      ...group("init", spec?.initContainers, status?.initContainerStatuses),
      ...group("ephemeral", spec?.ephemeralContainers, status?.ephemeralContainerStatuses),
    ],
  };
}

function containerOf(kind: Container["kind"], name: string, status: ContainerStatus | undefined): Container {
  const { waiting, running, terminated } = status?.state ?? {};
  const state = running !== undefined ? "running" : terminated !== undefined ? "terminated" : waiting !== undefined ? "waiting" : "unknown";
  const exit = terminated === undefined ? "" : `exit code ${terminated.exitCode ?? "?"}`;
  const why = [waiting?.reason ?? terminated?.reason ?? "", waiting?.message ?? terminated?.message ?? exit].filter((part) => part !== "").join(": ");
  return { name, kind, id: status?.containerID ?? "", state, why, restarts: status?.restartCount ?? 0 };
}

/** The query that finds a workload's pods. */
export async function podsOf(cluster: string, namespace: string, workload: Workload, signal?: AbortSignal): Promise<Query> {
  const read = <T>(path: string, query: Query = {}) => kube<T>(cluster, path, { query, ...(signal ? { signal } : {}) });
  const object = await read<KubeObject>(resourcePath(workload, namespace, workload.name));
  if (workload.group === "batch" && workload.resource === "cronjobs") {
    const jobs = await read<{ items: KubeObject[] }>(resourcePath({ group: "batch", version: "v1", resource: "jobs" }, namespace), { limit: 500 });
    const own = jobs.items.filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid));
    own.sort((a, b) => (b.metadata.creationTimestamp ?? "").localeCompare(a.metadata.creationTimestamp ?? ""));
    const names = own.slice(0, 20).map(({ metadata }) => metadata.name);
    // No job was made yet: no pod has this label without a value.
    return { labelSelector: names.length === 0 ? "batch.kubernetes.io/job-name=,batch.kubernetes.io/job-name" : `batch.kubernetes.io/job-name in (${names.join(",")})` };
  }
  return { labelSelector: selectorOf((object["spec"] as { selector?: unknown } | undefined)?.selector) };
}

interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/** A selector as the API takes it. Throws for one that would choose every pod there is. */
export function selectorOf(selector: unknown): string {
  const { matchLabels, matchExpressions, ...rest } = (selector ?? {}) as LabelSelector & Record<string, unknown>;
  // Services and ReplicationControllers have the labels alone.
  const labels = matchLabels ?? (matchExpressions === undefined ? (rest as Record<string, string>) : {});
  const parts = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  for (const { key, operator, values = [] } of matchExpressions ?? []) {
    if (operator === "Exists") parts.push(key);
    else if (operator === "DoesNotExist") parts.push(`!${key}`);
    else parts.push(`${key} ${operator === "NotIn" ? "notin" : "in"} (${values.join(",")})`);
  }
  if (parts.length === 0) throw new Error("it selects no pods");
  return parts.join(",");
}

export class PodWatch {
  readonly pods = new Map<string, Pod>();
  fault: Fault | null = null;
  synced = false;
  truncated = false;
  private version = "";
  private unwatch: () => void = () => undefined;
  private stopper = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;

  constructor(
    private readonly live: Live,
    private readonly of: { cluster: string; namespace: string; pod?: string; workload?: Workload },
    private readonly changed: () => void,
  ) {}

  start(): void {
    this.stopper = new AbortController();
    void this.list();
  }

  stop(): void {
    this.stopper.abort();
    clearTimeout(this.timer);
    this.unwatch();
  }

  /** A pod as it is now; null if it is not there. */
  async read(name: string): Promise<Pod | null> {
    try {
      return podOf(await kube<KubeObject>(this.of.cluster, resourcePath({ group: "", version: "v1", resource: "pods" }, this.of.namespace, name), { signal: this.stopper.signal }));
    } catch (error) {
      if (asFault(error).status === 404) return null;
      throw error;
    }
  }

  private async list(): Promise<void> {
    const { signal } = this.stopper;
    const { cluster, namespace, pod, workload } = this.of;
    const path = resourcePath({ group: "", version: "v1", resource: "pods" }, namespace);
    try {
      const which = workload === undefined ? { fieldSelector: `metadata.name=${pod ?? ""}` } : await podsOf(cluster, namespace, workload, signal);
      const list = await kube<{ items: KubeObject[]; metadata: { resourceVersion?: string; continue?: string } }>(cluster, path, { query: { ...which, limit: MOST_PODS }, signal });
      this.pods.clear();
      for (const item of list.items) this.put(item);
      this.truncated = Boolean(list.metadata.continue);
      this.version = list.metadata.resourceVersion ?? "";
      this.fault = null;
      this.synced = true;
      this.tries = 0;
      this.changed();
      this.watch(path, which);
    } catch (error) {
      if (!signal.aborted) this.failed(asFault(error));
    }
  }

  private watch(path: string, which: Query): void {
    this.unwatch();
    const ask = () => kubeUrl(this.of.cluster, path, { ...which, watch: true, resourceVersion: this.version, allowWatchBookmarks: true });
    this.unwatch = this.live.keep(ask, {
      lines: (lines) => {
        for (const line of lines) if (!this.hear(JSON.parse(line) as { type: string; object: KubeObject })) return;
        this.fault = null;
        this.changed();
      },
      ended: ({ fault, lost }) => {
        if (fault === null || lost) return true;
        this.failed(fault);
        return false;
      },
    });
  }

  private hear(event: { type: string; object: KubeObject }): boolean {
    if (event.type === "ERROR") {
      this.unwatch();
      const code = (event.object as unknown as { code?: number }).code ?? 500;
      if (code === 410) void this.list();
      else this.failed(faultOf(code, JSON.stringify(event.object)));
      return false;
    }
    this.version = event.object.metadata.resourceVersion ?? this.version;
    if (event.type === "DELETED") this.pods.delete(event.object.metadata.uid ?? event.object.metadata.name);
    else if (event.type !== "BOOKMARK") this.put(event.object);
    return true;
  }

  private put(object: KubeObject): void {
    const pod = podOf(object);
    if (this.pods.has(pod.uid) || this.pods.size < MOST_PODS) this.pods.set(pod.uid, pod);
    else this.truncated = true;
  }

  private failed(fault: Fault): void {
    this.fault = fault;
    this.changed();
    if (fault.status >= 400 && fault.status < 500 && fault.status !== 429 && fault.status !== 410) return;
    const wait = fault.retryAfter !== null ? fault.retryAfter * 1_000 : Math.min(1_000 * 2 ** this.tries++, 15_000);
    this.timer = setTimeout(() => void this.list(), wait);
  }
}
