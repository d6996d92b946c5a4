// Any kind of a cluster as a live table: what kubectl prints, narrowed by the address, with each row's pages and deeds at hand.

import { Alert, Button, Stack, StackItem, ToolbarItem } from "@patternfly/react-core";
import { useCallback, useDeferredValue, useMemo, useState } from "react";
import { Link, useNavigate } from "react-router";
import { useDiscovery } from "../../api/discovery.ts";
import { live } from "../../api/tab.ts";
import { MOST_ROWS, useTable, type Row } from "../../api/table.ts";
import { useAsked, useNamespace } from "../../app/place.ts";
import { Count, DataTable } from "../../parts/DataTable.tsx";
import { count } from "../../parts/numbers.ts";
import { AllHidden, Asked, Failed, Loading, Nothing, Stale } from "../../parts/states.tsx";
import { DeedDialog } from "../actions/DeedDialog.tsx";
import { deedsFor, rightFor, type Deed } from "../actions/deeds.ts";
import { useKind } from "../kind.ts";
import { isNodes, isPods, isWorkload, listPath, objectPath, type Named } from "../places.ts";
import { useMay } from "../rights.ts";
import { tabsFor } from "../tabs.tsx";
import { columnsOf } from "./columns.tsx";
import { Filters } from "./Filters.tsx";
import { ForbiddenEverywhere } from "./Forbidden.tsx";
import { RowMenu, type RowPage } from "./RowMenu.tsx";
import { columnAt, fits, healthOf } from "./rows.ts";

const NOTHING: Row[] = [];
/** What is refused in the whole cluster, whatever the namespace. */
const OF_THE_CLUSTER = new Set(["ClusterLocked", "ClusterTokenNeeded"]);

export function ResourceList({ cluster, of }: { cluster: string; of: Named }) {
  const [namespace] = useNamespace();
  const { kind, absent, preferred } = useKind(cluster, of);
  const discovery = useDiscovery(cluster);
  // A kind without namespaces is not asked for in one, which needs the discovery first.
  if (namespace !== "" && kind === null && !absent) return <Asked query={discovery} of={`the kinds of ${cluster}`} cluster={cluster}>{() => null}</Asked>;
  const within = kind?.namespaced === false ? "" : namespace;
  return <Rows key={`${cluster} ${of.group} ${of.version} ${of.resource} ${within}`} cluster={cluster} of={of} namespace={within} preferred={preferred} absent={absent} />;
}

interface RowsProps {
  cluster: string;
  of: Named;
  namespace: string;
  preferred: string;
  absent: boolean;
}

