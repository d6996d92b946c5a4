// A pod's log by itself: /c/<cluster>/podlogs?ns=&pod= or &workload=apps/v1/deployments/web.

import { Title } from "@patternfly/react-core";
import { useSearchParams } from "react-router";
import { useCluster } from "../../app/place.ts";
import { usePageTitle } from "../../parts/Head.tsx";
import { Nothing } from "../../parts/states.tsx";
import { PodLogs } from "../PodLogs.tsx";
import type { Workload } from "./pods.ts";

export function PodLogsPage() {
  const cluster = useCluster() ?? "";
  const [query] = useSearchParams();
  const namespace = query.get("ns") ?? "";
  const pod = query.get("pod") ?? "";
  const workload = workloadOf(query.get("workload") ?? "");
  usePageTitle(`Log of ${pod || (workload?.name ?? "a pod")}`);
  if (namespace === "" || (pod === "" && workload === null)) {
    return <Nothing title="No log was asked for">The address names a namespace and a pod, as in ?ns=shop&amp;pod=web-0.</Nothing>;
  }
  return (
    <div className="tl-logs">
      <Title headingLevel="h1" size="xl">Log of {pod || workload?.name}</Title>
      <p className="tl-log-all">{workload === null ? "Pod" : workload.resource} in namespace {namespace} of {cluster}</p>
      <PodLogs cluster={cluster} namespace={namespace} {...(workload === null ? { pod } : { workload })} />
    </div>
  );
}

/** `apps/v1/deployments/web`; the core group is `core`. */
function workloadOf(text: string): Workload | null {
  const [group, version, resource, name, ...rest] = text.split("/");
  if (!group || !version || !resource || !name || rest.length > 0) return null;
  return { group: group === "core" ? "" : group, version, resource, name };
}
