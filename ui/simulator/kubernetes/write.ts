/** Create, replace, patch, apply and delete: with dry-run, conflicts, and what an API server would not take. */
import { isDeepStrictEqual } from "node:util";

import { parse } from "yaml";

import { json, Refused, status, type Answer, type Asked } from "../door/answer.ts";
import { merged, leaves } from "./merge.ts";
import { at, isFields, keyOf, text, type Fields, type KubeObject } from "./object.ts";
import { notFound } from "./read.ts";
import { apiVersion, qualified, type Resource } from "./resource.ts";
import type { Collection } from "./store.ts";

/** Who owns which field, by server-side apply and by edits: `managedFields` in short. */
const owners = new WeakMap<Collection, Map<string, Map<string, string>>>();

function ownersOf(collection: Collection, key: string): Map<string, string> {
  const of = owners.get(collection) ?? new Map<string, Map<string, string>>();
  owners.set(collection, of);
  const fields = of.get(key) ?? new Map<string, string>();
  of.set(key, fields);
  return fields;
}

function read(asked: Asked): Fields {
  try {
    const value: unknown = asked.contentType.includes("yaml") ? parse(asked.body) : JSON.parse(asked.body);
    if (isFields(value)) return value;
  } catch (error) {
    throw new Refused(status(400, "BadRequest", `error decoding: ${error instanceof Error ? error.message : String(error)}`));
  }
  throw new Refused(status(400, "BadRequest", "the object provided is unrecognized (must be of type Object)"));
}

