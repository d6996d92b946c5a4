// The kind that an address names, as the cluster's discovery knows it.

import { find, useDiscovery } from "../api/discovery.ts";
import type { Resource } from "../api/kube.ts";
import { namedByKind, type Named } from "./places.ts";

export interface KnownKind {
  /** As the discovery tells it, in the version of the address; null as long as that is not known. */
  kind: Resource | null;
  /** The cluster does not serve it at all. */
  absent: boolean;
  /** The version to look at in place of the address's, where the cluster prefers another. */
  preferred: string;
}

export function useKind(cluster: string, of: Named): KnownKind {
  const { data } = useDiscovery(cluster);
  const found = find(data, of.group, of.resource);
  return {
    kind: found === undefined ? null : { ...found, version: of.version },
    absent: data !== undefined && found === undefined,
    preferred: found?.version ?? of.version,
  };
}

/** From apiVersion and kind, as owners and events name objects, to where the object is. */
export function useNaming(cluster: string): (apiVersion: string, kind: string) => Named {
  const { data } = useDiscovery(cluster);
  return (apiVersion, kind) => namedByKind(apiVersion, kind, data);
}
