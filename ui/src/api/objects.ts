// Objects as they are, live: one of them, or a page's worth of a kind of which only what is shown is kept.
//
// Invariants:
// - the watch goes on from where the reading stood; when that is too old (410) it is read again;
// - an object that was deleted is said to be gone, and stays as it was last;
// - of a kind, MOST are kept, and it is said when there are more.

import { useMemo, useSyncExternalStore } from "react";
import { Batched } from "./batch.ts";
import { asFault, faultOf, type Fault } from "./fault.ts";
import { kube, kubeUrl, resourcePath, type KubeObject, type Query, type Resource } from "./kube.ts";
import type { Live } from "./live.ts";

export const MOST = 20_000;
const PAGE = 500;
const LONGEST_WAIT_MS = 15_000;

export interface ListOf {
  cluster: string;
  resource: Pick<Resource, "group" | "version" | "resource">;
  /** Empty for all. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Just this one, read by its name. */
  name?: string;
}

export interface ListView<T> {
  items: T[];
  state: "loading" | "live" | "stale" | "failed";
  /** There are more than are kept. */
  truncated: boolean;
  /** As of when, where it is not live (ms since 1970). */
  asOf: number;
  fault: Fault | null;
}

interface List {
  items?: KubeObject[];
  metadata: { continue?: string; resourceVersion?: string };
}

/** Keeps what `keep` makes of each object, by uid. */
export class LiveList<T> extends Batched<ListView<T>> {
  private items = new Map<string, T>();
  private state: ListView<T>["state"] = "loading";
  private truncated = false;
  private asOf = 0;
  private fault: Fault | null = null;
  private version = "";
  /** It was read once: that there is nothing is then known, and does not turn into a failure. */
  private known = false;
  private unwatch: () => void = () => undefined;
  private stopper = new AbortController();
  private retry: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;

  constructor(
    private readonly of: ListOf,
    private readonly live: Live,
    private readonly keep: (object: KubeObject) => T,
    private readonly onGone: () => void = () => undefined,
  ) {
    super();
  }

  start(): void {
    this.stopper = new AbortController();
    void this.read();
  }

  stop(): void {
    this.stopper.abort();
    clearTimeout(this.retry);
    this.unwatch();
  }

  refresh = (): void => {
    this.stop();
    this.start();
  };

  protected override build(): ListView<T> {
    const { state, truncated, asOf, fault } = this;
    return { items: [...this.items.values()], state, truncated, asOf, fault };
  }

  private async read(): Promise<void> {
    const { signal } = this.stopper;
    const fresh = new Map<string, T>();
    const put = (object: KubeObject, into: Map<string, T>) => into.set(uidOf(object), this.keep(object));
    try {
      if (this.of.name !== undefined) {
        const one = await kube<KubeObject>(this.of.cluster, resourcePath(this.of.resource, this.of.namespace, this.of.name), { signal });
        put(one, fresh);
        this.version = one.metadata.resourceVersion ?? "";
      } else {
        let token: string | undefined;
        do {
          const query: Query = { ...this.selectors, limit: PAGE, continue: token };
          const list = await kube<List>(this.of.cluster, resourcePath(this.of.resource, this.of.namespace), { query, signal });
          for (const item of list.items ?? []) put(item, fresh);
          if (token === undefined) this.version = list.metadata.resourceVersion ?? "";
          token = list.metadata.continue;
          this.truncated = fresh.size >= MOST && token !== undefined && token !== "";
        } while (token !== undefined && token !== "" && !this.truncated);
      }
      this.items = fresh;
      this.known = true;
      this.is("live", null);
      this.tries = 0;
      this.watch();
    } catch (error) {
      if (!signal.aborted) this.failed(asFault(error));
    }
  }

  private get selectors(): Query {
    const { name, labelSelector, fieldSelector } = this.of;
    return { labelSelector, fieldSelector: name === undefined ? fieldSelector : `metadata.name=${name}` };
  }

