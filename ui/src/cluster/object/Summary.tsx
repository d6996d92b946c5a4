// What an object is and how it is: its state and why, conditions in plain words, what belongs to it, labels and annotations.

import {
  Alert, DescriptionList, DescriptionListDescription, DescriptionListGroup, DescriptionListTerm, Label, LabelGroup, Stack, StackItem, Title,
} from "@patternfly/react-core";
import { Link } from "react-router";
import type { ReactNode } from "react";
import type { KubeObject } from "../../api/kube.ts";
import { asText, harmless } from "../../parts/text.ts";
import { Age } from "../../parts/time.tsx";
import { listPath, KNOWN, objectPath } from "../places.ts";
import { Status } from "../Status.tsx";
import { sortConditions, tell } from "../workloads/conditions.ts";
import { restartsOf, type Condition, type Pod } from "../workloads/pod.ts";
import { Containers } from "./Containers.tsx";
import { Owners, PodsOfIt, ServicesOfIt } from "./Related.tsx";
import { conditionsOf, standing } from "./standing.ts";

interface SummaryProps {
  cluster: string;
  namespace: string;
  kind: string;
  object: KubeObject;
}

export function Summary({ cluster, namespace, kind, object }: SummaryProps) {
  const is = standing(kind, object);
  const conditions = conditionsOf(object);
  const { labels, annotations, creationTimestamp, deletionTimestamp } = object.metadata;
  return (
    <Stack hasGutter className="tl-tab">
      {is !== null && is.why !== "" && (
        <StackItem>
          <Alert isInline variant={is.health === "bad" ? "danger" : is.health === "busy" ? "info" : "custom"} title={asText(is.word)}>{asText(is.why)}</Alert>
        </StackItem>
      )}
      <StackItem>
        <DescriptionList columnModifier={{ default: "1Col", md: "2Col" }} isCompact isHorizontal>
          <Fact title="Created"><Age of={creationTimestamp} ago /></Fact>
          {deletionTimestamp !== undefined && <Fact title="Is being deleted since"><Age of={deletionTimestamp} ago /></Fact>}
          <Owners cluster={cluster} namespace={namespace} object={object} />
          {kind === "Pod" && <PodFacts cluster={cluster} pod={object} />}
          {factsOf(kind, object).map(([title, value]) => <Fact key={title} title={title}>{asText(value)}</Fact>)}
        </DescriptionList>
      </StackItem>
      {kind === "Pod" && <StackItem><Containers pod={object} /></StackItem>}
      {conditions.length > 0 && <StackItem><Conditions conditions={conditions} /></StackItem>}
      <PodsOfIt cluster={cluster} namespace={namespace} kind={kind} object={object} />
      {kind === "Pod" && <ServicesOfIt cluster={cluster} namespace={namespace} pod={object} />}
      {kind === "Node" && (
        <StackItem>
          <Link to={`${listPath(cluster, KNOWN.pods)}?field=${encodeURIComponent(`spec.nodeName=${object.metadata.name}`)}`}>Pods on this node</Link>
        </StackItem>
      )}
      <StackItem><Pairs title="Labels" pairs={labels} /></StackItem>
      <StackItem><Notes annotations={annotations} secret={kind === "Secret"} /></StackItem>
    </Stack>
  );
}

export function Fact({ title, children }: { title: string; children: ReactNode }) {
  return (
    <DescriptionListGroup>
      <DescriptionListTerm>{title}</DescriptionListTerm>
      <DescriptionListDescription>{children}</DescriptionListDescription>
    </DescriptionListGroup>
  );
}

function PodFacts({ cluster, pod }: { cluster: string; pod: Pod }) {
  const node = pod.spec?.nodeName;
  return (
    <>
      <Fact title="Node">{node === undefined ? "none yet" : <Link to={objectPath(cluster, KNOWN.nodes, "", node)}>{asText(node)}</Link>}</Fact>
      <Fact title="Address">{asText(pod.status?.podIP ?? "none yet")}</Fact>
      <Fact title="Restarts">{restartsOf(pod)}</Fact>
      {pod.status?.qosClass !== undefined && <Fact title="Quality of service">{asText(pod.status.qosClass)}</Fact>}
    </>
  );
}

type Read = (object: KubeObject) => unknown;
const spec = (path: string): Read => (object) => path.split(".").reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], object);

