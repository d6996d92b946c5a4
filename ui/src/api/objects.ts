// Whole objects of a kind, live: for what a table's cells do not tell. Beside `table.ts`, which is for lists of any length.
//
// Pages of 500 come one after the other and are shown as they come; a watch from where the list stood tells what changes.
//
// Invariants:
// - an object is never older than what the watch told of it, and what was deleted meanwhile does not come back with a later page;
// - no more than MOST_OBJECTS are kept, without their managedFields, and it is said when there are more;
// - when the watch is lost or too old (410), objects stay and are marked as of then, and the list is read again.

import { useMemo, useSyncExternalStore } from "react";
import { Batched } from "./batch.ts";
import { asFault, faultOf, type Fault } from "./fault.ts";
import { kube, kubeUrl, resourcePath, type KubeObject, type Query } from "./kube.ts";
import type { Live } from "./live.ts";
import type { TableOf } from "./table.ts";

export const OBJECTS_PAGE = 500;
export const MOST_OBJECTS = 20_000;

export interface ObjectsView {
  objects: KubeObject[];
  /** `loading` until the first page has come; `filling` while there are more. */
  state: "loading" | "filling" | "live" | "stale" | "failed";
  /** There are more than are kept. */
  truncated: boolean;
  /** As of when objects are, where they are not live (ms since 1970). */
  asOf: number;
  fault: Fault | null;
}

interface List {
  apiVersion?: string;
  kind?: string;
  items?: KubeObject[];
  metadata: { continue?: string; resourceVersion?: string };
}

const AT_FIRST: Omit<ObjectsView, "objects"> = { state: "loading", truncated: false, asOf: 0, fault: null };

export class ObjectStore extends Batched<ObjectsView> {
  private objects = new Map<string, KubeObject>();
  private gone = new Set<string>();
  private view = AT_FIRST;
  private version = "";
  private unwatch: () => void = () => undefined;
  private stopper = new AbortController();
  private retry: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;

  constructor(
    private readonly of: TableOf,
    private readonly live: Live,
  ) {
    super();
  }

  start(): void {
    this.stopper = new AbortController();
    void this.list();
  }

  stop(): void {
    this.stopper.abort();
    clearTimeout(this.retry);
    this.unwatch();
  }

  /** Reads it all again. */
  refresh = (): void => {
    this.stop();
    this.start();
  };

  protected override build(): ObjectsView {
    return { ...this.view, objects: [...this.objects.values()] };
  }

  private get path(): string {
    return resourcePath(this.of.resource, this.of.namespace);
  }

  private get selectors(): Query {
    return { labelSelector: this.of.labelSelector, fieldSelector: this.of.fieldSelector };
  }

  private async list(): Promise<void> {
    const { signal } = this.stopper;
    // What is read for the first time is shown as it comes; a list that is read again replaces what was there when it is whole.
    const first = this.view.state === "loading" || this.view.state === "failed";
    const into = first ? this.objects : new Map<string, KubeObject>();
    let truncated = false;
    this.gone.clear();
    try {
      for (let token: string | undefined, page = 0; page === 0 || token; page++) {
        const query: Query = { ...this.selectors, limit: OBJECTS_PAGE, continue: token };
        const list = await kube<List>(this.of.cluster, this.path, { query, signal });
        for (const object of list.items ?? []) {
          const key = keyOf(object);
          if (!this.gone.has(key) && !into.has(key)) into.set(key, kept(object, list));
        }
        token = list.metadata.continue;
        truncated = into.size >= MOST_OBJECTS && token !== undefined && token !== "";
        if (page === 0) this.version = list.metadata.resourceVersion ?? "";
        if (first) {
          this.view = { state: token && !truncated ? "filling" : "live", truncated, asOf: Date.now(), fault: null };
          if (page === 0) this.watch();
          if (page === 0) this.tell();
          else this.changed();
        }
        if (truncated) break;
      }
      if (!first) {
        this.objects = into;
        this.view = { state: "live", truncated, asOf: Date.now(), fault: null };
        this.watch();
        this.tell();
      }
      this.tries = 0;
    } catch (error) {
      if (!signal.aborted) this.failed(asFault(error));
    }
  }

