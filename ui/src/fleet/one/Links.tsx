// What holds a cluster: the agent's places and their links, its certificate, and the last times that links came and went.

import { Alert, Stack, StackItem, Title } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { rest, take, type Shapes } from "../../api/client.ts";
import { asFault } from "../../api/fault.ts";
import { milliseconds } from "../../parts/numbers.ts";
import { harmless } from "../../parts/text.ts";
import { Age, span, useNow } from "../../parts/time.tsx";
import type { ClusterRow } from "../rows.ts";
import { certificateEnds } from "../signs.ts";
import { SmallTable } from "./SmallTable.tsx";

export function Links({ row: { cluster, name, signs } }: { row: ClusterRow }) {
  const now = useNow();
  const ends = certificateEnds(cluster);
  const slots = cluster.status.slots ?? [];
  const enrolled = cluster.status.origin !== "file";
  return (
    <Stack hasGutter>
      <StackItem>
        <Title headingLevel="h2" size="md">Certificate</Title>
        {signs.certificate !== "" && <Alert isInline variant="warning" title={signs.certificate} />}
        <p>
          {ends === null ? "No certificate is in use." : ends <= now ? "It has ended." : <>The first of those in use ends in {span(ends - now)}, at {new Date(ends).toISOString()}.</>}{" "}
          {enrolled
            ? "The agent renews it at half of its life, over the tunnel. For a new key as well, take the agent out and install it with a new join token."
            : "It comes from files in the cluster, and is renewed there."}
        </p>
      </StackItem>
      <StackItem>
        <Title headingLevel="h2" size="md">Agent's places</Title>
        <SmallTable
          label={`places of ${name}'s agent`}
          rows={slots}
          rowKey={({ slot }) => String(slot)}
          none="No agent holds a place."
          columns={[
            { title: "Place", cell: ({ slot }) => slot },
            { title: "Links", cell: ({ links }) => links },
            { title: "From", cell: ({ from }) => from ?? "–" },
            { title: "RTT", cell: ({ rttMs }) => milliseconds(rttMs) },
            { title: "Agent", cell: ({ agentVersion }) => harmless(agentVersion ?? "–") },
            { title: "Process", cell: ({ epoch }) => epoch ?? "–" },
            { title: "Certificate ends", cell: (slot) => <Ends slot={slot} now={now} /> },
            { title: "Under the root", cell: ({ root }) => <code title={root ?? ""}>{root?.slice(0, 19) ?? "–"}</code> },
          ]}
        />
      </StackItem>
      <StackItem><History name={name} /></StackItem>
    </Stack>
  );
}

function Ends({ slot, now }: { slot: Shapes["SlotStatus"]; now: number }) {
  if (!slot.certificateNotAfter) return <>–</>;
  const left = Date.parse(slot.certificateNotAfter) - now;
  return <span title={slot.certificateNotAfter}>{left <= 0 ? "ended" : `in ${span(left)}`}</span>;
}

const EVENTS: Record<Shapes["LinkEventKind"], string> = { connected: "came up", disconnected: "went", refused: "was sent away" };

/** The last twenty times; nothing at all where the gateway does not tell. */
function History({ name }: { name: string }) {
  const { data } = useQuery({
    queryKey: ["link history", name],
    refetchInterval: 15_000,
    queryFn: async () => {
      try {
        return await take(rest.GET("/trunkline/v1/clusters/{name}/history", { params: { path: { name } } }));
      } catch (error) {
        if (asFault(error).status === 404) return null;
        throw error;
      }
    },
  });
  if (data === null || data === undefined) return null;
  return (
    <>
      <Title headingLevel="h2" size="md">When links came and went</Title>
      <SmallTable
        label={`when links of ${name} came and went`}
        rows={data.items}
        rowKey={(event) => `${event.when} ${event.from} ${event.what} ${event.lane ?? ""}`}
        none="No link came or went."
        columns={[
          { title: "When", cell: ({ when }) => <Age of={when} ago /> },
          { title: "Link", cell: ({ what, times }) => `${EVENTS[what] ?? what}${times > 1 ? `, ${times} times in a row` : ""}` },
          { title: "From", cell: ({ from }) => from },
          { title: "Place", cell: ({ slot }) => slot },
          { title: "For", cell: ({ lane }) => (lane === "logs" ? "logs" : lane === "api" ? "API" : "–") },
          { title: "Why", cell: ({ detail, reason }) => harmless(detail || reason || "") },
        ]}
      />
      <p className="tl-subtle">Nothing is missing since <Age of={data.since} ago />.</p>
    </>
  );
}
