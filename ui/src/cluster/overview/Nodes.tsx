// The nodes: how many are ready, what they have to give, what is used of it where metrics tell.

import { Alert, Progress, ProgressMeasureLocation } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { find, useDiscovery } from "../../api/discovery.ts";
import { kube, NODES } from "../../api/kube.ts";
import { useList } from "../../api/objects.ts";
import { live } from "../../api/tab.ts";
import { bytes, count } from "../../parts/numbers.ts";
import { Failed, Loading, Stale } from "../../parts/states.tsx";
import { asText } from "../../parts/text.ts";
import { KNOWN, listPath, objectPath } from "../places.ts";
import { Status } from "../Status.tsx";
import { nodeStanding, usageOf } from "./capacity.ts";

const MOST_NAMED = 8;
const METRICS = "/apis/metrics.k8s.io/v1beta1/nodes";

export function Nodes({ cluster }: { cluster: string }) {
  const nodes = useList({ cluster, resource: NODES }, live, nodeStanding);
  const { data: kinds } = useDiscovery(cluster);
  const usage = useQuery({
    queryKey: ["node metrics", cluster],
    queryFn: async ({ signal }) => usageOf((await kube<{ items?: { usage?: Record<string, string> }[] }>(cluster, METRICS, { signal })).items ?? []),
    enabled: find(kinds, "metrics.k8s.io", "nodes") !== undefined,
    refetchInterval: 30_000,
    retry: false,
  });
  if (nodes.state === "loading") return <Loading of="the nodes" />;
  if (nodes.state === "failed") return <Failed error={nodes.fault} cluster={cluster} onRetry={nodes.refresh} />;
  const all = nodes.items;
  const unwell = all.filter(({ ready, cordoned, troubles }) => !ready || cordoned || troubles.length > 0);
  const sum = (of: (one: (typeof all)[number]) => number) => all.reduce((total, one) => total + of(one), 0);
  const [cpu, memory, pods] = [sum((one) => one.cpu), sum((one) => one.memory), sum((one) => one.pods)];
  return (
    <>
      {nodes.state === "stale" && <Stale asOf={nodes.asOf} fault={nodes.fault} onRetry={nodes.refresh} />}
      <p>
        <Link to={listPath(cluster, KNOWN.nodes)}>{count(all.length)} nodes</Link>, {count(all.filter(({ ready }) => ready).length)} ready.{" "}
        {count(Math.round(cpu * 10) / 10)} CPU, {bytes(memory)} of memory, room for {count(pods)} pods.
      </p>
      {usage.data !== undefined && cpu > 0 && (
        <>
          <Used title="CPU in use" used={usage.data.cpu} all={cpu} words={`${usage.data.cpu.toFixed(1)} of ${cpu.toFixed(1)}`} />
          <Used title="Memory in use" used={usage.data.memory} all={memory} words={`${bytes(usage.data.memory)} of ${bytes(memory)}`} />
        </>
      )}
      {unwell.length > 0 && (
        <ul className="tl-plain">
          {unwell.slice(0, MOST_NAMED).map(({ name, ready, cordoned, troubles }) => (
            <li key={name}>
              <Status health={ready && troubles.length === 0 ? "busy" : "bad"} words={ready ? (troubles.length > 0 ? troubles.join(", ") : cordoned ? "Cordoned" : "") : "Not ready"} />{" "}
              <Link to={objectPath(cluster, KNOWN.nodes, "", name)}>{asText(name)}</Link>
            </li>
          ))}
          {unwell.length > MOST_NAMED && <li>and {count(unwell.length - MOST_NAMED)} more</li>}
        </ul>
      )}
      {all.length === 0 && <Alert isInline isPlain variant="info" title="There are no nodes yet" />}
    </>
  );
}

function Used({ title, used, all, words }: { title: string; used: number; all: number; words: string }) {
  const share = all === 0 ? 0 : Math.min(100, Math.round((used / all) * 100));
  return (
    <Progress
      title={`${title}: ${words}`}
      value={share}
      measureLocation={ProgressMeasureLocation.outside}
      size="sm"
      {...(share >= 90 ? { variant: "warning" as const } : {})}
    />
  );
}
