// The store of all clusters' records, and how each cluster gets on.

import { Alert } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { rest, take, type Shapes } from "../api/client.ts";
import { DataTable, type DataColumn } from "../parts/DataTable.tsx";
import { Facts } from "../parts/Facts.tsx";
import { bytes, count } from "../parts/numbers.ts";
import { Asked, Nothing } from "../parts/states.tsx";
import { span } from "../parts/time.tsx";

type Standing = Shapes["LogStanding"];

export function LogStore() {
  const status = useQuery({ queryKey: ["log status"], queryFn: () => take(rest.GET("/trunkline/v1/logs/status")), refetchInterval: 5_000 });
  return (
    <Asked query={status} of="the log store">
      {({ store, items }) => (
        <>
          {store?.fault !== null && store?.fault !== undefined && <Alert isInline variant="danger" title="The store is not well">{store.fault}</Alert>}
          <Facts
            facts={[
              ["Kind", store?.kind ?? "none"],
              ["Records", store?.records === null || store?.records === undefined ? "not told" : count(store.records)],
              ["Size", store?.bytes === null || store?.bytes === undefined ? "not told" : bytes(store.bytes)],
              ["Oldest day", store?.oldestDay ?? "–"],
              ["Waiting to be stored", count(store?.waiting ?? 0)],
              ["Lost", count(store?.lost ?? 0)],
            ]}
          />
          {(store?.notes ?? []).map((note) => <Alert key={note} isInline isPlain variant="info" title={note} />)}
          <Standings items={items ?? []} />
        </>
      )}
    </Asked>
  );
}

function Standings({ items }: { items: Standing[] }) {
  if (items.length === 0) return <Nothing title="No cluster has sent a record yet">Register a cluster with logs, or set <code>logs</code> in an agent's file.</Nothing>;
  const columns: DataColumn<Standing>[] = [
    { key: "cluster", title: "Cluster", cell: (one) => one.cluster, sort: (one) => one.cluster ?? "" },
    { key: "dataset", title: "Dataset", cell: (one) => one.dataset, sort: (one) => one.dataset ?? "" },
    { key: "rate", title: "Rate", cell: (one) => `${count(Math.round(one.rate ?? 0))}/s`, sort: (one) => one.rate ?? 0 },
    { key: "lag", title: "Behind", cell: (one) => (one.lagMs === null || one.lagMs === undefined ? "–" : span(one.lagMs)), sort: (one) => one.lagMs ?? 0 },
    { key: "spool", title: "Spool", cell: (one) => `${bytes(one.spoolBytes ?? 0)} of ${bytes(one.spoolCap ?? 0)}`, sort: (one) => one.spoolBytes ?? 0 },
    { key: "lost", title: "Lost", cell: (one) => count(one.lost ?? 0), sort: (one) => one.lost ?? 0 },
    { key: "dead", title: "Dead letters", cell: (one) => count(one.deadLetters ?? 0), sort: (one) => one.deadLetters ?? 0 },
    { key: "why", title: "Why it waits", cell: (one) => one.why ?? "" },
  ];
  return <DataTable label="Records of clusters" rows={items} columns={columns} rowKey={(one) => `${one.cluster}/${one.dataset}`} sorted="cluster" rowLook={(one) => ((one.lost ?? 0) > 0 ? "bad" : undefined)} />;
}
