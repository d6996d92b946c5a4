/** Puts a payload into every string that a cluster controls, in places where the API's grammar would not let it as well. */
import type { ApiServer } from "../kubernetes/api.ts";
import { EVENTS, CONFIG_MAPS, NAMESPACES, NODES, SECRETS, SERVICES } from "../kubernetes/kinds/core.ts";
import { isFields, list, type KubeObject } from "../kubernetes/object.ts";
import { CALICO, INGRESSES, NETWORK_POLICIES } from "../kubernetes/kinds/policies.ts";
import { PODS } from "../kubernetes/kinds/pods.ts";
import { DEPLOYMENTS } from "../kubernetes/kinds/workloads.ts";
import { column, resource, type Resource } from "../kubernetes/resource.ts";
import { hash } from "../random.ts";
import { PAYLOADS, Turn } from "./payloads.ts";
import type { Seeding } from "./seeding.ts";
import { put } from "./seeding.ts";

/** A kind whose every name is a payload. */
export function poisonedKind(turn: Turn): Resource {
  const plain = resource("Poison", "poison.example.com/v1");
  return {
    ...plain,
    kind: `Poison${turn.next()}`,
    short: [turn.next()],
    categories: ["all", turn.next()],
    columns: [
      ...plain.columns,
      column(turn.next(), () => turn.next(), { description: turn.next() }),
      column(turn.next(), () => ({ object: turn.next() }), { description: turn.next(), priority: 1 }),
    ],
  };
}

const SHAPE_KEEPS = new Set(["name", "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "apiVersion", "kind", "ownerReferences", "managedFields"]);

/** An object with every string in it replaced, but for what it is found by. */
function poisoned(value: unknown, turn: Turn, depth = 0): unknown {
  if (typeof value === "string") return turn.next();
  if (Array.isArray(value)) return list(value).map((item) => poisoned(item, turn, depth + 1));
  if (!isFields(value)) return value;
  const keeps = depth <= 1;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, keeps && SHAPE_KEEPS.has(key) ? inner : poisoned(inner, turn, depth + 1)]));
}

export function poison(seeding: Seeding, server: ApiServer): void {
  const turn = new Turn(hash(seeding.cluster) % PAYLOADS.length);
  const kinds: Resource[] = [PODS, DEPLOYMENTS, NODES, SERVICES, CONFIG_MAPS, SECRETS, EVENTS, NETWORK_POLICIES, INGRESSES];
  if (server.kinds.includes(CALICO.global)) kinds.push(CALICO.global, CALICO.namespaced, CALICO.staged, CALICO.tiers);
  for (const kind of kinds) {
    const collection = server.store.of(kind);
    const like = collection.objects.get(collection.keys()[0] ?? "");
    if (like === undefined) continue;
    for (const payload of PAYLOADS.filter((_, index) => index % (kind === PODS ? 1 : 10) === 0)) {
      const made = poisoned(like, turn) as KubeObject;
      const labels = { [turn.next()]: turn.next(), app: turn.next() };
      const metadata = { ...like.metadata, name: payload, labels, annotations: { [turn.next()]: turn.next() }, uid: seeding.random.uid() };
      collection.put({ ...made, metadata });
    }
    // Those with names that can be: their pages open, with everything else in them poisoned.
    collection.put({ ...(poisoned(like, turn) as KubeObject), metadata: { ...like.metadata, name: "poisoned", uid: seeding.random.uid(), labels: { app: turn.next() }, annotations: { note: turn.next() } } });
  }
  for (let index = 0; index < 20; index += 1) put(seeding, NAMESPACES, { name: turn.next() }, { status: { phase: turn.next() } });
  const own = server.kinds.find((kind) => kind.group === "poison.example.com");
  if (own) for (let index = 0; index < 30; index += 1) put(seeding, own, { name: turn.next(), namespace: "default" }, { spec: { [turn.next()]: turn.next() } });
  server.say = (_random, _pod, _container, index) => PAYLOADS[index % PAYLOADS.length] ?? "";
}
