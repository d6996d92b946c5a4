/** Get, list page by page, and watch. */
import { json, status, type Answer, type Asked } from "../door/answer.ts";
import type { KubeObject } from "./object.ts";
import { apiVersion, qualified, type Resource } from "./resource.ts";
import { selection } from "./select.ts";
import type { Change, Collection } from "./store.ts";
import { partial, tableOf, wanted, type Form } from "./table.ts";

/** How many changes a watch takes at a time. */
const AT_ONCE = 500;
const BOOKMARK_MS = 10_000;

export function notFound(resource: Resource, name: string): Answer {
  return status(404, "NotFound", `${qualified(resource)} "${name}" not found`, { name, group: resource.group, kind: resource.plural });
}

export function get(collection: Collection, object: KubeObject, asked: Asked): Answer {
  const form = wanted(asked.accept, asked.query);
  if (!form.table) return json(object);
  return json(tableOf(collection.resource, [object], form.include, { resourceVersion: object.metadata.resourceVersion ?? "" }));
}

interface Continue {
  version: string;
  after: string;
}

export function listPage(collection: Collection, version: number, namespace: string | undefined, asked: Asked): Answer {
  const { query } = asked;
  const limit = Number(query.get("limit") ?? 0) || Infinity;
  const selects = selection(query, namespace);
  const from = query.get("continue");
  let place: Continue | undefined;
  if (from) {
    try {
      place = JSON.parse(Buffer.from(from, "base64url").toString()) as Continue;
    } catch {
      return status(400, "BadRequest", "continue key is not valid: illegal base64 data");
    }
    if (collection.after(Number(place.version), 1) === "gone") return expired();
  }
  const keys = collection.keys();
  let index = place === undefined ? 0 : firstAfter(keys, place.after);
  const page: KubeObject[] = [];
  for (; index < keys.length && page.length < limit; index += 1) {
    const object = collection.objects.get(keys[index] ?? "");
    if (object !== undefined && selects(object)) page.push(object);
  }
  const more = index < keys.length && keys.slice(index).some((key) => selects(collection.objects.get(key) as KubeObject));
  const selected = query.has("labelSelector") || query.has("fieldSelector") || namespace !== undefined;
  const at = place?.version ?? String(version);
  const metadata = {
    resourceVersion: at,
    ...(more ? { continue: Buffer.from(JSON.stringify({ version: at, after: keys[index - 1] })).toString("base64url") } : {}),
    ...(more && !selected ? { remainingItemCount: keys.length - index } : {}),
  };
  const form = wanted(asked.accept, query);
  if (form.table) return json(tableOf(collection.resource, page, form.include, metadata));
  return json({ kind: `${collection.resource.kind}List`, apiVersion: apiVersion(collection.resource), metadata, items: page });
}

function firstAfter(keys: readonly string[], after: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? "") <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}

function expired(): Answer {
  return status(410, "Expired", "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.");
}

const GONE = JSON.stringify({
  type: "ERROR",
  object: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message: "too old resource version", reason: "Expired", code: 410 },
});

export function watch(collection: Collection, version: number, namespace: string | undefined, asked: Asked): Answer {
  return { status: 200, type: "application/json", headers: {}, body: changes(collection, version, namespace, asked) };
}

async function* changes(collection: Collection, now: number, namespace: string | undefined, asked: Asked): AsyncGenerator<string[]> {
  const { query, signal } = asked;
  const selects = selection(query, namespace);
  const write = writer(collection.resource, wanted(asked.accept, query));
  const asks = query.get("resourceVersion") ?? "";
  const initial = query.get("sendInitialEvents") === "true";
  const ends = Date.now() + (Number(query.get("timeoutSeconds")) || 3000) * 1000;
  let version = Number(asks);
  if (initial || version === 0) {
    version = now;
    const all = collection.keys().map((key) => collection.objects.get(key)).filter((object): object is KubeObject => object !== undefined && selects(object));
    for (let from = 0; from < all.length; from += AT_ONCE) yield all.slice(from, from + AT_ONCE).map((object) => write("ADDED", object));
    if (initial) yield [write("BOOKMARK", mark(collection, version, { "k8s.io/initial-events-end": "true" }))];
  }
  let marked = Date.now();
  while (!signal.aborted && Date.now() < ends) {
    const some = collection.after(version, AT_ONCE);
    if (some === "gone") {
      yield [GONE];
      return;
    }
    const lines = some.flatMap((change) => told(change, selects).map(([type, object]) => write(type, object)));
    version = some.at(-1)?.version ?? version;
    if (lines.length > 0) yield lines;
    if (some.length > 0) continue;
    await collection.next(signal, Math.min(BOOKMARK_MS, Math.max(0, ends - Date.now())));
    if (query.get("allowWatchBookmarks") === "true" && Date.now() - marked >= BOOKMARK_MS) {
      marked = Date.now();
      yield [write("BOOKMARK", mark(collection, version))];
    }
  }
}

/** As a selector sees a change: what leaves the selection is deleted, what comes into it is added. */
function told(change: Change, selects: (object: KubeObject) => boolean): [string, KubeObject][] {
  const was = change.before !== undefined && selects(change.before);
  const is = change.type !== "DELETED" && selects(change.object);
  if (is) return [[was ? "MODIFIED" : "ADDED", change.object]];
  return was ? [["DELETED", change.object]] : [];
}

function mark(collection: Collection, version: number, annotations?: Record<string, string>): KubeObject {
  const metadata = { resourceVersion: String(version), creationTimestamp: null, ...(annotations ? { annotations } : {}) };
  return { kind: collection.resource.kind, apiVersion: apiVersion(collection.resource), metadata: metadata as unknown as KubeObject["metadata"] };
}

function writer(resource: Resource, form: Form): (type: string, object: KubeObject) => string {
  let first = true;
  return (type, object) => {
    if (!form.table) return JSON.stringify({ type, object });
    const metadata = { resourceVersion: object.metadata.resourceVersion ?? "" };
    const table = type === "BOOKMARK" ? { ...tableOf(resource, [], "None", metadata, first), rows: [{ cells: [], object: partial(object.metadata) }] } : tableOf(resource, [object], form.include, metadata, first);
    first = false;
    return JSON.stringify({ type, object: table });
  };
}
