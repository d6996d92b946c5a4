// Every kind that the cluster's API serves, custom ones as well.

import { Label } from "@patternfly/react-core";
import { useMemo } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { useDiscovery } from "../../api/discovery.ts";
import type { Resource } from "../../api/kube.ts";
import { useAsked } from "../../app/place.ts";
import { Count, DataTable, type DataColumn } from "../../parts/DataTable.tsx";
import { AllHidden, Asked } from "../../parts/states.tsx";
import { groupResource, listPath } from "../places.ts";
import { Filters } from "./Filters.tsx";
import { ListHead } from "./ListPage.tsx";

export function KindsPage() {
  const { cluster = "" } = useParams();
  const kinds = useDiscovery(cluster);
  return (
    <ListHead cluster={cluster} title="All kinds">
      <Asked query={kinds} of={`the kinds of ${cluster}`} cluster={cluster}>
        {(all) => <Kinds cluster={cluster} all={all} />}
      </Asked>
    </ListHead>
  );
}

function Kinds({ cluster, all }: { cluster: string; all: Resource[] }) {
  const [q, setQ] = useAsked("q");
  const navigate = useNavigate();
  const listed = useMemo(() => all.filter(({ verbs }) => verbs.includes("list")), [all]);
  const shown = useMemo(() => {
    const words = q.toLowerCase().split(/\s+/).filter((word) => word !== "");
    const text = ({ kind, group, resource, shortNames }: Resource) => `${kind} ${group} ${resource} ${shortNames.join(" ")}`.toLowerCase();
    return listed.filter((one) => words.every((word) => text(one).includes(word)));
  }, [listed, q]);
  const columns = useMemo<DataColumn<Resource>[]>(
    () => [
      { key: "kind", title: "Kind", cell: (one) => <Link tabIndex={-1} to={listPath(cluster, one)}>{one.kind}</Link>, sort: ({ kind }) => kind },
      { key: "resource", title: "Resource", cell: ({ resource }) => resource, sort: ({ resource }) => resource },
      { key: "short", title: "Short", cell: ({ shortNames }) => shortNames.join(", ") },
      { key: "group", title: "Group", cell: ({ group }) => group || "core", sort: ({ group }) => group },
      { key: "version", title: "Version", cell: ({ version }) => version, sort: ({ version }) => version },
      { key: "scope", title: "Scope", cell: ({ namespaced }) => <Label isCompact variant="outline">{namespaced ? "namespace" : "cluster"}</Label>, sort: ({ namespaced }) => (namespaced ? 1 : 0) },
    ],
    [cluster],
  );
  return (
    <>
      <Filters selectors={false}><Count shown={shown.length} all={listed.length} of="kinds" /></Filters>
      {shown.length === 0
        ? <AllHidden hidden={listed.length} onClear={() => setQ("")} />
        : <DataTable label={`kinds of ${cluster}`} rows={shown} columns={columns} rowKey={groupResource} sorted="kind" onOpen={(one) => void navigate(listPath(cluster, one))} />}
    </>
  );
}
