// What applies to one pod: ingress and egress, in the order of evaluation, down to what decides.

import { Alert, Button, PageSection, SearchInput, Title } from "@patternfly/react-core";
import { useDeferredValue, useMemo, useState } from "react";
import { PODS, NAMESPACES } from "../api/kube.ts";
import { useLists, type ObjectsView } from "../api/lists.ts";
import { useTable } from "../api/table.ts";
import { live } from "../api/tab.ts";
import { useAsked, useNamespace } from "../app/place.ts";
import { Failed, Loading, Nothing, Stale } from "../parts/states.tsx";
import { asText } from "../parts/text.ts";
import { endpointOf, verdict, type PodFacts } from "./applies.ts";
import { Chain } from "./Chain.tsx";
import type { Tier } from "./order.ts";
import { factsOf } from "./pods.ts";

export function PodView({ cluster, tiers }: { cluster: string; tiers: Tier[] }) {
  const [pod, setPod] = useAsked("pod");
  const [namespace, name] = pod.split("/");
  if (namespace === undefined || name === undefined || name === "") return <PodSearch cluster={cluster} onPick={setPod} />;
  return (
    <PageSection hasBodyWrapper={false} padding={{ default: "noPadding" }}>
      <Title headingLevel="h2" size="lg">{asText(name)} in {asText(namespace)}</Title>
      <Button variant="link" isInline onClick={() => setPod("")}>Choose another pod</Button>
      <ForPod key={pod} cluster={cluster} namespace={namespace} name={name} tiers={tiers} />
    </PageSection>
  );
}

const MOST_FOUND = 50;

function PodSearch({ cluster, onPick }: { cluster: string; onPick: (pod: string) => void }) {
  const [namespace] = useNamespace();
  const table = useTable({ cluster, resource: PODS, namespace }, live);
  const [text, setText] = useState("");
  const asked = useDeferredValue(text);
  const found = useMemo(() => {
    const words = asked.toLowerCase().split(/\s+/);
    const fits = table.rows.filter((row) => {
      const seen = `${row.namespace}/${row.name} ${Object.entries(row.metadata.labels ?? {}).map(([key, value]) => `${key}=${value}`).join(" ")}`.toLowerCase();
      return words.every((word) => seen.includes(word));
    });
    return { first: fits.slice(0, MOST_FOUND), all: fits.length };
  }, [table.rows, asked]);
  if (table.state === "loading") return <Loading of={`the pods of ${cluster}`} />;
  if (table.state === "failed") return <Failed error={table.fault} cluster={cluster} onRetry={table.refresh} />;
  if (table.rows.length === 0) return <Nothing title="There are no pods">There is nothing that policies could be for{namespace === "" ? "" : ` in ${namespace}`}.</Nothing>;
  return (
    <>
      <SearchInput value={text} autoFocus placeholder="Name, namespace or label of a pod" aria-label="Find a pod" onChange={(_, value) => setText(value)} onClear={() => setText("")} />
      <p role="status" className="tl-count">
        {found.all > MOST_FOUND ? `${MOST_FOUND} of ${found.all} pods; go on typing to find others` : `${found.all} pods`}
        {table.truncated ? "; not all of the cluster's pods are looked at: choose a namespace" : ""}
      </p>
      <ul className="tl-found" aria-label="Pods">
        {found.first.map((row) => (
          <li key={row.uid}><button type="button" onClick={() => onPick(`${row.namespace}/${row.name}`)}>{asText(row.namespace)} / {asText(row.name)}</button></li>
        ))}
      </ul>
    </>
  );
}

interface ForPodProps {
  cluster: string;
  namespace: string;
  name: string;
  tiers: Tier[];
}

function ForPod({ cluster, namespace, name, tiers }: ForPodProps) {
  const { views, refresh } = useLists([
    { cluster, resource: { ...PODS, kind: "Pod" }, namespace, fieldSelector: `metadata.name=${name}` },
    { cluster, resource: { ...NAMESPACES, kind: "Namespace" }, fieldSelector: `metadata.name=${namespace}` },
  ], live);
  const [pod, inNamespace] = views as [ObjectsView, ObjectsView];
  const found = pod.items[0];
  const facts = useMemo(() => (found === undefined ? null : factsOf(found)), [found]);
  if (pod.state === "loading" || inNamespace.state === "loading") return <Loading of={`the pod ${name}`} />;
  if (pod.state === "failed") return <Failed error={pod.fault} cluster={cluster} onRetry={refresh} />;
  if (facts === null) return <Nothing title="There is no such pod">It may have been replaced by another one of its workload.</Nothing>;
  return (
    <>
      {pod.state === "stale" && <Stale asOf={pod.asOf} fault={pod.fault} onRetry={refresh} />}
      <Verdicts cluster={cluster} pod={facts} namespace={inNamespace} tiers={tiers} />
    </>
  );
}

const ACCOUNTS = { group: "", version: "v1", resource: "serviceaccounts", kind: "ServiceAccount" };

function Verdicts({ cluster, pod, namespace, tiers }: { cluster: string; pod: PodFacts; namespace: ObjectsView; tiers: Tier[] }) {
  const { views: [account] } = useLists(
    pod.serviceAccount === "" ? [] : [{ cluster, resource: ACCOUNTS, namespace: pod.namespace, fieldSelector: `metadata.name=${pod.serviceAccount}` }],
    live,
  );
  const results = useMemo(() => {
    const endpoint = endpointOf(pod, { namespace: labelsOf(namespace), serviceAccount: account === undefined ? {} : labelsOf(account) });
    return (["ingress", "egress"] as const).map((direction) => verdict(tiers, endpoint, direction));
  }, [tiers, pod, namespace, account]);
  if (account?.state === "loading") return <Loading of={`the service account ${pod.serviceAccount}`} />;
  const unread = [...(namespace.state === "failed" ? ["namespace"] : []), ...(account?.state === "failed" ? ["service account"] : [])];
  return (
    <>
      <p>
        Service account {asText(pod.serviceAccount) || "none"}. Labels: {Object.entries(pod.labels).map(([key, value]) => asText(`${key}=${value}`)).join(", ") || "none"}.
      </p>
      {unread.length > 0 && <Alert isInline variant="warning" title={`The labels of its ${unread.join(" and ")} may not be read: whether policies that ask for them are for this pod is not known.`} />}
      {pod.hostNetwork
        ? <Alert isInline variant="info" title="This pod is in its node's network: policies for pods are not for it. Calico's policies for host endpoints may be for the node." />
        : <div className="tl-ways">{results.map((result) => <Chain key={result.direction} cluster={cluster} verdict={result} />)}</div>}
    </>
  );
}

/** Labels of the one object of a view; null where it could not be read. */
function labelsOf({ state, items }: ObjectsView): Record<string, string> | null {
  return state === "failed" ? null : (items[0]?.metadata.labels ?? {});
}
