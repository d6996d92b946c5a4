// The rows of a kind of objects, as the API server itself prints them (Table, meta.k8s.io/v1): any kind, custom ones as well,
// with the columns that kubectl shows.
//
// Pages of 1,000 come one after the other and are shown as they come; a watch from where the list stood tells what changes.
//
// Invariants:
// - a row is never older than what the watch told of it, and what was deleted meanwhile does not come back with a later page;
// - no more than MOST_ROWS are kept, and it is said when there are more;
// - when the watch is lost or too old (410), rows stay and are marked as of then, and the list is read again.

import { useMemo, useSyncExternalStore } from "react";
import { Batched } from "./batch.ts";
import type { Fault} from "./fault.ts";
import { asFault, faultOf } from "./fault.ts";
import { kube, kubeUrl, resourcePath, type KubeObject, type ObjectMeta, type Query, type Resource } from "./kube.ts";
import type { Live } from "./live.ts";

export const PAGE = 1_000;
export const MOST_ROWS = 50_000;
const AS_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

export interface Column {
  name: string;
  type: string;
  format: string;
  description: string;
  /** 0 is what everybody wants to see; more is for a wide view. */
  priority: number;
}

export interface Row {
  uid: string;
  name: string;
  namespace: string;
  cells: unknown[];
  metadata: ObjectMeta;
}

export interface TableView {
  columns: Column[];
  rows: Row[];
  /** `loading` until the first page has come; `filling` while there are more. */
  state: "loading" | "filling" | "live" | "stale" | "failed";
  /** How many are still to come, as the server guesses. */
  remaining: number;
  /** There are more than are kept. */
  truncated: boolean;
  /** As of when rows are, where they are not live (ms since 1970). */
  asOf: number;
  fault: Fault | null;
}

interface Table {
  columnDefinitions?: Column[];
  rows?: { cells: unknown[]; object: KubeObject }[];
  metadata: { continue?: string; resourceVersion?: string; remainingItemCount?: number };
}

export interface TableOf {
  cluster: string;
  resource: Pick<Resource, "group" | "version" | "resource">;
  /** Empty for all. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

export class TableStore extends Batched<TableView> {
  private columns: Column[] = [];
  private rows = new Map<string, Row>();
  private gone = new Set<string>();
  private view: Omit<TableView, "rows" | "columns"> = {
    state: "loading", remaining: 0, truncated: false, asOf: 0, fault: null,
  };
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

  protected override build(): TableView {
    return { ...this.view, columns: this.columns, rows: [...this.rows.values()] };
  }

  private get path(): string {
    return resourcePath(this.of.resource, this.of.namespace);
  }

  private get selectors(): Query {
    return { labelSelector: this.of.labelSelector, fieldSelector: this.of.fieldSelector };
  }

  private async list(): Promise<void> {
    const { signal } = this.stopper;
    const fresh = new Map<string, Row>();
    const first = this.rows.size === 0;
    this.gone.clear();
    try {
      for (let token: string | undefined, page = 0; page === 0 || token; page++) {
        const table = await this.page(token, signal);
        this.columns = table.columnDefinitions?.length ? table.columnDefinitions : this.columns;
        const into = first ? this.rows : fresh;
        for (const row of rowsOf(table)) if (!this.gone.has(row.uid) && !into.has(row.uid)) into.set(row.uid, row);
        if (page === 0) {
          this.version = table.metadata.resourceVersion ?? "";
          // A list that is read again replaces what was there when it is whole.
          if (first) this.watch();
        }
        token = table.metadata.continue;
        const truncated = into.size >= MOST_ROWS && token !== undefined && token !== "";
        const state = token && !truncated ? "filling" : "live";
        const remaining = table.metadata.remainingItemCount ?? 0;
        if (first) this.view = { state, remaining, truncated, asOf: Date.now(), fault: null };
        if (page === 0 && first) this.tell();
        else this.changed();
        if (truncated) break;
      }
      if (!first) {
        this.rows = fresh;
        this.view = { ...this.view, state: "live", remaining: 0, asOf: Date.now(), fault: null };
        this.watch();
        this.tell();
      }
      this.tries = 0;
    } catch (error) {
      if (!signal.aborted) this.failed(asFault(error));
    }
  }

  /** A page; or all in one where the server has forgotten how far the pages were (410), as client-go's pager does. */
  private async page(token: string | undefined, signal: AbortSignal): Promise<Table> {
    const read = (part: Query) =>
      kube<Table>(this.of.cluster, this.path, { query: { ...this.selectors, includeObject: "Metadata", ...part }, accept: AS_TABLE, signal });
    try {
      return await read({ limit: PAGE, continue: token });
    } catch (error) {
      if (token === undefined || signal.aborted || asFault(error).status !== 410) throw error;
      return read({ limit: MOST_ROWS });
    }
  }

