// What belongs to an object: the chain of its owners, its pods, the services that select it.

import { StackItem, Title } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link } from "react-router";
import { kube, resourcePath, type KubeObject } from "../../api/kube.ts";
import { useList } from "../../api/objects.ts";
import { live } from "../../api/tab.ts";
import { Asked, Failed } from "../../parts/states.tsx";
import { asText } from "../../parts/text.ts";
import { useNaming } from "../kind.ts";
import { KNOWN, listPath, objectPath, type Named } from "../places.ts";
import { Status } from "../Status.tsx";
import { podStanding, type Standing } from "../workloads/pod.ts";
import { ownerOf, podsOf, selects, type Owner } from "./related.ts";
import { Fact } from "./Summary.tsx";

/** No chain of owners is longer. */
const MOST_OWNERS = 5;
const MOST_PODS = 50;
const MOST_SERVICES = 500;

interface Step {
  owner: Owner;
  of: Named;
}

/** The owners one after the other, as far as they may be read. */
async function chain(cluster: string, namespace: string, first: Owner, naming: (apiVersion: string, kind: string) => Named, signal: AbortSignal): Promise<Step[]> {
  const found: Step[] = [];
  let owner: Owner | undefined = first;
  while (owner !== undefined && found.length < MOST_OWNERS) {
    const of = naming(owner.apiVersion, owner.kind);
    found.push({ owner, of });
    try {
      // What owns a namespaced object is in the same namespace, or in none.
      const next: KubeObject = await kube<KubeObject>(cluster, resourcePath(of, owner.kind === "Node" ? "" : namespace, owner.name), { signal });
      owner = ownerOf(next.metadata);
    } catch {
      break;
    }
  }
  return found;
}

export function Owners({ cluster, namespace, object }: { cluster: string; namespace: string; object: KubeObject }) {
  const naming = useNaming(cluster);
  const first = ownerOf(object.metadata);
  const owners = useQuery({
    queryKey: ["owners", cluster, namespace, first?.uid],
    queryFn: ({ signal }) => (first === undefined ? [] : chain(cluster, namespace, first, naming, signal)),
    enabled: first !== undefined,
    staleTime: 60_000,
  });
  if (first === undefined) return null;
  const all = owners.data ?? [{ owner: first, of: naming(first.apiVersion, first.kind) }];
  return (
    <Fact title="Belongs to">
      {all.map(({ owner, of }, at) => (
        <span key={owner.uid}>
          {at > 0 && " ← "}
          <Link to={objectPath(cluster, of, owner.kind === "Node" ? "" : namespace, owner.name)}>{asText(`${owner.kind} ${owner.name}`)}</Link>
        </span>
      ))}
    </Fact>
  );
}

interface Short extends Standing {
  name: string;
  uid: string;
}

function short(object: KubeObject): Short {
  return { ...podStanding(object), name: object.metadata.name, uid: object.metadata.uid ?? object.metadata.name };
}

export function PodsOfIt({ cluster, namespace, kind, object }: { cluster: string; namespace: string; kind: string; object: KubeObject }) {
  const selector = podsOf(kind, object);
  if (selector === null) return null;
  return <StackItem><SelectedPods key={selector} cluster={cluster} namespace={namespace} selector={selector} /></StackItem>;
}

function SelectedPods({ cluster, namespace, selector }: { cluster: string; namespace: string; selector: string }) {
  const pods = useList({ cluster, resource: KNOWN.pods, namespace, labelSelector: selector }, live, short);
  const sorted = useMemo(() => {
    const rank = { bad: 0, busy: 1, plain: 2, good: 3 };
    return [...pods.items].sort((a, b) => rank[a.health] - rank[b.health] || (a.name < b.name ? -1 : 1));
  }, [pods.items]);
  const all = `${listPath(cluster, KNOWN.pods)}?${new URLSearchParams({ ns: namespace, label: selector }).toString()}`;
  if (pods.state === "loading") return null;
  if (pods.state === "failed") return <Failed error={pods.fault} cluster={cluster} onRetry={pods.refresh} />;
  return (
    <>
      <Title headingLevel="h2" size="md">Pods ({pods.items.length})</Title>
      {sorted.length === 0 && <p>None now.</p>}
      <ul className="tl-plain">
        {sorted.slice(0, MOST_PODS).map(({ uid, name, health, word, why }) => (
          <li key={uid}>
            <Status health={health} words={word} /> <Link to={objectPath(cluster, KNOWN.pods, namespace, name)}>{asText(name)}</Link>
            {why !== "" && <p className="tl-more">{asText(why)}</p>}
          </li>
        ))}
      </ul>
      {sorted.length > 0 && <Link to={all}>{sorted.length > MOST_PODS ? `All ${sorted.length} in the table` : "In the table"}</Link>}
    </>
  );
}

export function ServicesOfIt({ cluster, namespace, pod }: { cluster: string; namespace: string; pod: KubeObject }) {
  const services = useQuery({
    queryKey: ["services", cluster, namespace],
    queryFn: async ({ signal }) => (await kube<{ items: KubeObject[] }>(cluster, resourcePath(KNOWN.services, namespace), { query: { limit: MOST_SERVICES }, signal })).items,
  });
  return (
    <StackItem>
      <Title headingLevel="h2" size="md">Services that reach it</Title>
      <Asked query={services} of="the services" cluster={cluster}>
        {(all) => {
          const own = all.filter((service) => selects(service, pod.metadata.labels));
          if (own.length === 0) return <p>None selects this pod.</p>;
          return <ul className="tl-plain">{own.map(({ metadata: { name } }) => <li key={name}><Link to={objectPath(cluster, KNOWN.services, namespace, name)}>{asText(name)}</Link></li>)}</ul>;
        }}
      </Asked>
    </StackItem>
  );
}
