// What a cluster's own OpenAPI v3 document says of its kinds: which fields there are, of what type, and what they are for.
//
// One document a group and version, read when an editor needs it. References may go round in circles (JSONSchemaProps does), so
// a schema is resolved step by step along a path and never unfolded.

import { useQueries } from "@tanstack/react-query";
import { kube } from "../../api/kube.ts";

export interface Schema {
  $ref?: string;
  allOf?: Schema[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  type?: string;
  format?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema | boolean;
  enum?: unknown[];
  nullable?: boolean;
  "x-kubernetes-group-version-kind"?: { group: string; version: string; kind: string }[];
  "x-kubernetes-int-or-string"?: boolean;
  "x-kubernetes-preserve-unknown-fields"?: boolean;
  "x-kubernetes-embedded-resource"?: boolean;
  "x-kubernetes-validations"?: { rule: string; message?: string }[];
}

export interface OpenApi {
  components?: { schemas?: Record<string, Schema> };
}

export type Path = (string | number)[];

/** So many references in a row lead nowhere. */
const MOST_STEPS = 16;

export class Kinds {
  private readonly kinds = new Map<string, Schema>();

  constructor(private readonly documents: OpenApi[]) {
    for (const document of documents) {
      for (const schema of Object.values(document.components?.schemas ?? {})) {
        const names = schema["x-kubernetes-group-version-kind"] ?? [];
        // What stands for many kinds (DeleteOptions) is none of them.
        if (names.length !== 1) continue;
        for (const { group, version, kind } of names) this.kinds.set(`${group === "" ? version : `${group}/${version}`} ${kind}`, schema);
      }
    }
  }

  /** The schema of a kind; undefined where the cluster tells of none. */
  of(apiVersion: string, kind: string): Schema | undefined {
    return this.kinds.get(`${apiVersion} ${kind}`);
  }

  /** The schema with its references followed, and what stands beside them. */
  resolve(schema: Schema): Schema {
    let now = schema;
    for (let step = 0; step < MOST_STEPS; step++) {
      const to = now.$ref ?? (now.allOf?.length === 1 ? now.allOf[0]?.$ref : undefined);
      if (to === undefined) return now;
      const { $ref, allOf, ...beside } = now;
      const found = this.named(to);
      if (found === undefined) return beside;
      now = { ...found, ...beside };
    }
    return {};
  }

  /** The schema at a path below another; undefined where it says nothing of it. */
  at(root: Schema, path: Path): Schema | undefined {
    let now: Schema | undefined = this.resolve(root);
    for (const step of path) {
      now = this.below(now, step);
      if (now === undefined) return undefined;
    }
    return now;
  }

  below(schema: Schema, step: string | number): Schema | undefined {
    const found =
      typeof step === "number"
        ? schema.items
        : (schema.properties?.[step] ?? (typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined));
    return found === undefined ? undefined : this.resolve(found);
  }

  private named(reference: string): Schema | undefined {
    const name = reference.replace("#/components/schemas/", "");
    for (const document of this.documents) {
      const schemas = document.components?.schemas;
      if (schemas !== undefined && Object.hasOwn(schemas, name)) return schemas[name];
    }
    return undefined;
  }
}

/** `int or string`, `string (date-time)`, `array of object` */
export function typeWords(schema: Schema, kinds: Kinds): string {
  if (takesIntOrString(schema)) return "integer or string";
  if (schema.type === "array") return `array of ${schema.items === undefined ? "anything" : typeWords(kinds.resolve(schema.items), kinds)}`;
  const type = schema.type ?? (schema.properties === undefined ? "anything" : "object");
  return schema.format === undefined ? type : `${type} (${schema.format})`;
}

export function takesIntOrString(schema: Schema): boolean {
  const types = (schema.oneOf ?? schema.anyOf ?? []).map(({ type }) => type);
  return (
    schema["x-kubernetes-int-or-string"] === true || schema.format === "int-or-string" ||
    (types.includes("string") && (types.includes("integer") || types.includes("number")))
  );
}

/** Where the OpenAPI document of an apiVersion is. */
function pathOf(apiVersion: string): string {
  return `/openapi/v3/${apiVersion.includes("/") ? "apis" : "api"}/${apiVersion}`;
}

/** The kinds of some apiVersions in a cluster, as far as they have come. A cluster that tells nothing of them has no schemas. */
export function useKinds(cluster: string | undefined, apiVersions: string[]): { kinds: Kinds; missing: boolean } {
  return useQueries({
    queries: (cluster === undefined ? [] : apiVersions).map((apiVersion) => ({
      queryKey: ["openapi", cluster, apiVersion],
      queryFn: ({ signal }: { signal: AbortSignal }) => kube<OpenApi>(cluster ?? "", pathOf(apiVersion), { signal }),
      staleTime: 5 * 60_000,
      // The core group's is some megabytes.
      gcTime: 60_000,
      retry: false,
    })),
    combine: combined,
  });
}

let before: { documents: OpenApi[]; kinds: Kinds } = { documents: [], kinds: new Kinds([]) };

/** The same documents give the same object, so that editors are not set up anew at each render. */
function kindsOf(documents: OpenApi[]): Kinds {
  const same = before.documents.length === documents.length && documents.every((one, at) => one === before.documents[at]);
  if (!same) before = { documents, kinds: new Kinds(documents) };
  return before.kinds;
}

function combined(answers: { data: OpenApi | undefined; isError: boolean }[]): { kinds: Kinds; missing: boolean } {
  const documents = answers.map(({ data }) => data).filter((data) => data !== undefined);
  return { kinds: kindsOf(documents), missing: answers.some(({ isError }) => isError) };
}
