// Who touched an object through the gateway: its audit log, where whoever looks may read that.

import { Button } from "@patternfly/react-core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { rest, take, type Shapes } from "../../api/client.ts";
import { asFault } from "../../api/fault.ts";
import { DataTable, type DataColumn } from "../../parts/DataTable.tsx";
import { Failed, Loading, Nothing } from "../../parts/states.tsx";
import { asText } from "../../parts/text.ts";
import { Age } from "../../parts/time.tsx";
import type { Named } from "../places.ts";
import { Status } from "../Status.tsx";
import { touches, type Touch } from "./touches.ts";

const PAGE = 1_000;

const COLUMNS: DataColumn<Touch>[] = [
  { key: "when", title: "When", cell: ({ time }) => <Age of={time} ago />, sort: ({ time }) => -Date.parse(time) },
  { key: "user", title: "User", cell: ({ user }) => asText(user), sort: ({ user }) => user },
  { key: "verb", title: "Verb", cell: ({ verb }) => asText(verb), sort: ({ verb }) => verb },
  { key: "allowed", title: "Decision", cell: ({ allowed }) => <Status health={allowed ? "good" : "bad"} words={allowed ? "allowed" : "refused"} />, sort: ({ allowed }) => (allowed ? 1 : 0) },
  { key: "rule", title: "Rule or reason", cell: ({ why }) => <span title={asText(why)}>{asText(why)}</span> },
  { key: "from", title: "From", cell: ({ from }) => asText(from), sort: ({ from }) => from },
  { key: "request", title: "Request", cell: ({ request }) => <code>{asText(request)}</code> },
];

export function AuditTab({ cluster, of, namespace, name }: { cluster: string; of: Named; namespace: string; name: string }) {
  const records = useInfiniteQuery({
    queryKey: ["audit", cluster, "decision"],
    initialPageParam: 0,
    queryFn: async ({ pageParam, signal }) => {
      const query = { cluster, phase: "decision", limit: PAGE, ...(pageParam === 0 ? {} : { before: pageParam }) };
      // Without `follow` it is a page.
      return (await take(rest.GET("/trunkline/v1/audit", { params: { query }, signal }))) as Shapes["AuditPage"];
    },
    getNextPageParam: (page: Shapes["AuditPage"]) => page.older ?? undefined,
  });
  const found = useMemo(
    () => touches((records.data?.pages ?? []).flatMap((page) => page.records), { group: of.group, resource: of.resource, namespace, name }),
    [records.data, of.group, of.resource, namespace, name],
  );
  if (records.error !== null) {
    const fault = asFault(records.error);
    if (fault.status === 403) return <Nothing title="You may not read the audit log">A rule that gives fleet: viewer lets one read it: docs/access.md.</Nothing>;
    if (fault.reason === "NotKept") return <Nothing title="This gateway keeps no audit log">It has no data folder.</Nothing>;
    return <Failed error={fault} onRetry={() => void records.refetch()} />;
  }
  if (records.data === undefined) return <Loading of="the audit log" />;
  const looked = records.data.pages.reduce((sum, page) => sum + page.records.length, 0);
  return (
    <div className="tl-tab">
      <p className="tl-count">
        Among the newest {looked.toLocaleString("en")} requests to {cluster} through the gateway. What goes to its API server directly is not here.{" "}
        {records.hasNextPage && (
          <Button variant="link" isInline isLoading={records.isFetchingNextPage} onClick={() => void records.fetchNextPage()}>Look further back</Button>
        )}
      </p>
      {found.length === 0
        ? <Nothing title="Nobody touched it through the gateway lately" />
        : <DataTable label={`requests about ${name}`} rows={found} columns={COLUMNS} rowKey={({ key }) => key} sorted="when" rowLook={({ allowed }) => (allowed ? undefined : "bad")} />}
    </div>
  );
}
