// What must be known beside the policies: what is not live, not seen, not there, and perhaps not enforced.

import { Alert } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { MOST } from "../api/objects.ts";
import { kube, type KubeObject } from "../api/kube.ts";
import { count } from "../parts/numbers.ts";
import { Stale } from "../parts/states.tsx";
import { harmless } from "../parts/text.ts";
import { enforcers } from "./enforced.ts";
import { kindTitle } from "./kinds.ts";
import type { PoliciesView } from "./usePolicies.ts";

const WORDS = new Intl.ListFormat("en");

/** `onlyData` leaves out what is about the cluster and not about what was read of it. */
export function Notices({ cluster, policies, onlyData = false }: { cluster: string; policies: PoliciesView; onlyData?: boolean }) {
  const { calico, kinds = [], failed, stale, truncated } = policies;
  return (
    <div className="tl-notices">
      {stale !== null && <Stale asOf={stale.asOf} fault={stale.fault} onRetry={policies.refresh} />}
      {failed.length > 0 && (
        <Alert isInline variant="warning" title={`Not shown: ${WORDS.format(failed.map(({ kind }) => kindTitle(kind)))}`}>
          <p>{onlyData ? "They are not compared." : "The order below is without them, and may be wrong for what they decide."}</p>
          {failed.map(({ kind, fault }) => <p key={kind} className="tl-code">{harmless(fault.detail)}</p>)}
        </Alert>
      )}
      {truncated && <Alert isInline variant="warning" title={`There are more than ${count(MOST)} of a kind: the rest is not shown. Choose a namespace.`} />}
      {!calico && !onlyData && (
        <Alert isInline isPlain variant="info" title={`Calico's kinds are not installed; showing ${WORDS.format(kinds.map(({ kind }) => kindTitle(kind.kind))) || "nothing"}.`} />
      )}
      {kinds.length > 0 && !onlyData && <Enforced cluster={cluster} />}
    </div>
  );
}

const MOST_DAEMON_SETS = 500;

function Enforced({ cluster }: { cluster: string }) {
  const { data, error } = useQuery({
    queryKey: ["enforcers", cluster],
    queryFn: async ({ signal }) => {
      const list = await kube<{ items: KubeObject[] }>(cluster, "/apis/apps/v1/daemonsets", { query: { limit: MOST_DAEMON_SETS }, signal });
      return enforcers(list.items);
    },
    staleTime: 5 * 60_000,
  });
  if (error !== null) return <Alert isInline isPlain variant="info" title="Whether the cluster's network enforces policies cannot be seen: its daemon sets may not be listed." />;
  if (data === undefined || data.length > 0) return null;
  return (
    <Alert isInline variant="warning" title="These policies may not be enforced">
      No network that enforces policies is seen in this cluster: no daemon set of Calico, Cilium, kube-router, Antrea or another that is known. Without one, policies are kept and change nothing.
    </Alert>
  );
}
