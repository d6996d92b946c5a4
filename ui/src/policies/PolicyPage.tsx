// One policy, or one tier: what it says in words, its YAML to be read and changed, the pods that it is for.

import "./policies.css";
import { Label, PageSection, Spinner, Tab, Tabs, TabTitleText } from "@patternfly/react-core";
import { lazy, Suspense, useMemo } from "react";
import { Link, useParams } from "react-router";
import { useDiscovery } from "../api/discovery.ts";
import type { KubeObject } from "../api/kube.ts";
import { useLists } from "../api/lists.ts";
import { live } from "../api/tab.ts";
import { useAsked, useCluster } from "../app/place.ts";
import { Head } from "../parts/Head.tsx";
import { Asked, Failed, Loading, Nothing, Stale } from "../parts/states.tsx";
import { asText } from "../parts/text.ts";
import { Age } from "../parts/time.tsx";
import { RuleLine } from "./Chain.tsx";
import { addressOf, served, type Served } from "./kinds.ts";
import { endWords, forWords, KindLabel, StagedLabel } from "./looks.tsx";
import { orderWords, placeWords, tierOf } from "./order.ts";
import { policyOf, type Policy } from "./policy.ts";
import { PolicyPods } from "./PolicyPods.tsx";
import type { Direction } from "./rules.ts";

const PolicyYaml = lazy(() => import("./PolicyYaml.tsx").then((m) => ({ default: m.PolicyYaml })));

export function PolicyPage() {
  const cluster = useCluster() ?? "";
  const { kind: address = "", scope = "_", name = "" } = useParams();
  const discovery = useDiscovery(cluster);
  const namespace = scope === "_" ? "" : scope;
  return (
    <>
      <Head
        title={asText(name)}
        about={<><Link to={`/c/${encodeURIComponent(cluster)}/policies`}>Policies</Link> / {asText(address)}{namespace === "" ? "" : ` in ${asText(namespace)}`}</>}
      />
      <PageSection hasBodyWrapper={false}>
        <Asked query={discovery} of={`the kinds of ${cluster}`} cluster={cluster}>
          {(resources) => {
            const found = served(resources).find((one) => addressOf(one) === address);
            if (found === undefined) return <Nothing title={`${cluster} does not have this kind`}>{address} is not installed there, or may not be listed.</Nothing>;
            return <One key={`${cluster}/${address}/${scope}/${name}`} cluster={cluster} served={found} namespace={namespace} name={name} />;
          }}
        </Asked>
      </PageSection>
    </>
  );
}

interface OneProps {
  cluster: string;
  served: Served;
  namespace: string;
  name: string;
}

function One({ cluster, served: { kind, resource }, namespace, name }: OneProps) {
  const { views: [view], refresh } = useLists([{ cluster, resource, namespace, fieldSelector: `metadata.name=${name}` }], live);
  const [tab, setTab] = useAsked("tab", "rules");
  const object = view?.items[0];
  const policy = useMemo(() => (object === undefined || kind.shape === "tier" ? null : policyOf(object, kind)), [object, kind]);
  if (view === undefined || view.state === "loading") return <Loading of={name} />;
  if (view.state === "failed") return <Failed error={view.fault} cluster={cluster} onRetry={refresh} />;
  if (object === undefined) return <Nothing title={`There is no ${name} in ${cluster}`}>It may have been removed, or has never been there.</Nothing>;
  return (
    <>
      {view.state === "stale" && <Stale asOf={view.asOf} fault={view.fault} onRetry={refresh} />}
      <Tabs activeKey={tab} onSelect={(_, key) => setTab(String(key))} aria-label={`Parts of ${name}`}>
        <Tab eventKey="rules" title={<TabTitleText>{policy === null ? "Tier" : "Rules"}</TabTitleText>}>
          {tab === "rules" && (policy === null ? <TierFacts object={object} /> : <Rules policy={policy} />)}
        </Tab>
        <Tab eventKey="yaml" title={<TabTitleText>YAML</TabTitleText>}>
          {tab === "yaml" && <Suspense fallback={<Spinner />}><PolicyYaml cluster={cluster} kind={kind} resource={resource} object={object} /></Suspense>}
        </Tab>
        {policy !== null && (
          <Tab eventKey="pods" title={<TabTitleText>Pods</TabTitleText>}>
            {tab === "pods" && <PolicyPods cluster={cluster} policy={policy} />}
          </Tab>
        )}
      </Tabs>
    </>
  );
}

function TierFacts({ object }: { object: KubeObject }) {
  const tier = tierOf(object);
  return <p>{orderWords(tier.order)}. For a pod that a policy of this tier is for: {endWords(tier)} when no rule of the tier fits.</p>;
}

function Rules({ policy }: { policy: Policy }) {
  const { object, kind, tier, subject } = policy;
  return (
    <>
      <p>
        <KindLabel policy={policy} /> <StagedLabel policy={policy} /> {[kind.shape === "calico" ? `Tier ${asText(tier)}` : "", placeWords(policy, false)].filter((words) => words !== "").map((words) => `${words}.`).join(" ")} Made{" "}
        <Age of={object.metadata.creationTimestamp} ago />.
      </p>
      <p>For <code>{forWords(policy)}</code>.</p>
      {subject.unreadable !== "" && <Label color="orange">{asText(subject.unreadable)}</Label>}
      <div className="tl-ways">
        {(["ingress", "egress"] as const).map((direction) => <Way key={direction} policy={policy} direction={direction} />)}
      </div>
    </>
  );
}

function Way({ policy, direction }: { policy: Policy; direction: Direction }) {
  const title = direction === "ingress" ? "Ingress" : "Egress";
  const rules = policy.rules[direction];
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      {!policy.directions.includes(direction)
        ? <p>It says nothing of {direction}.</p>
        : rules.length === 0 ? <p>No rule: of the pods that it is for, nothing is allowed by it.</p> : (
          <ol className="tl-rules">
            {rules.map((rule, at) => <RuleLine key={at} rule={rule} place={at + 1} direction={direction} />)}
          </ol>
        )}
    </section>
  );
}
