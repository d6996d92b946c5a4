// What happened to an object, the newest first, live.

import { useMemo } from "react";
import { EVENTS } from "../../api/kube.ts";
import { useList } from "../../api/objects.ts";
import { live } from "../../api/tab.ts";
import { DataTable, type DataColumn } from "../../parts/DataTable.tsx";
import { Failed, Loading, Nothing, Stale } from "../../parts/states.tsx";
import { asText } from "../../parts/text.ts";
import { Age } from "../../parts/time.tsx";
import { Status } from "../Status.tsx";
import { happening, type Happening } from "../workloads/events.ts";

export const EVENT_COLUMNS: DataColumn<Happening>[] = [
  { key: "last", title: "Last", cell: ({ at }) => <Age of={at} ago />, sort: ({ at }) => -at },
  { key: "type", title: "Type", cell: ({ type }) => <Status health={type === "Warning" ? "bad" : "plain"} words={type} />, sort: ({ type }) => type },
  { key: "reason", title: "Reason", cell: ({ reason }) => asText(reason), sort: ({ reason }) => reason },
  { key: "message", title: "Message", cell: ({ message }) => <span title={asText(message)}>{asText(message)}</span> },
  { key: "count", title: "Times", cell: ({ count }) => count, sort: ({ count }) => count },
  { key: "source", title: "From", cell: ({ source }) => asText(source), sort: ({ source }) => source },
];

interface EventsTabProps {
  cluster: string;
  namespace: string;
  kind: string;
  name: string;
  uid: string;
}

export function EventsTab({ cluster, namespace, kind, name, uid }: EventsTabProps) {
  // Events of nodes name the node in place of its uid.
  const fieldSelector = [`involvedObject.name=${name}`, `involvedObject.kind=${kind}`, ...(uid === "" || kind === "Node" ? [] : [`involvedObject.uid=${uid}`])].join(",");
  // Those of what has no namespace are in the default one.
  const events = useList({ cluster, resource: EVENTS, namespace: namespace === "" ? "default" : namespace, fieldSelector }, live, happening);
  const shown = useMemo(() => [...events.items].sort((a, b) => b.at - a.at), [events.items]);
  if (events.state === "loading") return <Loading of={`the events of ${name}`} />;
  if (events.state === "failed") return <Failed error={events.fault} cluster={cluster} onRetry={events.refresh} />;
  return (
    <div className="tl-tab">
      {events.state === "stale" && <Stale asOf={events.asOf} fault={events.fault} onRetry={events.refresh} />}
      {shown.length === 0
        ? <Nothing title="Nothing happened lately">Clusters keep events for about an hour. New ones appear here by themselves.</Nothing>
        : <DataTable label={`events of ${name}`} rows={shown} columns={EVENT_COLUMNS} rowKey={({ uid: id }) => id} sorted="last" live="" rowLook={({ type }) => (type === "Warning" ? "bad" : undefined)} />}
    </div>
  );
}
