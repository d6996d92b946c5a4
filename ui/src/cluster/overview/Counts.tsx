// How many there are of what people look for: one small request a kind, for a page of one, which says how many remain.

import { useQueries } from "@tanstack/react-query";
import { Link } from "react-router";
import { find, useDiscovery } from "../../api/discovery.ts";
import { kube, resourcePath, type Resource } from "../../api/kube.ts";
import { count } from "../../parts/numbers.ts";
import { listPath, pluralOf } from "../places.ts";

const COUNTED: Pick<Resource, "group" | "resource">[] = [
  { group: "", resource: "namespaces" },
  { group: "", resource: "pods" },
  { group: "", resource: "services" },
];

const POLICIES: Pick<Resource, "group" | "resource">[] = [
  { group: "networking.k8s.io", resource: "networkpolicies" },
  { group: "policy.networking.k8s.io", resource: "clusternetworkpolicies" },
  { group: "policy.networking.k8s.io", resource: "adminnetworkpolicies" },
  { group: "projectcalico.org", resource: "tiers" },
  { group: "projectcalico.org", resource: "globalnetworkpolicies" },
  { group: "projectcalico.org", resource: "networkpolicies" },
];

interface Counted {
  items?: unknown[];
  metadata?: { remainingItemCount?: number; continue?: string };
}

/** How many objects a kind has; null where the server does not say. */
export function countOf({ items = [], metadata = {} }: Counted): number | null {
  if (metadata.continue === undefined || metadata.continue === "") return items.length;
  return metadata.remainingItemCount === undefined ? null : items.length + metadata.remainingItemCount;
}

const METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";

function useCounts(cluster: string, wanted: Pick<Resource, "group" | "resource">[]) {
  const { data: kinds } = useDiscovery(cluster);
  const served = wanted.map(({ group, resource }) => find(kinds, group, resource)).filter((one) => one !== undefined);
  return useQueries({
    queries: served.map((kind) => ({
      queryKey: ["count", cluster, kind.group, kind.resource],
      queryFn: ({ signal }: { signal: AbortSignal }) => kube<Counted>(cluster, resourcePath(kind), { query: { limit: 1 }, accept: METADATA, signal }).then(countOf),
      staleTime: 30_000,
      retry: false,
    })),
    combine: (answers) => answers.map(({ data }, at) => ({ kind: served[at], total: data ?? null })),
  });
}

function List({ cluster, wanted, none }: { cluster: string; wanted: Pick<Resource, "group" | "resource">[]; none: string }) {
  const counts = useCounts(cluster, wanted);
  if (counts.length === 0) return <p>{none}</p>;
  return (
    <ul className="tl-plain">
      {counts.map(({ kind, total }) => kind !== undefined && (
        <li key={`${kind.group}/${kind.resource}`}>
          <Link to={listPath(cluster, kind)}>{total === null ? "" : count(total)} {pluralOf(kind.kind, kind.resource)}</Link>{" "}
          {kind.group !== "" && <span className="tl-count">{kind.group}</span>}
        </li>
      ))}
    </ul>
  );
}

export function ObjectCounts({ cluster }: { cluster: string }) {
  return <List cluster={cluster} wanted={COUNTED} none="Nothing is served." />;
}

export function PolicyCounts({ cluster }: { cluster: string }) {
  return (
    <>
      <List cluster={cluster} wanted={POLICIES} none="The cluster serves no kind of policy." />
      <Link to={`/c/${encodeURIComponent(cluster)}/policies`}>The board of policies</Link>
    </>
  );
}
