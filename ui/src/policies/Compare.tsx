// Two clusters' policies side by side: only in one, different, the same; and from there into the other.

import "./policies.css";
import { Button, Label, Modal, ModalBody, ModalHeader, ModalVariant, PageSection, SearchInput, Spinner, ToggleGroup, ToggleGroupItem, Toolbar, ToolbarContent, ToolbarItem } from "@patternfly/react-core";
import { lazy, Suspense, useMemo, useState } from "react";
import { titleOf, useFleet } from "../api/fleet.ts";
import { useAsked } from "../app/place.ts";
import { Count, DataTable, type DataColumn } from "../parts/DataTable.tsx";
import { Head } from "../parts/Head.tsx";
import { AllHidden, Failed, Loading, Nothing } from "../parts/states.tsx";
import { asText } from "../parts/text.ts";
import { ClusterPick } from "./ClusterPick.tsx";
import { compare, yamlOf, type Difference, type Pair } from "./compare.ts";
import { CopyDialog } from "./CopyDialog.tsx";
import type { Item } from "./copy.ts";
import { kindTitle, TIERS } from "./kinds.ts";
import { Notices } from "./Notices.tsx";
import { usePolicies, type PoliciesView } from "./usePolicies.ts";

const YamlDiff = lazy(() => import("../parts/yaml/YamlDiff.tsx").then((m) => ({ default: m.YamlDiff })));

export function Compare() {
  const { all } = useFleet();
  const [a, setA] = useAsked("a");
  const [b, setB] = useAsked("b");
  return (
    <>
      <Head title="Compare policies" about="Tiers and policies of two clusters, by kind, namespace and name." />
      <PageSection hasBodyWrapper={false}>
        <div className="tl-sides">
          <ClusterPick label="Cluster A" value={a} clusters={all} onPick={setA} />
          <ClusterPick label="Cluster B" value={b} clusters={all} onPick={setB} />
        </div>
        {a === "" || b === ""
          ? <Nothing title="Choose two clusters">What only one of them has, and what both have and say differently, is then shown here.</Nothing>
          : a === b ? <Nothing title="This is one cluster twice">Choose another one on one side.</Nothing> : <Both key={`${a}/${b}`} a={a} b={b} />}
      </PageSection>
    </>
  );
}

/** All of a cluster, but for the kinds that cannot be seen in one of both: what is not seen is not missing. */
function objectsOf({ tiers, byKey }: PoliciesView, unseen: ReadonlySet<string>) {
  const all = [
    ...tiers.flatMap(({ object }) => (object === null ? [] : [{ kind: TIERS.kind, object }])),
    ...[...byKey.values()].map(({ kind, object }) => ({ kind: kind.kind, object })),
  ];
  return all.filter(({ kind }) => !unseen.has(kind));
}

function Both({ a, b }: { a: string; b: string }) {
  const [left, right] = [usePolicies(a), usePolicies(b)];
  const pairs = useMemo(() => {
    const unseen = new Set([...left.failed, ...right.failed].map(({ kind }) => kind));
    return compare(objectsOf(left, unseen), objectsOf(right, unseen));
  }, [left.tiers, left.byKey, right.tiers, right.byKey]); // eslint-disable-line react-hooks/exhaustive-deps
  for (const [cluster, view] of [[a, left], [b, right]] as const) {
    if (view.kinds === undefined && view.discoveryFault !== null) return <Failed error={view.discoveryFault} cluster={cluster} onRetry={view.refresh} />;
    if (!view.settled) return <Loading of={`the policies of ${cluster}`} />;
  }
  return (
    <>
      {([[a, left], [b, right]] as const).map(([cluster, view]) => (
        <section key={cluster} aria-label={`About ${cluster}`}>
          {(view.failed.length > 0 || view.stale !== null || view.truncated) && <h2>{cluster}</h2>}
          <Notices cluster={cluster} policies={view} onlyData />
        </section>
      ))}
      <Pairs a={a} b={b} pairs={pairs} left={left} right={right} />
    </>
  );
}

const SHOWN: [string, string][] = [["", "All"], ["different", "Different"], ["only-a", "Only in A"], ["only-b", "Only in B"], ["same", "Same"]];

interface PairsProps {
  a: string;
  b: string;
  pairs: Pair[];
  left: PoliciesView;
  right: PoliciesView;
}

