// The way to the cluster: its tunnel, each hop of a walk along it, and how its log records get on.

import { Alert, Button } from "@patternfly/react-core";
import { CheckCircleIcon, ExclamationCircleIcon } from "@patternfly/react-icons";
import { useQuery } from "@tanstack/react-query";
import { rest, take } from "../../api/client.ts";
import { asFault } from "../../api/fault.ts";
import type { Cluster } from "../../api/fleet.ts";
import { Facts } from "../../parts/Facts.tsx";
import { bytes, count, milliseconds } from "../../parts/numbers.ts";
import { Asked } from "../../parts/states.tsx";
import { asText } from "../../parts/text.ts";
import { Age, span, useNow } from "../../parts/time.tsx";

/** When a link last came up, as the gateway remembers it. */
async function lastUp(name: string, signal: AbortSignal): Promise<string | null> {
  const { items } = await take(rest.GET("/trunkline/v1/clusters/{name}/history", { params: { path: { name } }, signal }));
  return items.find(({ what }) => what === "connected")?.when ?? null;
}

export function Tunnel({ cluster }: { cluster: Cluster }) {
  const { metadata: { name }, status } = cluster;
  const newest = useQuery({ queryKey: ["history", name], queryFn: ({ signal }) => lastUp(name, signal), retry: false, enabled: status.origin !== "management" });
  const now = useNow();
  const ends = status.certificateNotAfter;
  if (status.origin === "management") return <p>This is the gateway's own cluster: there is no tunnel to it.</p>;
  const slots = (status.slots ?? []).filter(({ links }) => links > 0);
  return (
    <Facts
      facts={[
        ["Round trip", milliseconds(status.rttMs)],
        ["Links", slots.length === 0 ? "none" : slots.map(({ slot, links, from }) => `${links} from ${from ?? "an unknown address"} (agent ${slot})`).join("; ")],
        [slots.length === 0 ? "Last up" : "Up since", newest.data === null || newest.data === undefined ? null : <Age key="since" of={newest.data} ago />],
        ["Agent", status.agentVersion ?? null],
        ["Certificate ends", ends === undefined || ends === null ? null : `in ${span(Math.max(0, Date.parse(ends) - now))}`],
      ]}
    />
  );
}

/** Walks the way to the API server, as whoever looks. */
export function Hops({ cluster }: { cluster: string }) {
  const walk = useQuery({
    queryKey: ["walk", cluster],
    queryFn: ({ signal }) => take(rest.GET("/trunkline/v1/clusters/{name}/status", { params: { path: { name: cluster } }, signal })),
    refetchInterval: 30_000,
  });
  return (
    <Asked query={walk} of={`the way to ${cluster}`} cluster={cluster}>
      {(report) => (
        <>
          <ul className="tl-plain">
            {report.hops.map(({ name, ok, detail, ms, hint }) => (
              <li key={name}>
                {ok ? <CheckCircleIcon className="tl-good" /> : <ExclamationCircleIcon className="tl-bad" />}{" "}
                <span className="pf-v6-screen-reader">{ok ? "works" : "does not work"}:</span>
                <strong>{asText(name)}</strong> {asText(detail)} {ms !== null && ms !== undefined && <span className="tl-count">{milliseconds(ms)}</span>}
                {hint !== undefined && hint !== "" && <p className="tl-more">{asText(hint)}</p>}
              </li>
            ))}
          </ul>
          <Button variant="link" isInline isLoading={walk.isFetching} onClick={() => void walk.refetch()}>Walk it again</Button>
        </>
      )}
    </Asked>
  );
}

export function LogLane({ cluster }: { cluster: string }) {
  const logs = useQuery({
    queryKey: ["logs status"],
    queryFn: ({ signal }) => take(rest.GET("/trunkline/v1/logs/status", { signal })),
    refetchInterval: 10_000,
    retry: false,
  });
  if (logs.error !== null) {
    const fault = asFault(logs.error);
    if (fault.reason === "NotKept" || fault.status === 404) return <p>This gateway keeps no logs.</p>;
  }
  return (
    <Asked query={logs} of="how its logs get on">
      {({ items = [] }) => {
        const own = items.filter((one) => one.cluster === cluster);
        if (own.length === 0) return <p>No records have come from this cluster since the gateway started.</p>;
        const sum = (of: (one: (typeof own)[number]) => number | null | undefined) => own.reduce((total, one) => total + (of(one) ?? 0), 0);
        const lag = Math.max(...own.map(({ lagMs }) => lagMs ?? 0));
        const [waiting, lost] = [sum(({ waiting: of }) => of), sum(({ lost: of }) => of)];
        const [used, cap] = [sum(({ spoolBytes }) => spoolBytes), sum(({ spoolCap }) => spoolCap)];
        const whys = own.map(({ why }) => why ?? "").filter((why) => why !== "");
        return (
          <>
            {whys.length > 0 && <Alert isInline variant="warning" title="Records wait">{whys.map(asText).join("; ")}</Alert>}
            {lost > 0 && <Alert isInline variant="danger" title={`${count(lost)} records were lost in the spools`} />}
            <Facts
              facts={[
                ["Rate", `${count(Math.round(sum(({ rate }) => rate)))} records a second`],
                ["Behind", span(lag)],
                ["Waiting", waiting === 0 ? "none" : `${count(waiting)} records`],
                ["Spool", cap === 0 ? null : `${bytes(used)} of ${bytes(cap)}`],
              ]}
            />
          </>
        );
      }}
    </Asked>
  );
}
