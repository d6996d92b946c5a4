/** A kind of object as an API server serves it: its names, and the columns of its table. */
import { age, at, text, type KubeObject } from "./object.ts";

export interface Column {
  name: string;
  type: "string" | "integer" | "number" | "boolean" | "date";
  format: string;
  description: string;
  /** 0 is shown always, more only by `-o wide`. */
  priority: number;
  cell: (object: KubeObject) => unknown;
}

export interface Resource {
  group: string;
  version: string;
  plural: string;
  singular: string;
  kind: string;
  namespaced: boolean;
  short: string[];
  categories: string[];
  subresources: string[];
  columns: Column[];
}

export function apiVersion(resource: { group: string; version: string }): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

/** `deployments.apps`, as messages name it. */
export function qualified(resource: { group: string; plural: string }): string {
  return resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
}

export function column(name: string, cell: Column["cell"], rest: Partial<Column> = {}): Column {
  return { name, type: "string", format: "", description: "", priority: 0, cell, ...rest };
}

export const NAME = column("Name", (object) => object.metadata.name, {
  format: "name",
  description: "Name must be unique within a namespace.",
});

export const AGE = column("Age", (object) => age(object.metadata.creationTimestamp), {
  description: "CreationTimestamp is a timestamp representing the server time when this object was created.",
});

/** A column that shows what lies at a path, as a custom resource's do. */
export function field(name: string, ...path: (string | number)[]): Column {
  return column(name, (object) => {
    const value = at(object, ...path);
    return typeof value === "object" && value !== null ? JSON.stringify(value) : typeof value === "number" || typeof value === "boolean" ? value : text(value);
  });
}

export function wide(column: Column): Column {
  return { ...column, priority: 1 };
}

export function resource(
  kind: string,
  apiVersion: string,
  rest: Partial<Resource> & { columns?: Column[] } = {},
): Resource {
  const [version, group] = apiVersion.split("/").reverse();
  const singular = kind.toLowerCase();
  return {
    group: group ?? "",
    version: version ?? "",
    plural: `${singular}s`,
    singular,
    kind,
    namespaced: true,
    short: [],
    categories: [],
    subresources: [],
    ...rest,
    columns: [NAME, ...(rest.columns ?? []), AGE],
  };
}
