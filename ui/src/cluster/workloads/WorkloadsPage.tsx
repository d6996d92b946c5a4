// All workloads of a cluster in one table, the broken ones first, each with the reason.

import { Alert, Stack, StackItem, ToggleGroup, ToggleGroupItem, ToolbarItem } from "@patternfly/react-core";
import { useCallback, useMemo, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { useAsked, useNamespace } from "../../app/place.ts";
import { Count, DataTable, type DataColumn } from "../../parts/DataTable.tsx";
import { AllHidden, Failed, Loading, Nothing, Stale } from "../../parts/states.tsx";
import { asText } from "../../parts/text.ts";
import { Age } from "../../parts/time.tsx";
import { DeedDialog } from "../actions/DeedDialog.tsx";
import { deedsFor, rightFor, type Deed } from "../actions/deeds.ts";
import { Filters } from "../list/Filters.tsx";
import { ListHead } from "../list/ListPage.tsx";
import { RowMenu } from "../list/RowMenu.tsx";
import { objectPath } from "../places.ts";
import { useMay } from "../rights.ts";
import { Status } from "../Status.tsx";
import { tabsFor } from "../tabs.tsx";
import { KINDS, rank, useWorkloads, type Workload, type WorkloadsView } from "./useWorkloads.ts";

export function WorkloadsPage() {
  const { cluster = "" } = useParams();
  const [namespace] = useNamespace();
  return (
    <ListHead cluster={cluster} title="Workloads">
      <Workloads key={`${cluster} ${namespace}`} cluster={cluster} namespace={namespace} />
    </ListHead>
  );
}

function pathOf(cluster: string, { of, namespace, name }: Workload, tab = ""): string {
  return objectPath(cluster, of, namespace, name, tab);
}

export function workloadColumns(cluster: string, showNamespace: boolean): DataColumn<Workload>[] {
  const columns: DataColumn<Workload>[] = [
    { key: "name", title: "Name", cell: (one) => <Link tabIndex={-1} to={pathOf(cluster, one)}>{asText(one.name)}</Link>, sort: ({ name }) => name },
    { key: "namespace", title: "Namespace", cell: ({ namespace }) => asText(namespace), sort: ({ namespace }) => namespace },
    { key: "kind", title: "Kind", cell: ({ kind }) => kind, sort: ({ kind }) => kind },
    { key: "status", title: "Status", cell: ({ health, word }) => <Status health={health} words={word} />, sort: (one) => `${rank(one)} ${one.namespace}/${one.name}` },
    { key: "why", title: "Why", cell: ({ why }) => <span className="tl-why" title={asText(why)}>{asText(why)}</span> },
    { key: "ready", title: "Ready", cell: ({ ready }) => ready, sort: ({ ready }) => ready },
    { key: "age", title: "Age", cell: ({ created }) => <Age of={created} />, sort: ({ created }) => -Date.parse(created) },
    { key: "images", title: "Images", cell: ({ images }) => <span title={asText(images)}>{asText(images)}</span>, sort: ({ images }) => images },
  ];
  return showNamespace ? columns : columns.filter(({ key }) => key !== "namespace");
}

const uidOf = ({ uid }: Workload) => uid;
const lookOf = ({ health }: Workload) => (health === "bad" ? "bad" : undefined);

function Workloads({ cluster, namespace }: { cluster: string; namespace: string }) {
  const view = useWorkloads(cluster, namespace);
  const [q, setQ] = useAsked("q");
  const [kind, setKind] = useAsked("kind");
  const [health, setHealth] = useAsked("health");
  const shown = useMemo(() => {
    const words = q.toLowerCase().split(/\s+/).filter((word) => word !== "");
    const text = (one: Workload) => `${one.namespace} ${one.name} ${one.kind} ${one.word} ${one.why} ${one.images}`.toLowerCase();
    return view.all
      .filter((one) => (kind === "" || one.kind === kind) && (health === "" || one.health === "bad"))
      .filter((one) => words.every((word) => (word.startsWith("-") && word.length > 1 ? !text(one).includes(word.slice(1)) : text(one).includes(word))));
  }, [view.all, q, kind, health]);
  const broken = view.all.filter((one) => one.health === "bad").length;
  const clear = () => {
    setQ("");
    setKind("");
    setHealth("");
  };
  const [first] = view.failed;
  if (view.loading && view.all.length === 0) return <Loading of={`the workloads of ${cluster}`} />;
  if (first !== undefined && view.failed.length === KINDS.length) return <Failed error={first.fault} cluster={cluster} onRetry={view.refresh} />;
  return (
    <Stack>
      <StackItem>
        <Filters selectors={false} onRefresh={view.refresh}>
          <ToolbarItem alignSelf="center"><Count shown={shown.length} all={view.all.length} of="workloads" /></ToolbarItem>
        </Filters>
        <ToggleGroup aria-label="Kinds" isCompact className="tl-chips">
          <ToggleGroupItem text={`Broken (${broken})`} isSelected={health !== ""} onChange={(_, on) => setHealth(on ? "bad" : "")} />
          {KINDS.map((one) => (
            <ToggleGroupItem key={one} text={one} isSelected={kind === one} onChange={(_, on) => setKind(on ? one : "")} />
          ))}
        </ToggleGroup>
      </StackItem>
      <StackItem><Notes view={view} /></StackItem>
      <StackItem>
        {shown.length === 0
          ? view.all.length > 0 ? <AllHidden hidden={view.all.length} onClear={clear} /> : <Nothing title={`No workloads${namespace === "" ? "" : ` in ${namespace}`}`}>New ones appear here by themselves.</Nothing>
          : <Table cluster={cluster} namespace={namespace} rows={shown} asked={`${q} ${kind} ${health}`} />}
      </StackItem>
    </Stack>
  );
}

function Notes({ view }: { view: WorkloadsView }) {
  return (
    <>
      {view.stale !== null && <Stale asOf={view.stale.asOf} fault={view.stale.fault} onRetry={view.refresh} />}
      {view.truncated && <Alert isInline variant="info" title="There are more than are shown here">Choose a namespace to see the rest.</Alert>}
      {view.failed.map(({ resource, fault }) => <Alert key={resource} isInline variant="warning" title={`Without ${resource}: ${fault.reason}`}>{asText(fault.detail)}</Alert>)}
    </>
  );
}

function Table({ cluster, namespace, rows, asked }: { cluster: string; namespace: string; rows: Workload[]; asked: string }) {
  const navigate = useNavigate();
  const may = useMay(cluster, namespace);
  const [menu, setMenu] = useState("");
  const [doing, setDoing] = useState<{ deed: Deed; one: Workload } | null>(null);
  const columns = useMemo(() => workloadColumns(cluster, namespace === ""), [cluster, namespace]);
  const open = (one: Workload, tab = "") => void navigate(pathOf(cluster, one, tab));
  const letters = ["l"].filter((letter) => rows[0] !== undefined && tabsFor(rows[0].of).some((tab) => tab.letter === letter && may({ ...tab.needs, group: "" })));
  const mayKey = may({ verb: "delete", group: "apps", resource: "deployments" });
  const actions = useCallback(
    (one: Workload) => (
      <RowMenu
        name={one.name}
        isOpen={menu === one.uid}
        onOpen={(isOpen) => setMenu(isOpen ? one.uid : "")}
        pages={() => [
          { title: "Details", letter: "d", to: pathOf(cluster, one) },
          ...tabsFor(one.of).filter(({ needs }) => may({ ...needs, group: "" })).map(({ key, title, letter }) => ({ title, letter, to: pathOf(cluster, one, key) })),
          { title: "YAML", letter: "y", to: pathOf(cluster, one, "yaml") },
          { title: "Events", letter: "e", to: pathOf(cluster, one, "events") },
        ]}
        deeds={deedsFor(one.of, undefined).filter((deed) => may(rightFor(deed, one.of)))}
        onDeed={(deed) => setDoing({ deed, one })}
      />
    ),
    // What the menu offers changes with these alone.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [menu, cluster, mayKey],
  );
  return (
    <>
      <DataTable
        label={`workloads of ${cluster}`}
        rows={rows}
        columns={columns}
        rowKey={uidOf}
        rowLook={lookOf}
        sorted="status"
        live={asked}
        onOpen={open}
        actions={actions}
        rowKeys={{
          d: (one) => open(one),
          y: (one) => open(one, "yaml"),
          e: (one) => open(one, "events"),
          ".": (one) => setMenu(one.uid),
          ...Object.fromEntries(letters.map((letter) => [letter, (one: Workload) => open(one, "logs")])),
        }}
      />
      {doing !== null && (
        <DeedDialog
          deed={doing.deed}
          target={{ cluster, of: doing.one.of, kind: doing.one.kind, metadata: doing.one }}
          onClose={() => setDoing(null)}
        />
      )}
    </>
  );
}
