/** Objects as the server prints them (meta.k8s.io/v1 Table). */
import type { KubeObject, Meta } from "./object.ts";
import type { Resource } from "./resource.ts";

export interface TableRow {
  cells: unknown[];
  object?: unknown;
}

export interface Table {
  kind: "Table";
  apiVersion: "meta.k8s.io/v1";
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  columnDefinitions: unknown[] | null;
  rows: TableRow[];
}

export interface Form {
  table: boolean;
  include: string;
}

/** Which form an answer is wanted in; the first that we know, as API servers choose. */
export function wanted(accept: string, query: URLSearchParams): Form {
  const table = accept.split(",").some((one) => /as=Table/.test(one) && /v=v1\b/.test(one));
  return { table, include: query.get("includeObject") ?? "Metadata" };
}

export function columnsOf(resource: Resource): unknown[] {
  return resource.columns.map(({ name, type, format, description, priority }) => ({ name, type, format, description, priority }));
}

export function rowOf(resource: Resource, object: KubeObject, include: string): TableRow {
  const cells = resource.columns.map((column) => column.cell(object));
  if (include === "None") return { cells };
  return { cells, object: include === "Object" ? object : partial(object.metadata) };
}

export function partial(metadata: Meta): unknown {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata };
}

export function tableOf(resource: Resource, objects: readonly KubeObject[], include: string, metadata: Table["metadata"], columns = true): Table {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: columns ? columnsOf(resource) : null,
    rows: objects.map((object) => rowOf(resource, object, include)),
  };
}