function checked(resource: Resource, object: Fields, namespace: string | undefined, name?: string): KubeObject {
  const no = (code: number, reason: string, message: string): never => {
    throw new Refused(status(code, reason, message));
  };
  if (object["kind"] !== resource.kind || object["apiVersion"] !== apiVersion(resource)) {
    no(400, "BadRequest", `${text(object["kind"])} in version "${text(object["apiVersion"])}" cannot be handled as a ${resource.kind}: expected ${apiVersion(resource)}`);
  }
  const metadata = isFields(object["metadata"]) ? object["metadata"] : {};
  if (name !== undefined && text(metadata["name"]) !== name) no(400, "BadRequest", `the name of the object (${text(metadata["name"])}) does not match the name on the URL (${name})`);
  if (resource.namespaced && text(metadata["namespace"] ?? namespace) !== namespace) {
    no(400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request");
  }
  return { ...object, metadata: { ...metadata, ...(resource.namespaced ? { namespace } : {}) } } as KubeObject;
}

/** What the kind's own validation says: a few of the rules that people meet. */
function validate(resource: Resource, before: KubeObject | undefined, object: KubeObject): void {
  const causes: { reason: string; message: string; field: string }[] = [];
  const replicas = at(object, "spec", "replicas");
  if (replicas !== undefined && (typeof replicas !== "number" || replicas < 0)) {
    causes.push({ reason: "FieldValueInvalid", field: "spec.replicas", message: `Invalid value: ${JSON.stringify(replicas)}: must be greater than or equal to 0` });
  }
  if (resource.group === "apps" && before && !isDeepStrictEqual(at(before, "spec", "selector"), at(object, "spec", "selector"))) {
    causes.push({ reason: "FieldValueInvalid", field: "spec.selector", message: `Invalid value: ${JSON.stringify(at(object, "spec", "selector"))}: field is immutable` });
  }
  if (causes.length === 0) return;
  const { name } = object.metadata;
  const said = causes.map((cause) => `${cause.field}: ${cause.message}`).join(", ");
  throw new Refused(status(422, "Invalid", `${resource.kind}.${resource.group} "${name}" is invalid: ${said}`, { name, group: resource.group, kind: resource.kind, causes }));
}

function keep(collection: Collection, before: KubeObject | undefined, object: KubeObject, asked: Asked, made = false): Answer {
  validate(collection.resource, before, object);
  if (asked.query.get("dryRun") === "All") {
    return json({ ...object, metadata: { ...object.metadata, uid: before?.metadata.uid ?? "00000000-0000-4000-8000-000000000000" } }, made ? 201 : 200);
  }
  const manager = asked.query.get("fieldManager") ?? "unknown";
  const fields = ownersOf(collection, keyOf(object.metadata));
  for (const [path, value] of leaves(object)) if (!before || !isDeepStrictEqual(leaves(before).get(path), value)) fields.set(path, manager);
  const changed = before !== undefined && isDeepStrictEqual({ ...before, metadata: null }, { ...object, metadata: null });
  const generation = (before?.metadata.generation ?? 0) + (changed ? 0 : 1);
  return json(collection.put({ ...object, metadata: { ...object.metadata, generation } }), made ? 201 : 200);
}

export function create(collection: Collection, namespace: string | undefined, asked: Asked): Answer {
  const object = checked(collection.resource, read(asked), namespace);
  const { name } = object.metadata;
  if (collection.objects.has(keyOf(object.metadata))) {
    return status(409, "AlreadyExists", `${qualified(collection.resource)} "${name}" already exists`, { name, group: collection.resource.group, kind: collection.resource.plural });
  }
  return keep(collection, undefined, object, asked, true);
}

export function replace(collection: Collection, namespace: string | undefined, name: string, asked: Asked): Answer {
  const object = checked(collection.resource, read(asked), namespace, name);
  const before = collection.objects.get(keyOf(object.metadata));
  if (before === undefined) return notFound(collection.resource, name);
  const version = object.metadata.resourceVersion;
  if (version && version !== before.metadata.resourceVersion) return modified(collection.resource, name);
  return keep(collection, before, object, asked);
}

function modified(resource: Resource, name: string): Answer {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": the object has been modified; please apply your changes to the latest version and try again`;
  return status(409, "Conflict", message, { name, group: resource.group, kind: resource.plural });
}

export function patch(collection: Collection, namespace: string | undefined, name: string, asked: Asked): Answer {
  const key = keyOf({ namespace, name });
  const before = collection.objects.get(key);
  const change = read(asked);
  const apply = asked.contentType.includes("apply-patch");
  if (before === undefined && !apply) return notFound(collection.resource, name);
  const version = text(at(change, "metadata", "resourceVersion"));
  if (before && version !== "" && version !== before.metadata.resourceVersion) return modified(collection.resource, name);
  if (apply && before && asked.query.get("force") !== "true") {
    const conflicts = conflictsOf(collection, before, change, asked.query.get("fieldManager") ?? "");
    if (conflicts.length > 0) return conflicted(name, conflicts);
  }
  const base = before ?? { apiVersion: apiVersion(collection.resource), kind: collection.resource.kind, metadata: { name } };
  const object = checked(collection.resource, merged(base, change) as Fields, namespace, name);
  return keep(collection, before, object, asked, before === undefined);
}

function conflictsOf(collection: Collection, before: KubeObject, change: Fields, manager: string): { manager: string; field: string }[] {
  const had = leaves(before);
  const owned = ownersOf(collection, keyOf(before.metadata));
  return [...leaves(change)].flatMap(([field, value]) => {
    const owner = owned.get(field);
    return owner !== undefined && owner !== manager && !isDeepStrictEqual(had.get(field), value) ? [{ manager: owner, field }] : [];
  });
}

function conflicted(name: string, conflicts: { manager: string; field: string }[]): Answer {
  const causes = conflicts.map(({ manager, field }) => ({ reason: "FieldManagerConflict", message: `conflict with "${manager}"`, field }));
  const message = `Apply failed with ${causes.length} conflict${causes.length === 1 ? "" : "s"}: ${causes.map((cause) => `${cause.message}: ${cause.field}`).join("\n")}`;
  return status(409, "Conflict", message, { name, causes });
}

export function remove(collection: Collection, namespace: string | undefined, name: string, asked: Asked): Answer {
  const key = keyOf({ namespace, name });
  const object = collection.objects.get(key);
  if (object === undefined) return notFound(collection.resource, name);
  if (asked.query.get("dryRun") !== "All") collection.remove(key);
  const { group, plural } = collection.resource;
  return json({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details: { name, group, kind: plural, uid: object.metadata.uid } });
}