function Rows({ cluster, of, namespace, preferred, absent }: RowsProps) {
  const [labelSelector, setLabel] = useAsked("label");
  const [fieldSelector, setField] = useAsked("field");
  const [q, setQ] = useAsked("q");
  const [wide] = useAsked("wide");
  const filter = useDeferredValue(q.trim());
  const table = useTable({ cluster, resource: of, namespace, labelSelector, fieldSelector }, live);
  const { kind } = useKind(cluster, of);
  const { data: resources } = useDiscovery(cluster);
  const may = useMay(cluster, namespace);
  const navigate = useNavigate();
  const [menu, setMenu] = useState("");
  const [doing, setDoing] = useState<{ deed: Deed; row: Row } | null>(null);

  const shown = useMemo(() => (filter === "" ? table.rows : table.rows.filter((row) => fits(row, filter))), [table.rows, filter]);
  // Rows that say so, where discovery is not there yet.
  const spread = namespace === "" && (kind?.namespaced ?? table.rows.some((row) => row.namespace !== ""));
  const { group, version, resource } = of;
  const columns = useMemo(
    () => columnsOf({ cluster, of: { group, version, resource }, columns: table.columns, wide: wide !== "", showNamespace: spread, resources }),
    [resources, cluster, group, version, resource, table.columns, wide, spread],
  );
  const tabs = tabsFor(of).filter(({ needs }) => may({ ...needs, group: "" }));
  const pages = (row: Row): RowPage[] => {
    const page = (tab: string) => objectPath(cluster, of, row.namespace, row.name, tab);
    return [
      { title: "Details", letter: "d", to: page("") },
      ...tabs.map(({ key, title, letter }) => ({ title, letter, to: page(key) })),
      { title: "YAML", letter: "y", to: page("yaml") },
      { title: "Events", letter: "e", to: page("events") },
    ];
  };
  const deeds = deedsFor(of, kind?.verbs).filter((deed) => may(rightFor(deed, of)));
  const deedKey = deeds.join(" ");
  const tabKey = tabs.map(({ key }) => key).join(" ");
  const actions = useCallback(
    (row: Row) => (
      <RowMenu
        name={row.name}
        isOpen={menu === row.uid}
        onOpen={(open) => setMenu(open ? row.uid : "")}
        pages={() => pages(row)}
        deeds={deeds.filter((deed) => !isNodes(of) || deed === "delete" || (deed === "cordon") !== cordoned(row))}
        onDeed={(deed) => setDoing({ deed, row })}
      />
    ),
    // What the menu offers changes with these alone.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [menu, deedKey, tabKey, cluster, group, version, resource],
  );
  const status = columnAt(table.columns, "status");
  const look = useCallback((row: Row) => (status >= 0 && healthOf(String(row.cells[status])) === "bad" ? "bad" : undefined), [status]);
  const open = (row: Row, tab = "") => void navigate(objectPath(cluster, of, row.namespace, row.name, tab));

  if (table.state === "loading") return <Loading of={`the ${resource} of ${cluster}`} />;
  if (table.state === "failed" && table.fault !== null) {
    if (table.fault.reason === "ClusterNotFound") return <Failed error={table.fault} onRetry={table.refresh} />;
    if (absent || (table.fault.status === 404 && preferred === version)) return <NotServed cluster={cluster} of={of} />;
    if (table.fault.status === 404) {
      return (
        <Nothing title={`${cluster} serves ${resource} in another version`} action={<Link to={listPath(cluster, { ...of, version: preferred })}>{preferred}</Link>}>
          It does not serve {version}.
        </Nothing>
      );
    }
    const byNamespace = table.fault.status === 403 && !OF_THE_CLUSTER.has(table.fault.reason);
    if (byNamespace && namespace === "") return <ForbiddenEverywhere cluster={cluster} of={of} fault={table.fault} onRetry={table.refresh} />;
    return <Failed error={table.fault} cluster={cluster} onRetry={table.refresh} />;
  }
  const narrowed = labelSelector !== "" || fieldSelector !== "";
  const clear = () => {
    setQ("");
    if (narrowed) {
      setLabel("");
      setField("");
    }
  };
  return (
    <Stack>
      <StackItem>
        <Filters onRefresh={table.refresh} canBeWide={table.columns.some(({ priority }) => priority > 0)}>
          <ToolbarItem alignSelf="center">
            {table.state === "filling"
              ? <span className="tl-count" role="status">{count(table.rows.length)} so far{table.remaining > 0 && `, about ${count(table.remaining)} to come`}</span>
              : <Count shown={shown.length} all={table.rows.length} of={resource} />}
          </ToolbarItem>
        </Filters>
      </StackItem>
      {table.state === "stale" && <StackItem><Stale asOf={table.asOf} fault={table.fault} onRetry={table.refresh} /></StackItem>}
      {table.truncated && (
        <StackItem>
          <Alert isInline variant="info" title={`There are more than the ${count(MOST_ROWS)} shown here`}>
            Choose a namespace or a selector to see the rest.
          </Alert>
        </StackItem>
      )}
      <StackItem>
        {shown.length === 0 && table.state !== "filling"
          ? table.rows.length > 0 ? <AllHidden hidden={table.rows.length} onClear={clear} /> : <Empty cluster={cluster} of={of} namespace={namespace} narrowed={narrowed} onClear={clear} />
          : (
            <DataTable
              label={`${resource} of ${cluster}`}
              rows={shown.length === 0 ? NOTHING : shown}
              columns={columns}
              rowKey={uidOf}
              live={`${filter} ${namespace} ${labelSelector} ${fieldSelector}`}
              onOpen={open}
              rowKeys={{
                d: (row) => open(row),
                y: (row) => open(row, "yaml"),
                e: (row) => open(row, "events"),
                ".": (row) => setMenu(row.uid),
                ...Object.fromEntries(tabs.map(({ key, letter }) => [letter, (row: Row) => open(row, key)])),
              }}
              actions={actions}
              rowLook={look}
            />
          )}
      </StackItem>
      {doing !== null && (
        <DeedDialog
          deed={doing.deed}
          target={{ cluster, of, kind: kind?.kind ?? resource, metadata: { ...doing.row.metadata, name: doing.row.name } }}
          onClose={() => setDoing(null)}
        />
      )}
    </Stack>
  );
}

function uidOf({ uid }: Row): string {
  return uid;
}

/** A node that takes no new pods says so in its status. */
function cordoned(row: Row): boolean {
  return row.cells.some((cell) => typeof cell === "string" && cell.includes("SchedulingDisabled"));
}

function NotServed({ cluster, of }: { cluster: string; of: Named }) {
  return (
    <Nothing title={`${cluster} has no ${of.resource}`} action={<Link to={`/c/${encodeURIComponent(cluster)}/kinds`}>All kinds of {cluster}</Link>}>
      Its API does not serve {of.resource}{of.group === "" ? "" : ` of ${of.group}`}.
    </Nothing>
  );
}

interface EmptyProps {
  cluster: string;
  of: Named;
  namespace: string;
  narrowed: boolean;
  onClear: () => void;
}

function Empty({ cluster, of, namespace, narrowed, onClear }: EmptyProps) {
  const [, choose] = useNamespace();
  const readsBest = isPods(of) || isWorkload(of);
  const title = `No ${of.resource}${namespace === "" ? "" : ` in ${namespace}`}`;
  if (narrowed) return <Nothing title={title} action={<Button variant="link" onClick={onClear}>Clear selectors</Button>}>Nothing fits the selectors.</Nothing>;
  if (namespace !== "") {
    return <Nothing title={title} action={<Button variant="link" onClick={() => choose("")}>Look in all namespaces</Button>}>Of {cluster}. New ones appear here by themselves.</Nothing>;
  }
  return (
    <Nothing title={title} action={readsBest ? <Link to={`/c/${encodeURIComponent(cluster)}/create`}>Create from YAML</Link> : undefined}>
      {cluster} has none yet. New ones appear here by themselves.
    </Nothing>
  );
}
