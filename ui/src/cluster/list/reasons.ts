// Why pods do not work: read one by one for the rows in sight that look broken, since a Table tells the word and not the reason.
//
// Invariants: FOUR are read at once, MOST are remembered, and no pod is read more often than every ten seconds.

import { useEffect, useSyncExternalStore } from "react";
import { Batched } from "../../api/batch.ts";
import { kube, PODS, resourcePath } from "../../api/kube.ts";
import type { Row } from "../../api/table.ts";
import { podStanding, type Pod } from "../workloads/pod.ts";

const FOUR = 4;
const MOST = 500;
const AGAIN_MS = 10_000;

interface Known {
  version: string;
  at: number;
  why: string;
}

type Read = (namespace: string, name: string) => Promise<string>;

export class Reasons extends Batched<number> {
  private readonly known = new Map<string, Known>();
  private readonly waiting = new Map<string, Row>();
  private reading = 0;
  private renewed = 0;

  constructor(
    private readonly read: Read,
    private readonly now: () => number = Date.now,
  ) {
    super();
  }

  /** What is known of a pod. */
  of(uid: string): string {
    return this.known.get(uid)?.why ?? "";
  }

  /** Asks for the reason of a row, unless it is known or was asked for just now. */
  want(row: Row): void {
    const known = this.known.get(row.uid);
    const same = known?.version === (row.metadata.resourceVersion ?? "");
    if (known !== undefined && (same || this.now() - known.at < AGAIN_MS)) return;
    this.waiting.delete(row.uid);
    this.waiting.set(row.uid, row);
    // Who scrolls on does not wait for what went by.
    while (this.waiting.size > MOST / 10) this.waiting.delete(this.waiting.keys().next().value ?? "");
    this.next();
  }

  protected override build(): number {
    return ++this.renewed;
  }

  private next(): void {
    while (this.reading < FOUR && this.waiting.size > 0) {
      // The newest wish is in sight.
      const row = [...this.waiting.values()].at(-1);
      if (row === undefined) return;
      this.waiting.delete(row.uid);
      this.reading++;
      void this.read(row.namespace, row.name).catch(() => "").then((why) => {
        this.reading--;
        this.known.delete(row.uid);
        this.known.set(row.uid, { version: row.metadata.resourceVersion ?? "", at: this.now(), why });
        while (this.known.size > MOST) this.known.delete(this.known.keys().next().value ?? "");
        this.changed();
        this.next();
      });
    }
  }
}

const stores = new Map<string, Reasons>();

/** The reasons of a cluster's pods; those of the newest few clusters are kept. */
export function reasonsOf(cluster: string): Reasons {
  let store = stores.get(cluster);
  if (store === undefined) {
    store = new Reasons(async (namespace, name) => podStanding(await kube<Pod>(cluster, resourcePath(PODS, namespace, name))).why);
    stores.set(cluster, store);
    if (stores.size > 4) stores.delete(stores.keys().next().value ?? "");
  }
  return store;
}

/** The reason of a row that looks broken; empty as long as it is not known. */
export function useReason(cluster: string, row: Row, broken: boolean): string {
  const store = reasonsOf(cluster);
  useSyncExternalStore(store.subscribe, store.snapshot);
  useEffect(() => {
    if (broken) store.want(row);
  }, [store, row, broken]);
  return broken ? store.of(row.uid) : "";
}
