/** What a cluster's objects are made with. */
import type { Random } from "../random.ts";
import type { KubeObject, Meta } from "../kubernetes/object.ts";
import { apiVersion, type Resource } from "../kubernetes/resource.ts";
import type { Store } from "../kubernetes/store.ts";

export interface Seeding {
  cluster: string;
  store: Store;
  random: Random;
  /** When the simulator started: ages are from here. */
  now: number;
  version: string;
  nodes: string[];
}

/** Some time ago, as the API writes times. */
export function ago(seeding: Seeding, seconds: number): string {
  return new Date(seeding.now - seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
}

export const HOUR = 3600;
export const DAY = 24 * HOUR;

export function put(seeding: Seeding, resource: Resource, metadata: Meta, rest: Record<string, unknown> = {}): KubeObject {
  return seeding.store.of(resource).put({
    apiVersion: apiVersion(resource),
    kind: resource.kind,
    metadata: { creationTimestamp: ago(seeding, seeding.random.whole(2, 90) * DAY), ...metadata },
    ...rest,
  });
}

export function owner(object: KubeObject): NonNullable<Meta["ownerReferences"]> {
  return [{ apiVersion: object.apiVersion, kind: object.kind, name: object.metadata.name, uid: object.metadata.uid ?? "", controller: true }];
}
