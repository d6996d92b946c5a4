// Writing objects to a cluster: tried first (dry run), then done.
//
// Editing is a PUT of the whole object with the resourceVersion that was read, and not a server-side apply: what a person took
// out of the text goes away (apply keeps what another field manager owns), what they saw is what is compared, and a change by
// somebody else in between is a conflict (409) that is shown, whoever owns the field. Creating is a POST, so that nothing that
// is there is ever overwritten by a paste.

import { kube, resourcePath, type KubeObject, type Query, type Resource } from "../../api/kube.ts";

const MANAGER = "trunkline-manager";

export type Kind = Pick<Resource, "group" | "version" | "resource" | "namespaced">;

export interface Write {
  cluster: string;
  kind: Kind;
  /** As it was read; null for an object that is to be made. */
  base: KubeObject | null;
  mine: KubeObject;
}

/** Sends it; with `dry` the server says what would come of it, and nothing is changed. */
export async function write({ cluster, kind, base, mine }: Write, dry: boolean, signal?: AbortSignal): Promise<KubeObject> {
  const query: Query = { fieldManager: MANAGER, fieldValidation: "Strict", dryRun: dry ? "All" : undefined };
  const namespace = kind.namespaced ? (mine.metadata.namespace ?? base?.metadata.namespace ?? "default") : "";
  const more = signal === undefined ? {} : { signal };
  if (base === null) {
    return kube<KubeObject>(cluster, resourcePath(kind, namespace), { method: "POST", query, body: mine, ...more });
  }
  const body: KubeObject = {
    ...mine,
    // A kind without a status of its own way would lose it.
    ...(mine["status"] === undefined && base["status"] !== undefined ? { status: base["status"] } : {}),
    metadata: {
      ...mine.metadata,
      ...(base.metadata.uid === undefined ? {} : { uid: base.metadata.uid }),
      ...(base.metadata.resourceVersion === undefined ? {} : { resourceVersion: base.metadata.resourceVersion }),
    },
  };
  return kube<KubeObject>(cluster, resourcePath(kind, namespace, base.metadata.name), { method: "PUT", query, body, ...more });
}

/** The object as it is now. */
export function readAgain({ cluster, kind, base, mine }: Write): Promise<KubeObject> {
  const namespace = kind.namespaced ? (mine.metadata.namespace ?? base?.metadata.namespace ?? "default") : "";
  return kube<KubeObject>(cluster, resourcePath(kind, namespace, (base ?? mine).metadata.name));
}

/** The group and the version of an apiVersion. */
export function groupVersion(apiVersion: string): { group: string; version: string } {
  const [first = "", second] = apiVersion.split("/");
  return second === undefined ? { group: "", version: first } : { group: first, version: second };
}

/** How the cluster names the kind of an object, by its discovery; the object's own version is kept. */
export function kindOf(object: Pick<KubeObject, "apiVersion" | "kind">, resources: Resource[] | undefined): Kind | undefined {
  const { group, version } = groupVersion(object.apiVersion);
  const found = resources?.find((one) => one.group === group && one.kind === object.kind && !one.resource.includes("/"));
  return found === undefined ? undefined : { group, version, resource: found.resource, namespaced: found.namespaced };
}
