// How a cluster's log records get on, dataset by dataset.

import { Alert, Stack, StackItem } from "@patternfly/react-core";
import { Link } from "react-router";
import { bytes, count, milliseconds } from "../../parts/numbers.ts";
import { harmless } from "../../parts/text.ts";
import { Failed, Loading } from "../../parts/states.tsx";
import { Age } from "../../parts/time.tsx";
import { useFleetLogs } from "../logs.ts";
import { SmallTable } from "./SmallTable.tsx";

export function Logs({ name }: { name: string }) {
  const { status, fault } = useFleetLogs();
  if (status === null) return fault === null ? <Loading of={`the logs of ${name}`} /> : <Failed error={fault} />;
  const items = (status.items ?? []).filter(({ cluster }) => cluster === name);
  const why = [...new Set(items.map((item) => item.why ?? "").filter((text) => text !== ""))];
  return (
    <Stack hasGutter>
      {status.store?.fault && <StackItem><Alert isInline variant="danger" title="The log store takes or answers nothing">{harmless(status.store.fault)}</Alert></StackItem>}
      {why.map((text) => <StackItem key={text}><Alert isInline variant="warning" title={`Records wait: ${harmless(text)}`} /></StackItem>)}
      <StackItem>
        <SmallTable
          label={`logs of ${name}`}
          rows={items}
          rowKey={({ dataset }) => dataset ?? ""}
          none="No record has come from this cluster since the gateway started. Whether anything is collected was said when it was registered: a new manifest under Agent changes that."
          columns={[
            { title: "Dataset", cell: ({ dataset }) => dataset ?? "" },
            { title: "Records/s", cell: ({ rate }) => (rate ?? 0).toFixed(1) },
            { title: "Lag", cell: ({ lagMs }) => milliseconds(lagMs) },
            { title: "Waiting", cell: ({ waiting }) => count(waiting ?? 0) },
            { title: "Oldest waiting", cell: ({ oldest }) => (oldest ? <Age of={oldest} ago /> : "–") },
            { title: "Spool", cell: ({ spoolBytes = 0, spoolCap = 0 }) => (spoolCap > 0 ? `${bytes(spoolBytes)} of ${bytes(spoolCap)}` : bytes(spoolBytes)) },
            { title: "Lost", cell: ({ lost }) => count(lost ?? 0) },
            { title: "Not taken", cell: ({ deadLetters }) => count(deadLetters ?? 0) },
            { title: "Stored", cell: ({ records = 0, bytes: size = 0 }) => `${count(records)}, ${bytes(size)}` },
          ]}
        />
      </StackItem>
      <StackItem><Link to={`/logs?${new URLSearchParams({ clusters: name }).toString()}`}>Search its logs</Link></StackItem>
    </Stack>
  );
}
