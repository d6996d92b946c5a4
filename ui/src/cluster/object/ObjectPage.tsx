// One object, live: what it is, how it is, what belongs to it; and its events, its YAML, who touched it, its logs, a shell in it.

import {
  Alert, Breadcrumb, BreadcrumbItem, Button, Dropdown, DropdownItem, DropdownList, MenuToggle, PageSection, Tab, Tabs, TabTitleText,
} from "@patternfly/react-core";
import { lazy, Suspense, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { useFleet } from "../../api/fleet.ts";
import type { KubeObject } from "../../api/kube.ts";
import { useObject } from "../../api/objects.ts";
import { live } from "../../api/tab.ts";
import { useKeys } from "../../app/keys.ts";
import { isReadOnly } from "../../parts/cluster.tsx";
import { Head } from "../../parts/Head.tsx";
import { Failed, Loading, Nothing, Stale } from "../../parts/states.tsx";
import { harmless } from "../../parts/text.ts";
import { DeedDialog, WORDS } from "../actions/DeedDialog.tsx";
import { deedsFor, rightFor, type Deed, type Target } from "../actions/deeds.ts";
import { useKind } from "../kind.ts";
import { groupOf, isNodes, listPath, objectPath, pluralOf, type Named } from "../places.ts";
import { useMay } from "../rights.ts";
import { tabsFor } from "../tabs.tsx";
import { AuditTab } from "./AuditTab.tsx";
import { EventsTab } from "./EventsTab.tsx";
import { standing } from "./standing.ts";
import { Status } from "../Status.tsx";
import { Summary } from "./Summary.tsx";

const YamlTab = lazy(() => import("./YamlTab.tsx").then((m) => ({ default: m.YamlTab })));

export function ObjectPage() {
  const { cluster = "", group = "", version = "", resource = "", namespace = "_", name = "" } = useParams();
  const of = { group: groupOf(group), version, resource };
  const within = namespace === "_" ? "" : namespace;
  return <One key={objectPath(cluster, of, within, name)} cluster={cluster} of={of} namespace={within} name={name} />;
}

interface OneProps {
  cluster: string;
  of: Named;
  namespace: string;
  name: string;
}

function One({ cluster, of, namespace, name }: OneProps) {
  const view = useObject({ cluster, resource: of, namespace, name }, live);
  const { kind } = useKind(cluster, of);
  const { object } = view;
  const title = kind?.kind ?? object?.kind ?? of.resource;
  return (
    <>
      <PageSection type="breadcrumb">
        <Breadcrumb>
          <BreadcrumbItem><Link to={`/c/${encodeURIComponent(cluster)}`}>{cluster}</Link></BreadcrumbItem>
          <BreadcrumbItem><Link to={listPath(cluster, of)}>{pluralOf(title, of.resource)}</Link></BreadcrumbItem>
          {namespace !== "" && <BreadcrumbItem><Link to={`${listPath(cluster, of)}?ns=${encodeURIComponent(namespace)}`}>{namespace}</Link></BreadcrumbItem>}
          <BreadcrumbItem isActive>{harmless(name)}</BreadcrumbItem>
        </Breadcrumb>
      </PageSection>
      <Notice cluster={cluster} of={of} namespace={namespace} name={name} title={title} view={view} />
      {object !== null && (
        <Whole cluster={cluster} of={of} namespace={namespace} kind={title} object={object} gone={view.gone} verbs={kind?.verbs} subresources={kind?.subresources} />
      )}
    </>
  );
}

/** What stands in place of an object that is not there, or before one that is not live. */
function Notice({ cluster, of, namespace, name, title, view }: OneProps & { title: string; view: ReturnType<typeof useObject> }) {
  const { object, gone, state, fault } = view;
  const all = <Link to={listPath(cluster, of)}>All {of.resource}</Link>;
  let notice = null;
  if (gone) notice = <Alert isInline variant="warning" title={`This ${title} was deleted`} role="status">This is how it was last. {all}</Alert>;
  else if (object !== null && state === "stale") notice = <Stale asOf={view.asOf} fault={fault} onRetry={view.refresh} />;
  else if (object === null && fault?.status === 404) {
    const where = namespace === "" ? "" : `Not in ${namespace} of ${cluster}. `;
    notice = <Nothing title={`There is no ${title} ${harmless(name)}`} action={all}>{where}It was deleted, or never there.</Nothing>;
  } else if (object === null && fault !== null) notice = <Failed error={fault} cluster={cluster} onRetry={view.refresh} />;
  else if (object === null) notice = <Loading of={`${title} ${name}`} />;
  return notice === null ? null : <PageSection hasBodyWrapper={false}>{notice}</PageSection>;
}

interface WholeProps {
  cluster: string;
  of: Named;
  namespace: string;
  kind: string;
  object: KubeObject;
  gone: boolean;
  verbs: string[] | undefined;
  subresources: string[] | undefined;
}

function Whole({ cluster, of, namespace, kind, object, gone, verbs, subresources }: WholeProps) {
  const { tab: asked = "summary" } = useParams();
  const navigate = useNavigate();
  const may = useMay(cluster, namespace);
  const readOnly = isReadOnly(useFleet().byName.get(cluster));
  const [deed, setDeed] = useState<Deed | null>(null);
  const name = object.metadata.name;
  const own = tabsFor(of).filter(({ needs }) => may({ ...needs, group: "" }));
  const statusApart = subresources?.includes("status") !== false;
  const mayEdit = !gone && !readOnly && (verbs === undefined || verbs.includes("update")) && may({ verb: "update", group: of.group, resource: of.resource, name });
  const shown = { cluster, of, namespace, name };
  const panels = [
    { key: "summary", title: "Summary", content: <Summary cluster={cluster} namespace={namespace} kind={kind} object={object} /> },
    ...own.map(({ key, title, Content }) => ({ key, title, content: <Content {...shown} /> })),
    { key: "yaml", title: "YAML", content: <YamlTab cluster={cluster} of={of} namespace={namespace} object={object} mayEdit={mayEdit} readOnly={readOnly} statusApart={statusApart} /> },
    { key: "events", title: "Events", content: <EventsTab cluster={cluster} namespace={namespace} kind={kind} name={name} uid={object.metadata.uid ?? ""} /> },
    { key: "audit", title: "Audit", content: <AuditTab {...shown} /> },
  ];
  const keys = panels.map(({ key }) => key);
  const tab = keys.includes(asked) ? asked : "summary";
  const go = (key: string) => void navigate(objectPath(cluster, of, namespace, name, key === "summary" ? "" : key), { replace: true });
  const step = (by: number) => go(keys[(keys.indexOf(tab) + by + keys.length) % keys.length] ?? "summary");
  useKeys([
    { keys: "[", words: "The tab before", run: () => step(-1) },
    { keys: "]", words: "The next tab", run: () => step(1) },
    { keys: "d", words: "Details", run: () => go("summary") },
    { keys: "y", words: "YAML", run: () => go("yaml") },
    { keys: "e", words: "Events", run: () => go("events") },
    ...own.map(({ key, title, letter }) => ({ keys: letter, words: title, run: () => go(key) })),
  ]);
  const unschedulable = (object["spec"] as { unschedulable?: boolean } | undefined)?.unschedulable === true;
  const deeds = gone ? [] : deedsFor(of, verbs)
    .filter((one) => may(rightFor(one, of)) && !readOnly)
    .filter((one) => !isNodes(of) || one === "delete" || (one === "cordon") !== unschedulable);
  const target: Target = { cluster, of, kind, metadata: object.metadata };
  const is = standing(kind, object);
  return (
    <>
      <Head
        title={harmless(name)}
        about={<>{is !== null && <Status health={is.health} words={is.word} />} {kind}{namespace !== "" && ` in ${namespace}`}</>}
        actions={deeds.length > 0 ? <Deeds deeds={deeds} onDeed={setDeed} /> : undefined}
      />
      <PageSection hasBodyWrapper={false} isFilled>
        <Tabs activeKey={tab} onSelect={(_, key) => go(String(key))} aria-label={`About ${name}`}>
          {panels.map(({ key, title, content }) => (
            <Tab key={key} eventKey={key} title={<TabTitleText>{title}</TabTitleText>}>
              {tab === key && <Suspense fallback={<Loading of={title.toLowerCase()} />}>{content}</Suspense>}
            </Tab>
          ))}
        </Tabs>
      </PageSection>
      {deed !== null && <DeedDialog deed={deed} target={target} onClose={() => setDeed(null)} />}
    </>
  );
}

function Deeds({ deeds, onDeed }: { deeds: Deed[]; onDeed: (deed: Deed) => void }) {
  const [open, setOpen] = useState(false);
  const [first] = deeds;
  if (deeds.length === 1 && first !== undefined) return <Button variant="secondary" isDanger={first === "delete"} onClick={() => onDeed(first)}>{WORDS[first]}…</Button>;
  return (
    <Dropdown
      isOpen={open}
      onOpenChange={setOpen}
      popperProps={{ position: "right" }}
      toggle={(ref) => <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)}>Actions</MenuToggle>}
    >
      <DropdownList>
        {deeds.map((deed) => (
          <DropdownItem key={deed} isDanger={deed === "delete"} onClick={() => { setOpen(false); onDeed(deed); }}>{WORDS[deed]}…</DropdownItem>
        ))}
      </DropdownList>
    </Dropdown>
  );
}