  private watch(): void {
    this.unwatch();
    const ask = () =>
      kubeUrl(this.of.cluster, this.path, {
        ...this.selectors, watch: true, resourceVersion: this.version, allowWatchBookmarks: true,
      });
    this.unwatch = this.live.keep(ask, {
      begun: () => this.fresh(),
      lines: (lines) => {
        for (const line of lines) if (!this.hear(line)) return;
        this.fresh();
        this.changed();
      },
      ended: ({ fault, lost }) => {
        if (fault === null) return true;
        if (lost) {
          this.stale(fault);
          return true;
        }
        // Too old to go on from: what there is now is read anew.
        if (fault.status === 410) void this.list();
        else this.failed(fault);
        return false;
      },
    });
  }

  /** Takes one event; false when the watch is of no use any more. */
  private hear(line: string): boolean {
    const event = JSON.parse(line) as { type: string; object: KubeObject };
    const { object } = event;
    if (event.type === "ERROR") {
      const { code = 500 } = object as { code?: number };
      this.unwatch();
      if (code === 410) void this.list();
      else this.failed(faultOf(code, JSON.stringify(object)));
      return false;
    }
    this.version = object.metadata.resourceVersion ?? this.version;
    if (event.type === "BOOKMARK") return true;
    const key = keyOf(object);
    if (event.type === "DELETED") {
      this.objects.delete(key);
      this.gone.add(key);
    } else if (this.objects.has(key) || this.objects.size < MOST_OBJECTS) {
      this.objects.set(key, kept(object));
      this.gone.delete(key);
    } else {
      this.view = { ...this.view, truncated: true };
    }
    return true;
  }

  private fresh(): void {
    if (this.view.state !== "stale") return;
    this.view = { ...this.view, state: "live", fault: null };
    this.changed();
  }

  private stale(fault: Fault | null): void {
    if (this.view.state === "loading" || this.view.state === "failed") return;
    this.view = { ...this.view, state: "stale", asOf: this.view.state === "stale" ? this.view.asOf : Date.now(), fault };
    this.changed();
  }

  private failed(fault: Fault): void {
    const known = this.view.state !== "loading" && this.view.state !== "failed";
    this.view = { ...this.view, state: known ? "stale" : "failed", asOf: this.view.asOf || Date.now(), fault };
    this.tell();
    // What may pass is tried again; what is refused waits for somebody.
    if (fault.status !== 0 && fault.status < 500 && fault.status !== 429 && fault.status !== 410) return;
    const wait = fault.retryAfter !== null ? fault.retryAfter * 1000 : Math.min(1000 * 2 ** this.tries++, 15_000);
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.list(), wait);
  }
}

function keyOf({ metadata }: KubeObject): string {
  return metadata.uid ?? `${metadata.namespace ?? ""}/${metadata.name}`;
}

/** An object as it is kept. Those of a list do not say what they are: the list does. */
function kept(object: KubeObject, list?: List): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  const kind = object.kind ?? list?.kind?.replace(/List$/, "") ?? "";
  return { ...object, apiVersion: object.apiVersion ?? list?.apiVersion ?? "", kind, metadata };
}

/** The objects of several kinds, or of several clusters, live for as long as a page shows them: a view for each. */
export function useObjects(of: TableOf[], live: Live): { views: ObjectsView[]; refresh: () => void } {
  const key = JSON.stringify(of);
  const held = useMemo(() => new ObjectStores((JSON.parse(key) as TableOf[]).map((one) => new ObjectStore(one, live))), [key, live]);
  return { views: useSyncExternalStore(held.subscribe, held.snapshot), refresh: held.refresh };
}

/** Several stores as one, started while somebody looks. */
class ObjectStores {
  private users = 0;
  private shown: ObjectsView[] = [];

  constructor(private readonly stores: ObjectStore[]) {}

  readonly subscribe = (hear: () => void): (() => void) => {
    const leave = this.stores.map((store) => store.subscribe(hear));
    if (this.users++ === 0) this.stores.forEach((store) => store.start());
    return () => {
      leave.forEach((each) => each());
      if (--this.users === 0) this.stores.forEach((store) => store.stop());
    };
  };

  /** The same array for as long as all views in it are the same. */
  readonly snapshot = (): ObjectsView[] => {
    const views = this.stores.map((store) => store.snapshot());
    if (this.shown.length !== views.length || views.some((view, at) => view !== this.shown[at])) this.shown = views;
    return this.shown;
  };

  readonly refresh = (): void => this.stores.forEach((store) => store.refresh());
}