/** What people look for first in some kinds; a path that leads nowhere is left out. */
const FACTS: Record<string, [string, Read][]> = {
  Deployment: [["Replicas", spec("spec.replicas")], ["Ready", spec("status.readyReplicas")], ["Strategy", spec("spec.strategy.type")]],
  StatefulSet: [["Replicas", spec("spec.replicas")], ["Ready", spec("status.readyReplicas")], ["Service", spec("spec.serviceName")]],
  DaemonSet: [["Wanted", spec("status.desiredNumberScheduled")], ["Ready", spec("status.numberReady")]],
  ReplicaSet: [["Replicas", spec("spec.replicas")], ["Ready", spec("status.readyReplicas")]],
  Job: [["Completions", spec("spec.completions")], ["Succeeded", spec("status.succeeded")], ["Failed", spec("status.failed")]],
  CronJob: [["Schedule", spec("spec.schedule")], ["Last run", spec("status.lastScheduleTime")], ["Last success", spec("status.lastSuccessfulTime")]],
  Service: [["Type", spec("spec.type")], ["Address", spec("spec.clusterIP")], ["Ports", ports]],
  Ingress: [["Class", spec("spec.ingressClassName")], ["Hosts", hosts]],
  Node: [
    ["Kubelet", spec("status.nodeInfo.kubeletVersion")], ["System", spec("status.nodeInfo.osImage")], ["Runtime", spec("status.nodeInfo.containerRuntimeVersion")],
    ["CPU", spec("status.allocatable.cpu")], ["Memory", spec("status.allocatable.memory")], ["Pods at most", spec("status.allocatable.pods")],
  ],
  PersistentVolumeClaim: [["Volume", spec("spec.volumeName")], ["Size", spec("status.capacity.storage")], ["Class", spec("spec.storageClassName")]],
  Secret: [["Type", spec("type")], ["Keys", (object) => Object.keys((object["data"] as object | undefined) ?? {}).join(", ")]],
  ConfigMap: [["Keys", (object) => Object.keys((object["data"] as object | undefined) ?? {}).join(", ")]],
};

function ports(object: KubeObject): unknown {
  const list = (object["spec"] as { ports?: { port?: number; protocol?: string; name?: string }[] } | undefined)?.ports;
  return list?.map(({ port, protocol, name }) => `${port}/${protocol ?? "TCP"}${name === undefined ? "" : ` ${name}`}`).join(", ");
}

function hosts(object: KubeObject): unknown {
  const rules = (object["spec"] as { rules?: { host?: string }[] } | undefined)?.rules;
  return rules?.map(({ host }) => host ?? "*").join(", ");
}

function factsOf(kind: string, object: KubeObject): [string, unknown][] {
  return (FACTS[kind] ?? []).map(([title, read]): [string, unknown] => [title, read(object)]).filter(([, value]) => value !== undefined && value !== "");
}

function Conditions({ conditions }: { conditions: Condition[] }) {
  return (
    <>
      <Title headingLevel="h2" size="md">Conditions</Title>
      <ul className="tl-plain">
        {sortConditions(conditions).map((one) => {
          const { words, health, more } = tell(one);
          return (
            <li key={one.type}>
              <Status health={health === "plain" ? "busy" : health} words={words} />{" "}
              <span className="tl-count">since <Age of={one.lastTransitionTime} /></span>
              {more !== "" && <p className="tl-more">{harmless(more)}</p>}
            </li>
          );
        })}
      </ul>
    </>
  );
}

function Pairs({ title, pairs }: { title: string; pairs: Record<string, string> | undefined }) {
  const all = Object.entries(pairs ?? {});
  if (all.length === 0) return null;
  return (
    <LabelGroup categoryName={title} numLabels={12}>
      {all.map(([key, value]) => <Label key={key} isCompact variant="outline" textMaxWidth="30ch">{asText(`${key}=${value}`)}</Label>)}
    </LabelGroup>
  );
}

const LONG = 200;

function Notes({ annotations, secret }: { annotations: Record<string, string> | undefined; secret: boolean }) {
  const all = Object.entries(annotations ?? {});
  if (all.length === 0) return null;
  const shown = (key: string, value: string) => (secret && key.includes("last-applied") ? "(hidden)" : value.length > LONG ? `${value.slice(0, LONG)}…` : value);
  return (
    <details>
      <summary>Annotations ({all.length})</summary>
      <DescriptionList isCompact isHorizontal>
        {all.map(([key, value]) => <Fact key={key} title={asText(key)}><span className="tl-code">{asText(shown(key, value))}</span></Fact>)}
      </DescriptionList>
    </details>
  );
}
