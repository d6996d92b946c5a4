// The logs of a pod's containers, or of all pods of a workload, as one: each start of each container is followed by itself, and
// what they say is merged by its moment.
//
// Invariants: no more than MOST_FOLLOWED logs are open (a socket carries 64 streams, and the page needs some of its own); no
// more than the ring's lines are kept; of more than MOST_A_SECOND lines in a second one in ten is kept, and it is said so.

import { Batched } from "../../api/batch.ts";
import type { Fault } from "../../api/fault.ts";
import { kubeUrl, resourcePath } from "../../api/kube.ts";
import type { Live } from "../../api/live.ts";
import { Follow, type FollowState, type Said } from "./follow.ts";
import type { LogLine } from "./line.ts";
import { PodWatch, type Container, type Pod, type Workload } from "./pods.ts";
import { Ring } from "./ring.ts";

export const MOST_FOLLOWED = 40;
export const MOST_A_SECOND = 10_000;
export const ONE_IN = 10;

export interface LogsOf {
  cluster: string;
  namespace: string;
  pod?: string;
  workload?: Workload;
  /** Empty for all. */
  container: string;
  /** Seconds back; 0 for all. */
  since: number;
  /** Lines of each container; 0 for all. */
  tail: number;
  /** The start before this one. */
  previous: boolean;
}

export interface Source {
  pod: string;
  container: string;
  state: FollowState;
}

export interface LogView {
  lines: readonly LogLine[];
  sources: Source[];
  pods: Pod[];
  /** Containers that are chosen and have said nothing since they have not started. */
  waiting: { pod: string; container: Container }[];
  arrived: number;
  dropped: number;
  sampledOut: number;
  sampling: boolean;
  notFollowed: number;
  synced: boolean;
  fault: Fault | null;
}

interface Followed {
  source: number;
  follow: Follow;
  pod: string;
  container: string;
}

export class LogStore extends Batched<LogView> {
  private readonly ring = new Ring();
  private readonly watch: PodWatch;
  private readonly sources: Source[] = [];
  private readonly followed = new Map<string, Followed>();
  private waiting: LogView["waiting"] = [];
  private notFollowed = 0;
  private arrived = 0;
  private sampledOut = 0;
  private second = { at: 0, count: 0, sampled: 0 };
  private sampledAt = 0;
  private seq = 0;

  constructor(
    private readonly live: Live,
    private readonly of: LogsOf,
  ) {
    super();
    this.watch = new PodWatch(live, of, () => this.look());
  }

  start(): void {
    this.watch.start();
  }

  stop(): void {
    this.watch.stop();
    for (const { follow } of this.followed.values()) follow.stop();
    this.followed.clear();
  }

  protected override build(): LogView {
    return {
      lines: [...this.ring.lines],
      sources: [...this.sources],
      pods: [...this.watch.pods.values()],
      waiting: this.waiting,
      arrived: this.arrived,
      dropped: this.ring.dropped,
      sampledOut: this.sampledOut,
      sampling: Date.now() - this.sampledAt < 2_000,
      notFollowed: this.notFollowed,
      synced: this.watch.synced,
      fault: this.watch.fault,
    };
  }

  /** Pods and their containers came, went, or began anew. */
  private look(): void {
    const wanted = new Map<string, { pod: Pod; container: Container }>();
    this.waiting = [];
    for (const pod of [...this.watch.pods.values()].sort((a, b) => b.created.localeCompare(a.created))) {
      for (const container of pod.containers) {
        if (this.of.container === "" ? container.kind === "init" && container.state === "terminated" && this.of.pod === undefined : container.name !== this.of.container) continue;
        const hasBegun = container.id !== "" || container.state === "running" || container.state === "terminated";
        if (this.of.previous ? container.restarts === 0 : !hasBegun) this.waiting.push({ pod: pod.name, container });
        // Each restart is another log.
        else wanted.set(`${pod.uid} ${container.name} ${container.restarts}`, { pod, container });
      }
    }
    // Those that run go before those that ended, so that a place is for who says something.
    const runs = (container: Container) => (container.state === "running" ? 0 : 1);
    const order = [...wanted].sort((a, b) => runs(a[1].container) - runs(b[1].container));
    this.notFollowed = Math.max(0, order.length - MOST_FOLLOWED);
    for (const [key, { pod, container }] of order.slice(0, MOST_FOLLOWED)) {
      if (!this.followed.has(key)) this.begin(key, pod, container);
    }
    this.free(new Set(order.map(([key]) => key)));
    this.changed();
  }

  /** What ended and is not there any more gives its place back; its lines stay. */
  private free(there: Set<string>): void {
    for (const [key, { follow }] of this.followed) {
      if (there.has(key) || follow.state.at === "live") continue;
      follow.stop();
      this.followed.delete(key);
    }
  }

  private begin(key: string, pod: Pod, container: Container): void {
    const source = this.sources.length;
    const isAgain = [...this.followed.values()].some((other) => other.pod === pod.name && other.container === container.name);
    const follow: Follow = new Follow(
      this.live,
      (since) => this.path(pod.name, container.name, since, isAgain),
      {
        said: (lines) => this.take(source, lines),
        changed: () => {
          this.sources[source] = { pod: pod.name, container: container.name, state: follow.state };
          this.changed();
        },
      },
      () => (this.of.previous ? Promise.resolve(false) : this.runs(pod, container)),
    );
    this.sources[source] = { pod: pod.name, container: container.name, state: follow.state };
    this.followed.set(key, { source, follow, pod: pod.name, container: container.name });
    if (isAgain) this.take(source, [{ stamp: "", at: "", text: `${container.name} began anew (restart ${container.restarts})`, mark: true }]);
    follow.start();
  }

  private async runs(pod: Pod, container: Container): Promise<boolean> {
    const now = await this.watch.read(pod.name);
    const same = now?.uid === pod.uid ? now.containers.find(({ name }) => name === container.name) : undefined;
    return same !== undefined && same.state === "running" && same.restarts === container.restarts;
  }

  private path(pod: string, container: string, since: string | null, isAgain: boolean): string {
    const { cluster, namespace, previous, tail, since: seconds } = this.of;
    // A start that began while somebody looked is shown from its beginning.
    const first = isAgain ? {} : { tailLines: tail || undefined, sinceSeconds: seconds || undefined };
    return kubeUrl(cluster, resourcePath({ group: "", version: "v1", resource: "pods" }, namespace, pod, "log"), {
      container, timestamps: true, ...(previous ? { previous } : { follow: true }), ...(since === null ? first : { sinceTime: since }),
    });
  }

  private take(source: number, said: Said[]): void {
    const lines: LogLine[] = [];
    for (const one of said) {
      if (one.mark !== true) {
        this.arrived++;
        if (this.isTooMuch()) continue;
      }
      lines.push({ seq: ++this.seq, source, ...one });
    }
    this.ring.add(lines);
    this.changed();
  }

  /** Whether a line is one of those that are left out. */
  private isTooMuch(): boolean {
    const now = Date.now();
    if (now - this.second.at >= 1_000) this.second = { at: now, count: 0, sampled: 0 };
    if (++this.second.count <= MOST_A_SECOND) return false;
    this.sampledAt = now;
    if (++this.second.sampled % ONE_IN === 0) return false;
    this.sampledOut++;
    return true;
  }
}
