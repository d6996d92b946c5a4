// What a change of a policy does to the set of pods that it is for: those gained, those lost.

import { Label } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { count } from "../parts/numbers.ts";
import { Failed, Loading } from "../parts/states.tsx";
import { asText } from "../parts/text.ts";
import type { PodFacts } from "./applies.ts";
import type { Policy } from "./policy.ts";
import { changeOf, MOST_PODS, readPods } from "./pods.ts";

export function PodsChange({ cluster, before, after }: { cluster: string; before: Policy; after: Policy }) {
  const words = JSON.stringify([before.object["spec"], after.object["spec"]]);
  const pods = useQuery({
    queryKey: ["pods of policies", cluster, before.key, words],
    queryFn: ({ signal }) => readPods(cluster, [before, after], signal),
    gcTime: 0,
  });
  const change = useMemo(() => (pods.data === undefined ? null : changeOf(before, after, pods.data)), [before, after, pods.data]);
  if (pods.error !== null) return <Failed error={pods.error} cluster={cluster} onRetry={() => void pods.refetch()} />;
  if (change === null) return <Loading of={`the pods of ${cluster}`} />;
  const { gained, lost, kept, unknown } = change;
  return (
    <section aria-label="Pods">
      <h3>
        Pods: <Label isCompact color={gained.length > 0 ? "blue" : "grey"}>+{count(gained.length)} gained</Label>{" "}
        <Label isCompact color={lost.length > 0 ? "orange" : "grey"}>−{count(lost.length)} lost</Label> {count(kept)} stay
      </h3>
      {unknown > 0 && <p>Of {count(unknown)} it cannot be said: labels that the selectors ask for cannot be read.</p>}
      {pods.data?.truncated === true && <p>Only the first {count(MOST_PODS)} pods were looked at.</p>}
      <PodNames title="Gained" pods={gained} />
      <PodNames title="Lost" pods={lost} />
    </section>
  );
}

const MOST_NAMES = 200;

export function PodNames({ title, pods }: { title: string; pods: PodFacts[] }) {
  if (pods.length === 0) return null;
  return (
    <>
      <h4>{title}</h4>
      <ul className="tl-pods" aria-label={title} tabIndex={0}>
        {pods.slice(0, MOST_NAMES).map(({ namespace, name }) => <li key={`${namespace}/${name}`}>{asText(namespace)} / {asText(name)}</li>)}
        {pods.length > MOST_NAMES && <li>and {count(pods.length - MOST_NAMES)} more</li>}
      </ul>
    </>
  );
}
