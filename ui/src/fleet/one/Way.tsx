// The way to a cluster's API server, walked hop by hop as who asks: where it stops, why, and what to do.

import { Alert, Button, Stack, StackItem } from "@patternfly/react-core";
import { CheckCircleIcon, ExclamationCircleIcon } from "@patternfly/react-icons";
import { useQuery } from "@tanstack/react-query";
import { rest, take, type Shapes } from "../../api/client.ts";
import { milliseconds } from "../../parts/numbers.ts";
import { harmless } from "../../parts/text.ts";
import { Asked } from "../../parts/states.tsx";
import { Age } from "../../parts/time.tsx";
import { LineToCopy } from "../CodeToCopy.tsx";

const HOPS: Record<string, string> = { gateway: "Gateway", registry: "Registry", tunnel: "Tunnel", agent: "Agent", "api-server": "API server" };

export function Way({ name }: { name: string }) {
  const walk = useQuery({
    queryKey: ["way", name],
    queryFn: () => take(rest.GET("/trunkline/v1/clusters/{name}/status", { params: { path: { name } } })),
    staleTime: 0,
    gcTime: 0,
  });
  return (
    <Stack hasGutter>
      <StackItem>
        <Button variant="secondary" onClick={() => void walk.refetch()} isLoading={walk.isFetching} isDisabled={walk.isFetching}>Walk it again</Button>{" "}
        {walk.dataUpdatedAt > 0 && <small className="tl-subtle">walked <Age of={walk.dataUpdatedAt} ago /></small>}
      </StackItem>
      <StackItem><Asked query={walk} of={`the way to ${name}`}>{(report) => <Hops name={name} hops={report.hops} />}</Asked></StackItem>
      <StackItem><p className="tl-subtle">The same on the command line:</p><LineToCopy text={`trunkline status ${name}`} /></StackItem>
    </Stack>
  );
}

function Hops({ name, hops }: { name: string; hops: Shapes["Hop"][] }) {
  const stops = hops.find(({ ok }) => !ok);
  return (
    <>
      <p role="status">{stops === undefined ? `All the way to ${name}'s API server works.` : `It stops at: ${HOPS[stops.name] ?? stops.name}.`}</p>
      <ol className="tl-steps" aria-label={`The way to ${name}`}>
        {hops.map((hop) => (
          <li key={hop.name} className="tl-step" data-look={hop.ok ? "done" : "failed"}>
            <span className="tl-step-mark">{hop.ok ? <CheckCircleIcon /> : <ExclamationCircleIcon />}</span>
            <div className="tl-step-what">
              <strong>{HOPS[hop.name] ?? hop.name}</strong><span className="pf-v6-screen-reader"> {hop.ok ? "works" : "fails"}</span>
              {hop.ms != null && <span> {milliseconds(hop.ms)}</span>} {hop.ok && <span className="tl-subtle">{harmless(hop.detail)}</span>}
              {!hop.ok && <Alert isInline variant="danger" title={harmless(hop.detail)}>{hop.hint && harmless(hop.hint)}</Alert>}
            </div>
          </li>
        ))}
      </ol>
    </>
  );
}