  private watch(): void {
    this.unwatch();
    const query = () => ({ ...this.selectors, watch: true, resourceVersion: this.version, allowWatchBookmarks: true });
    const ask = () => kubeUrl(this.of.cluster, resourcePath(this.of.resource, this.of.namespace), query());
    this.unwatch = this.live.keep(ask, {
      // A watch that goes on from where it stood misses nothing.
      begun: () => this.goesOn(),
      lines: (lines) => {
        for (const line of lines) if (!this.hear(line)) return;
        this.goesOn();
        this.changed();
      },
      ended: ({ fault, lost }) => {
        if (lost && this.state === "live") this.is("stale", fault);
        if (fault === null || lost) return true;
        if (fault.status === 410) void this.read();
        else this.failed(fault);
        return false;
      },
    });
  }

  private goesOn(): void {
    if (this.state === "stale") this.is("live", null);
  }

  private hear(line: string): boolean {
    const { type, object } = JSON.parse(line) as { type: string; object: KubeObject };
    if (type === "ERROR") {
      const code = (object as unknown as { code?: number }).code ?? 500;
      this.unwatch();
      if (code === 410) void this.read();
      else this.failed(faultOf(code, JSON.stringify(object)));
      return false;
    }
    this.version = object.metadata.resourceVersion ?? this.version;
    if (type === "BOOKMARK") return true;
    const uid = uidOf(object);
    if (type === "DELETED") {
      if (this.of.name === undefined) this.items.delete(uid);
      else this.onGone();
    } else if (this.of.name !== undefined) {
      // The same name again is another object.
      this.items = new Map([[uid, this.keep(object)]]);
    } else if (this.items.has(uid) || this.items.size < MOST) this.items.set(uid, this.keep(object));
    else this.truncated = true;
    return true;
  }

  private failed(fault: Fault): void {
    if (this.of.name !== undefined && fault.status === 404 && this.items.size > 0) this.onGone();
    this.is(this.known ? "stale" : "failed", fault);
    // What may pass is tried again; what is refused waits for somebody.
    if (fault.status !== 0 && fault.status < 500 && fault.status !== 429 && fault.status !== 410) return;
    const wait = fault.retryAfter !== null ? fault.retryAfter * 1000 : Math.min(1000 * 2 ** this.tries++, LONGEST_WAIT_MS);
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.read(), wait);
  }

  private is(state: ListView<T>["state"], fault: Fault | null): void {
    if (state === "live" || this.state !== "stale") this.asOf = Date.now();
    this.state = state;
    this.fault = fault;
    this.tell();
  }
}

function uidOf(object: KubeObject): string {
  return object.metadata.uid ?? `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}

/** A store that works while somebody looks. */
function shared<S>(store: { subscribe: (hear: () => void) => () => void; snapshot: () => S; start(): void; stop(): void }) {
  let users = 0;
  return (hear: () => void) => {
    const leave = store.subscribe(hear);
    if (users++ === 0) store.start();
    return () => {
      leave();
      if (--users === 0) store.stop();
    };
  };
}

/** A kind's objects, live; `keep` must stay the same function. */
export function useList<T>(of: ListOf, live: Live, keep: (object: KubeObject) => T): ListView<T> & { refresh: () => void } {
  const key = JSON.stringify(of);
  const { store, subscribe } = useMemo(() => {
    const store = new LiveList(JSON.parse(key) as ListOf, live, keep);
    return { store, subscribe: shared(store) };
  }, [key, live, keep]);
  return { ...useSyncExternalStore(subscribe, store.snapshot), refresh: store.refresh };
}

export interface ObjectView {
  object: KubeObject | null;
  /** It was deleted; `object` is as it was last. */
  gone: boolean;
  state: ListView<KubeObject>["state"];
  asOf: number;
  fault: Fault | null;
}

class LiveObject extends LiveList<KubeObject> {
  gone = false;

  constructor(of: ListOf, live: Live) {
    super(of, live, (object) => {
      this.gone = object.metadata.deletionTimestamp !== undefined && this.gone;
      return object;
    }, () => {
      this.gone = true;
    });
  }
}

/** One object, live. */
export function useObject(of: ListOf & { name: string }, live: Live): ObjectView & { refresh: () => void } {
  const key = JSON.stringify(of);
  const { store, subscribe } = useMemo(() => {
    const store = new LiveObject(JSON.parse(key) as ListOf, live);
    return { store, subscribe: shared(store) };
  }, [key, live]);
  const { items, state, asOf, fault } = useSyncExternalStore(subscribe, store.snapshot);
  return { object: items[0] ?? null, gone: store.gone, state, asOf, fault, refresh: store.refresh };
}