  private watch(): void {
    this.unwatch();
    const ask = () => ({
      as: "table" as const,
      path: kubeUrl(this.of.cluster, this.path, {
        ...this.selectors, watch: true, resourceVersion: this.version, allowWatchBookmarks: true, includeObject: "Metadata",
      }),
    });
    this.unwatch = this.live.keep(ask, {
      lines: (lines) => {
        for (const line of lines) if (!this.hear(line)) return;
        if (this.view.state === "stale") this.view = { ...this.view, state: "live", fault: null };
        this.changed();
      },
      ended: ({ fault, lost }) => {
        if (fault === null || lost) {
          if (lost) this.stale(fault);
          return true;
        }
        this.failed(fault);
        return false;
      },
    });
  }

  /** Takes one event; false when the watch is of no use any more. */
  private hear(line: string): boolean {
    const event = JSON.parse(line) as { type: string; object: unknown };
    if (event.type === "ERROR") {
      const status = event.object as { code?: number };
      this.unwatch();
      if (status.code === 410) void this.list();
      else this.failed(faultOf(status.code ?? 500, JSON.stringify(event.object)));
      return false;
    }
    const table = event.object as Table;
    for (const row of rowsOf(table)) {
      this.version = row.metadata.resourceVersion ?? this.version;
      if (event.type === "BOOKMARK") continue;
      if (event.type === "DELETED") {
        this.rows.delete(row.uid);
        this.gone.add(row.uid);
      } else if (this.rows.has(row.uid) || this.rows.size < MOST_ROWS) {
        this.rows.set(row.uid, row);
      } else {
        this.view = { ...this.view, truncated: true };
      }
    }
    return true;
  }

  private stale(fault: Fault | null): void {
    if (this.view.state === "loading") return;
    this.view = { ...this.view, state: "stale", asOf: this.view.state === "stale" ? this.view.asOf : Date.now(), fault };
    this.changed();
  }

  private failed(fault: Fault): void {
    const known = this.rows.size > 0 || this.columns.length > 0;
    this.view = { ...this.view, state: known ? "stale" : "failed", asOf: this.view.asOf || Date.now(), fault };
    this.tell();
    // What may pass is tried again; what is refused waits for somebody.
    if (fault.status !== 0 && fault.status < 500 && fault.status !== 429 && fault.status !== 410) return;
    const wait = fault.retryAfter !== null ? fault.retryAfter * 1000 : Math.min(1000 * 2 ** this.tries++, 15_000);
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.list(), wait);
  }
}

function rowsOf(table: Table): Row[] {
  return (table.rows ?? []).map(({ cells, object }) => {
    const { managedFields, ...metadata } = object.metadata;
    return {
      uid: metadata.uid ?? `${metadata.namespace ?? ""}/${metadata.name}`,
      name: metadata.name,
      namespace: metadata.namespace ?? "",
      cells,
      metadata,
    };
  });
}

/** The rows of a kind, live for as long as a page shows them. */
export function useTable(of: TableOf, live: Live): TableView & { refresh: () => void } {
  const key = JSON.stringify(of);
  const held = useMemo(() => {
    const store = new TableStore(JSON.parse(key) as TableOf, live);
    let users = 0;
    const subscribe = (hear: () => void) => {
      const leave = store.subscribe(hear);
      if (users++ === 0) store.start();
      return () => {
        leave();
        if (--users === 0) store.stop();
      };
    };
    return { store, subscribe };
  }, [key, live]);
  const view = useSyncExternalStore(held.subscribe, held.store.snapshot);
  return { ...view, refresh: held.store.refresh };
}
