// The columns of a Table as the page shows them: what kubectl prints, with live ages, links, and a status that is seen.

import { Link } from "react-router";
import type { Resource } from "../../api/kube.ts";
import type { Column, Row } from "../../api/table.ts";
import type { DataColumn } from "../../parts/DataTable.tsx";
import { asText } from "../../parts/text.ts";
import { Age } from "../../parts/time.tsx";
import { isPods, objectPath, type Named } from "../places.ts";
import { Status } from "../Status.tsx";
import { useReason } from "./reasons.ts";
import { columnAt, healthOf, isStatus, sortKey } from "./rows.ts";

interface Of {
  cluster: string;
  of: Named;
  columns: Column[];
  /** Those that only a wide view has as well. */
  wide: boolean;
  /** Whether rows of several namespaces stand together. */
  showNamespace: boolean;
  /** What the cluster serves, so that an event leads to what it is about. */
  resources: Resource[] | undefined;
}

export function columnsOf({ cluster, of, columns, wide, showNamespace, resources }: Of): DataColumn<Row>[] {
  const shown = columns.map((column, at) => ({ column, at })).filter(({ column }) => wide || column.priority === 0 || (isPods(of) && column.name === "Node"));
  const all: DataColumn<Row>[] = shown.map(({ column, at }) => cellColumn(cluster, of, column, at));
  if (showNamespace) {
    all.splice(1, 0, { key: "namespace", title: "Namespace", cell: ({ namespace }) => asText(namespace), sort: ({ namespace }) => namespace });
  }
  if (of.resource === "events") {
    for (const column of all) {
      const at = columnAt(columns, column.title);
      if (column.key === "object") column.cell = (row) => <About cluster={cluster} namespace={row.namespace} object={asText(row.cells[at])} resources={resources} />;
    }
  }
  if (isPods(of)) {
    const status = columnAt(columns, "status");
    const place = all.findIndex(({ key }) => key === "status") + 1;
    if (place > 0) all.splice(place, 0, { key: "why", title: "Why", cell: (row) => <Why cluster={cluster} row={row} status={asText(row.cells[status])} /> });
    all.push({ key: "owner", title: "Owner", cell: ownerOf, sort: ownerOf });
  }
  return all;
}

function cellColumn(cluster: string, of: Named, column: Column, at: number): DataColumn<Row> {
  const { name, format } = column;
  const key = name.toLowerCase().replaceAll(" ", "-");
  if (format === "name" || (at === 0 && key === "name")) {
    return {
      key,
      title: name,
      cell: (row) => <Link to={objectPath(cluster, of, row.namespace, row.name)} tabIndex={-1}>{asText(row.cells[at])}</Link>,
      sort: (row) => row.name,
    };
  }
  if (key === "age") {
    return {
      key, title: name,
      cell: ({ metadata }) => <Age of={metadata.creationTimestamp} />,
      // The youngest first, as the age grows.
      sort: ({ metadata }) => -Date.parse(metadata.creationTimestamp ?? ""),
    };
  }
  const cell = isStatus(column)
    ? (row: Row) => <Status health={healthOf(asText(row.cells[at]))} words={asText(row.cells[at])} />
    : (row: Row) => asText(row.cells[at]);
  return { key, title: name, cell, sort: (row) => sortKey(row.cells[at]) };
}

function ownerOf({ metadata }: Row): string {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true) ?? metadata.ownerReferences?.[0];
  return owner === undefined ? "" : asText(`${owner.kind} ${owner.name}`);
}

/** What an event is about, `pod/web-1`, as a link where the kind is known. */
function About({ cluster, namespace, object, resources }: { cluster: string; namespace: string; object: string; resources: Resource[] | undefined }) {
  const [kind = "", name = ""] = object.split("/", 2);
  const of = resources?.find((one) => one.kind.toLowerCase() === kind.toLowerCase());
  if (of === undefined || name === "") return object;
  return <Link to={objectPath(cluster, of, of.namespaced ? namespace : "", name)} tabIndex={-1}>{object}</Link>;
}

function Why({ cluster, row, status }: { cluster: string; row: Row; status: string }) {
  const why = useReason(cluster, row, healthOf(status) === "bad" || status === "Pending");
  return why === "" ? null : <span className="tl-why" title={asText(why)}>{asText(why)}</span>;
}