function Pairs({ a, b, pairs, left, right }: PairsProps) {
  const { byName } = useFleet();
  const [show, setShow] = useAsked("show");
  const [text, setText] = useAsked("q");
  const [open, setOpen] = useAsked("pair");
  const [copying, setCopying] = useState<{ from: string; item: Item } | null>(null);
  const counts = useMemo(() => {
    const found = new Map<string, number>([["", pairs.length]]);
    for (const { difference } of pairs) found.set(difference, (found.get(difference) ?? 0) + 1);
    return found;
  }, [pairs]);
  const shown = useMemo(() => pairs.filter((pair) => (show === "" || pair.difference === show) && text.toLowerCase().split(/\s+/).every((word) => pair.key.toLowerCase().includes(word))), [pairs, show, text]);
  if (pairs.length === 0) return <Nothing title="Neither of them has tiers or policies">There is nothing to compare.</Nothing>;
  const words = (difference: Difference) => ({ "only-a": `Only in ${a}`, "only-b": `Only in ${b}`, different: "Different", same: "Same" })[difference];
  const opened = pairs.find(({ key }) => key === open);
  const columns: DataColumn<Pair>[] = [
    { key: "difference", title: "Difference", cell: ({ difference }) => <Label isCompact color={COLOURS[difference]}>{words(difference)}</Label>, sort: ({ difference }) => difference },
    { key: "kind", title: "Kind", cell: ({ kind }) => kindTitle(kind), sort: ({ kind }) => kind },
    { key: "namespace", title: "Namespace", cell: ({ namespace }) => asText(namespace) || "–", sort: ({ namespace }) => namespace },
    { key: "name", title: "Name", cell: ({ key, name }) => <Button variant="link" isInline onClick={() => setOpen(key)}>{asText(name)}</Button>, sort: ({ name }) => name },
  ];
  const copy = (pair: Pair, from: string, view: PoliciesView) => {
    const object = from === a ? pair.a : pair.b;
    const found = view.kinds?.find(({ kind }) => kind.kind === pair.kind);
    if (object !== null && found !== undefined) setCopying({ from, item: { key: pair.key, object, resource: found.resource } });
  };
  const title = (name: string) => titleOf(byName.get(name) ?? { metadata: { name }, spec: {} } as Parameters<typeof titleOf>[0]);
  return (
    <>
      <Toolbar inset={{ default: "insetNone" }} className="tl-filters">
        <ToolbarContent>
          <ToolbarItem>
            <ToggleGroup aria-label="Show">
              {SHOWN.map(([name, label]) => <ToggleGroupItem key={name} text={`${label} ${counts.get(name) ?? 0}`} buttonId={`show-${name}`} isSelected={show === name} onChange={() => setShow(name)} />)}
            </ToggleGroup>
          </ToolbarItem>
          <ToolbarItem><SearchInput value={text} placeholder="Kind, namespace, name" aria-label="Filter" onChange={(_, value) => setText(value)} onClear={() => setText("")} /></ToolbarItem>
          <ToolbarItem><Count shown={shown.length} all={pairs.length} of="objects" /></ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      {shown.length === 0
        ? <AllHidden hidden={pairs.length} onClear={() => { setShow(""); setText(""); }} />
        : <DataTable label={`Policies of ${title(a)} and ${title(b)}`} rows={shown} columns={columns} rowKey={({ key }) => key} onOpen={({ key }) => setOpen(key)} />}
      {opened !== undefined && copying === null && (
        <Modal isOpen variant={ModalVariant.large} onClose={() => setOpen("")} aria-label={`${opened.kind} ${opened.name}`}>
          <ModalHeader title={`${kindTitle(opened.kind)} ${asText(opened.name)}`} description={describe(opened, a, b)} />
          <ModalBody>
            <Suspense fallback={<Spinner />}>
              <YamlDiff label="the difference" before={opened.a === null ? "" : yamlOf(opened.a)} after={opened.b === null ? "" : yamlOf(opened.b)} />
            </Suspense>
            <div className="tl-chosen">
              {opened.a !== null && <Button variant="secondary" onClick={() => copy(opened, a, left)}>Copy A's to clusters</Button>}
              {opened.b !== null && <Button variant="secondary" onClick={() => copy(opened, b, right)}>Copy B's to clusters</Button>}
            </div>
          </ModalBody>
        </Modal>
      )}
      {copying !== null && <CopyDialog from={copying.from} items={[copying.item]} {...(copying.from === a ? { to: b } : { to: a })} onClose={() => setCopying(null)} />}
    </>
  );
}

const COLOURS: Record<Difference, "orange" | "blue" | "grey" | "teal"> = { different: "orange", "only-a": "blue", "only-b": "teal", same: "grey" };

function describe({ difference }: Pair, a: string, b: string): string {
  switch (difference) {
    case "only-a":
      return `Only in ${a}: red is what ${b} does not have.`;
    case "only-b":
      return `Only in ${b}: green is what ${a} does not have.`;
    case "same":
      return `The same in ${a} and ${b}.`;
    case "different":
      return `Red is ${a}, green is ${b}.`;
  }
}

