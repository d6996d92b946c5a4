// Which kinds of objects a cluster serves: the aggregated discovery (KEP-3352), read once a cluster and kept for five minutes.

import { useQuery } from "@tanstack/react-query";
import { kube, type Resource } from "./kube.ts";

const ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

interface GroupDiscovery {
  metadata?: { name?: string };
  versions?: { version: string; resources?: ResourceDiscovery[] }[];
}

interface ResourceDiscovery {
  resource: string;
  responseKind?: { kind?: string };
  scope?: string;
  verbs?: string[];
  shortNames?: string[];
  subresources?: { subresource: string }[];
}

/** All that a cluster serves, each kind by the version its group prefers. */
export async function discover(cluster: string, signal?: AbortSignal): Promise<Resource[]> {
  const read = (path: string) =>
    kube<{ items?: GroupDiscovery[] }>(cluster, path, { accept: ACCEPT, ...(signal ? { signal } : {}) });
  const [core, groups] = await Promise.all([read("/api"), read("/apis")]);
  return [...(core.items ?? []), ...(groups.items ?? [])].flatMap(resourcesOf);
}

function resourcesOf(group: GroupDiscovery): Resource[] {
  const seen = new Set<string>();
  return (group.versions ?? []).flatMap(({ version, resources }) =>
    (resources ?? [])
      // The preferred version comes first.
      .filter(({ resource }) => !seen.has(resource) && seen.add(resource))
      .map((found) => ({
        group: group.metadata?.name ?? "",
        version,
        resource: found.resource,
        kind: found.responseKind?.kind ?? found.resource,
        namespaced: found.scope === "Namespaced",
        verbs: found.verbs ?? [],
        shortNames: found.shortNames ?? [],
        subresources: (found.subresources ?? []).map(({ subresource }) => subresource),
      })),
  );
}

export function useDiscovery(cluster: string) {
  return useQuery({
    queryKey: ["discovery", cluster],
    queryFn: ({ signal }) => discover(cluster, signal),
    staleTime: 5 * 60_000,
  });
}

/** The kind of a group and a resource's name, whatever the version. */
export function find(resources: Resource[] | undefined, group: string, resource: string): Resource | undefined {
  return resources?.find((found) => found.group === group && found.resource === resource);
}
