// The policies of a cluster in the order in which they are evaluated: as a board, as a list, or as they are for one pod.
//
// Invariant: what is chosen for export or copying is what is there: a policy that goes away is not chosen any more.

import "./policies.css";
import { Button, FormSelect, FormSelectOption, PageSection, SearchInput, TextInput, ToggleGroup, ToggleGroupItem, Toolbar, ToolbarContent, ToolbarItem } from "@patternfly/react-core";
import { useCallback, useMemo, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { useFleet } from "../api/fleet.ts";
import { useAsked, useCluster, useNamespace } from "../app/place.ts";
import { isReadOnly } from "../parts/cluster.tsx";
import { Count } from "../parts/DataTable.tsx";
import { save } from "../parts/download.ts";
import { Head } from "../parts/Head.tsx";
import { AllHidden, Failed, Loading, Nothing } from "../parts/states.tsx";
import { Board } from "./Board.tsx";
import { CopyDialog } from "./CopyDialog.tsx";
import { yamlOf } from "./compare.ts";
import { filtered, type Filter } from "./filter.ts";
import { KINDS, kindTitle } from "./kinds.ts";
import { Notices } from "./Notices.tsx";
import { PodView } from "./PodView.tsx";
import { PolicyList } from "./PolicyList.tsx";
import type { Policy } from "./policy.ts";
import { usePolicies, type PoliciesView } from "./usePolicies.ts";

const VIEWS = [["board", "Board"], ["list", "List"], ["pod", "For a pod"]] as const;

export function Policies() {
  const cluster = useCluster() ?? "";
  // What was chosen, and what was read, is one cluster's.
  return <Page key={cluster} cluster={cluster} />;
}

function Page({ cluster }: { cluster: string }) {
  const [namespace] = useNamespace();
  const [view, setView] = useAsked("view", "board");
  const [pod] = useAsked("pod");
  // What is in other namespaces than the pod's does not matter to it.
  const policies = usePolicies(cluster, view === "pod" && pod !== "" ? (pod.split("/")[0] ?? "") : namespace);
  return (
    <>
      <Head
        title="Policies"
        about={<>Tiers and policies in the order in which they are evaluated. <Link to={`/policies/compare?a=${encodeURIComponent(cluster)}`}>Compare with another cluster</Link></>}
        actions={
          <ToggleGroup aria-label="Show as">
            {VIEWS.map(([name, words]) => (
              <ToggleGroupItem key={name} text={words} buttonId={`view-${name}`} isSelected={view === name} onChange={() => setView(name)} />
            ))}
          </ToggleGroup>
        }
      />
      <PageSection hasBodyWrapper={false} className="tl-policies">
        <Shown cluster={cluster} view={view} policies={policies} />
      </PageSection>
    </>
  );
}

function Shown({ cluster, view, policies }: { cluster: string; view: string; policies: PoliciesView }) {
  const { kinds, discoveryFault, settled, failed } = policies;
  if (kinds === undefined && discoveryFault !== null) return <Failed error={discoveryFault} cluster={cluster} onRetry={policies.refresh} />;
  if (!settled) return <Loading of={`the policies of ${cluster}`} />;
  const first = failed[0];
  if (first !== undefined && failed.length === kinds?.length) return <Failed error={first.fault} cluster={cluster} onRetry={policies.refresh} />;
  return (
    <>
      <Notices cluster={cluster} policies={policies} />
      {view === "pod" ? <PodView cluster={cluster} tiers={policies.tiers} /> : <All cluster={cluster} view={view} policies={policies} />}
    </>
  );
}

function All({ cluster, view, policies }: { cluster: string; view: string; policies: PoliciesView }) {
  const [filter, clear] = useFilter();
  const shown = useMemo(() => filtered(policies.tiers, filter), [policies.tiers, filter]);
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const chosen = [...picked].map((key) => policies.byKey.get(key)).filter((policy) => policy !== undefined);
  const pick = useCallback((key: string, on: boolean) => {
    setPicked((before) => {
      const next = new Set(before);
      if (on) next.add(key);
      else next.delete(key);
      return next;
    });
  }, []);
  const all = policies.byKey.size;
  const seen = shown.reduce((sum, tier) => sum + tier.policies.length, 0);
  if (all === 0 && policies.tiers.length === 0) {
    return <Nothing title="There are no policies here">Nothing restricts who reaches whom: every pod gets traffic from everywhere.</Nothing>;
  }
  const props = { cluster, tiers: shown, picked, onPick: pick, onPicked: setPicked };
  return (
    <>
      <Filters filter={filter} kinds={policies.kinds?.map(({ kind }) => kind.kind) ?? []} />
      <Chosen seen={seen} cluster={cluster} chosen={chosen} policies={policies} onPickAll={() => setPicked(new Set(shown.flatMap((tier) => tier.policies.map(({ key }) => key))))} onClear={() => setPicked(new Set())} />
      {seen === 0 && shown.length === 0
        ? <AllHidden hidden={all} onClear={clear} />
        : view === "list" ? <PolicyList {...props} /> : <Board {...props} />}
    </>
  );
}

const ASKED = ["q", "force", "kind", "label"] as const;

/** The filter as the address has it, and what takes it away. */
function useFilter(): [Filter, () => void] {
  const [query, setQuery] = useSearchParams();
  const asked = ASKED.map((name) => query.get(name) ?? "").join("\u0000");
  const filter = useMemo<Filter>(() => {
    const [text = "", force = "", kind = "", label = ""] = asked.split("\u0000");
    return { text, force, kind, label };
  }, [asked]);
  const clear = () =>
    setQuery((before) => {
      const next = new URLSearchParams(before);
      for (const name of ASKED) next.delete(name);
      return next;
    }, { replace: true });
  return [filter, clear];
}

function Filters({ filter, kinds }: { filter: Filter; kinds: string[] }) {
  const [, setText] = useAsked("q");
  const [, setForce] = useAsked("force");
  const [, setKind] = useAsked("kind");
  const [, setLabel] = useAsked("label");
  return (
    <Toolbar inset={{ default: "insetNone" }} className="tl-filters">
      <ToolbarContent>
        <ToolbarItem>
          <SearchInput value={filter.text} placeholder="Name, namespace, selector" aria-label="Filter policies" onChange={(_, text) => setText(text)} onClear={() => setText("")} />
        </ToolbarItem>
        <ToolbarItem>
          <ToggleGroup aria-label="In force">
            {[["", "All"], ["enforced", "Enforced"], ["staged", "Staged"]].map(([name = "", words]) => (
              <ToggleGroupItem key={name} text={words} buttonId={`force-${name}`} isSelected={filter.force === name} onChange={() => setForce(name)} />
            ))}
          </ToggleGroup>
        </ToolbarItem>
        <ToolbarItem>
          <FormSelect value={filter.kind} aria-label="Kind" onChange={(_, kind) => setKind(kind)}>
            <FormSelectOption value="" label="All kinds" />
            {KINDS.filter(({ kind, shape }) => shape !== "tier" && kinds.includes(kind)).map(({ kind }) => <FormSelectOption key={kind} value={kind} label={kindTitle(kind)} />)}
          </FormSelect>
        </ToolbarItem>
        <ToolbarItem>
          <TextInput value={filter.label} placeholder="Label: key=value" aria-label="Label of the policy" onChange={(_, label) => setLabel(label)} />
        </ToolbarItem>
      </ToolbarContent>
    </Toolbar>
  );
}

interface ChosenProps {
  cluster: string;
  /** How many are shown. */
  seen: number;
  chosen: Policy[];
  policies: PoliciesView;
  onPickAll: () => void;
  onClear: () => void;
}

function Chosen({ cluster, seen, chosen, policies, onPickAll, onClear }: ChosenProps) {
  const [copying, setCopying] = useState(false);
  const { all } = useFleet();
  const open = all.some((one) => one.metadata.name !== cluster && !isReadOnly(one));
  const items = chosen.flatMap((policy) => {
    const found = policies.kinds?.find(({ kind }) => kind === policy.kind);
    return found === undefined ? [] : [{ key: policy.key, object: policy.object, resource: found.resource }];
  });
  return (
    <div className="tl-chosen" role="group" aria-label="Chosen policies">
      <Count shown={seen} all={policies.byKey.size} of="policies" />
      {chosen.length > 0 && <strong role="status">{chosen.length} chosen</strong>}
      {chosen.length === 0
        ? <Button variant="link" isInline onClick={onPickAll}>Choose all shown</Button>
        : (
          <>
            <Button variant="secondary" size="sm" onClick={() => save(`policies-${cluster}.yaml`, "application/yaml", chosen.map(({ object }) => yamlOf(object)).join("---\n"))}>Export YAML</Button>
            {open && <Button variant="secondary" size="sm" onClick={() => setCopying(true)}>Copy to clusters</Button>}
            <Button variant="link" isInline onClick={onClear}>Clear</Button>
          </>
        )}
      {copying && <CopyDialog from={cluster} items={items} onClose={() => setCopying(false)} />}
    </div>
  );
}
