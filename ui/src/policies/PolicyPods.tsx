// The pods that a policy is for, as they were when they were asked for.

import { Button } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link } from "react-router";
import { count } from "../parts/numbers.ts";
import { Asked, Nothing } from "../parts/states.tsx";
import { asText } from "../parts/text.ts";
import { Age } from "../parts/time.tsx";
import type { PodFacts } from "./applies.ts";
import { PodNames } from "./PodsChange.tsx";
import type { Policy } from "./policy.ts";
import { MOST_PODS, readPods, selected, type Pods } from "./pods.ts";

export function PolicyPods({ cluster, policy }: { cluster: string; policy: Policy }) {
  const pods = useQuery({
    queryKey: ["pods of policies", cluster, policy.key, JSON.stringify(policy.object["spec"])],
    queryFn: ({ signal }) => readPods(cluster, [policy], signal),
  });
  return (
    <Asked query={pods} of={`the pods of ${cluster}`} cluster={cluster}>
      {(data) => (
        <>
          <p className="tl-count">
            As of <Age of={pods.dataUpdatedAt} ago />. <Button variant="link" isInline isLoading={pods.isFetching} onClick={() => void pods.refetch()}>Read again</Button>
          </p>
          <Found cluster={cluster} policy={policy} pods={data} />
        </>
      )}
    </Asked>
  );
}

const MOST_LINKS = 500;

function Found({ cluster, policy, pods }: { cluster: string; policy: Policy; pods: Pods }) {
  const { yes, unknown } = useMemo(() => selected(policy, pods), [policy, pods]);
  if (yes.length === 0 && unknown.length === 0) {
    return <Nothing title="It is for no pod">{pods.truncated ? `Of the first ${count(MOST_PODS)} pods, all that were looked at,` : `Of ${count(pods.pods.length)} pods`} none fits its selectors.</Nothing>;
  }
  const to = ({ namespace, name }: PodFacts) => `/c/${encodeURIComponent(cluster)}/policies?view=pod&pod=${encodeURIComponent(`${namespace}/${name}`)}`;
  return (
    <>
      <p>It is for {count(yes.length)} of {count(pods.pods.length)} pods{policy.namespace === "" ? "" : ` in ${asText(policy.namespace)}`}.</p>
      {pods.truncated && <p>Only the first {count(MOST_PODS)} pods were looked at.</p>}
      <ul className="tl-pods" aria-label="Pods that it is for" tabIndex={0}>
        {yes.slice(0, MOST_LINKS).map((pod) => <li key={`${pod.namespace}/${pod.name}`}><Link to={to(pod)}>{asText(pod.namespace)} / {asText(pod.name)}</Link></li>)}
        {yes.length > MOST_LINKS && <li>and {count(yes.length - MOST_LINKS)} more</li>}
      </ul>
      <PodNames title="Of these it cannot be said, since labels cannot be read" pods={unknown} />
    </>
  );
}
