// The audit log: who did what where, by which rule, and what came of it. Newest first; older pages on demand; what comes, live.

import {
  Alert, Button, DatePicker, FormSelect, FormSelectOption, Label, PageSection, SearchInput, Switch, TextInput, Toolbar, ToolbarContent, ToolbarItem,
} from "@patternfly/react-core";
import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { rest, take, type Shapes } from "../api/client.ts";
import { asFault } from "../api/fault.ts";
import { live } from "../api/tab.ts";
import { useAsked } from "../app/place.ts";
import { DataTable, type DataColumn } from "../parts/DataTable.tsx";
import { save } from "../parts/download.ts";
import { Head } from "../parts/Head.tsx";
import { bytes, count } from "../parts/numbers.ts";
import { Asked, Failed, Loading, Nothing } from "../parts/states.tsx";
import { Age } from "../parts/time.tsx";
import { csv, tell, type AuditRecord } from "./records.ts";

const PAGE = 200;
/** Records kept while they are followed; over it the oldest go. */
const MOST = 5_000;

function page(query: object): Promise<Shapes["AuditPage"]> {
  return take(rest.GET("/trunkline/v1/audit", { params: { query } })) as Promise<Shapes["AuditPage"]>;
}

function useFilter() {
  const [user, setUser] = useAsked("user");
  const [cluster, setCluster] = useAsked("cluster");
  const [verb, setVerb] = useAsked("verb");
  const [phase, setPhase] = useAsked("phase");
  const [allowed, setAllowed] = useAsked("allowed");
  const [since, setSince] = useAsked("since");
  const asked = { user, cluster, verb, phase, allowed, since };
  const query = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== ""));
  return { ...asked, setUser, setCluster, setVerb, setPhase, setAllowed, setSince, query };
}

export function Audit() {
  const filter = useFilter();
  const [following, setFollowing] = useState(false);
  const pages = useInfiniteQuery({
    queryKey: ["audit", filter.query],
    queryFn: ({ pageParam }) => page({ ...filter.query, limit: PAGE, ...(pageParam === null ? {} : { before: pageParam }) }),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.older ?? null,
  });
  const known = useMemo(() => (pages.data?.pages ?? []).flatMap((page) => [...page.records].reverse()), [pages.data]);
  const newer = useFollowed(following, filter.query, known[0]?.sequence ?? null);
  const records = useMemo(() => [...newer, ...known], [newer, known]);
  return (
    <>
      <Head
        title="Audit"
        about="Every decision, sign-in and change, in a chain that shows when something was taken out of it."
        actions={<Verify />}
      />
      <PageSection hasBodyWrapper={false}>
        <Filter filter={filter} following={following} onFollow={setFollowing} records={records} />
        {pages.isError && <Failed error={pages.error} onRetry={() => void pages.refetch()} />}
        {pages.isPending && <Loading of="the audit log" />}
        {pages.isSuccess && records.length === 0 && <Nothing title="No record fits">Widen the filter, or look further back.</Nothing>}
        {records.length > 0 && <Records records={records} />}
        {pages.hasNextPage && (
          <Button variant="link" isLoading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>Older records</Button>
        )}
        <Recordings />
      </PageSection>
    </>
  );
}

function Filter(props: { filter: ReturnType<typeof useFilter>; following: boolean; onFollow: (on: boolean) => void; records: AuditRecord[] }) {
  const { filter, following, onFollow, records } = props;
  return (
    <Toolbar>
      <ToolbarContent>
        <ToolbarItem><SearchInput aria-label="User" placeholder="User" value={filter.user} onChange={(_, value) => filter.setUser(value)} onClear={() => filter.setUser("")} /></ToolbarItem>
        <ToolbarItem><SearchInput aria-label="Cluster" placeholder="Cluster" value={filter.cluster} onChange={(_, value) => filter.setCluster(value)} onClear={() => filter.setCluster("")} /></ToolbarItem>
        <ToolbarItem><TextInput aria-label="Verb" placeholder="Verb" value={filter.verb} onChange={(_, value) => filter.setVerb(value)} /></ToolbarItem>
        <ToolbarItem>
          <FormSelect aria-label="What happened" value={filter.phase} onChange={(_, value) => filter.setPhase(value)}>
            {[["", "Everything"], ["decision", "Decisions"], ["end", "Ends"], ["signIn", "Sign-ins"], ["change", "Changes"], ["read", "Looks into logs"]].map(
              ([value, label]) => <FormSelectOption key={value} value={value} label={label ?? ""} />,
            )}
          </FormSelect>
        </ToolbarItem>
        <ToolbarItem>
          <FormSelect aria-label="Outcome" value={filter.allowed} onChange={(_, value) => filter.setAllowed(value)}>
            <FormSelectOption value="" label="Allowed or not" />
            <FormSelectOption value="true" label="Allowed" />
            <FormSelectOption value="false" label="Refused" />
          </FormSelect>
        </ToolbarItem>
        <ToolbarItem>
          <DatePicker aria-label="Since" placeholder="Since" value={filter.since.slice(0, 10)} onChange={(_, value, date) => filter.setSince(date === undefined ? "" : `${value}T00:00:00Z`)} />
        </ToolbarItem>
        <ToolbarItem><Switch label="Follow" isChecked={following} onChange={(_, on) => onFollow(on)} /></ToolbarItem>
        <ToolbarItem>
          <Button variant="link" isInline isDisabled={records.length === 0} onClick={() => save("audit.csv", "text/csv", csv(records))}>CSV</Button>{" "}
          <Button variant="link" isInline isDisabled={records.length === 0} onClick={() => save("audit.ndjson", "application/x-ndjson", records.map((one) => JSON.stringify(one)).join("\n"))}>JSON</Button>
        </ToolbarItem>
      </ToolbarContent>
    </Toolbar>
  );
}

function Records({ records }: { records: AuditRecord[] }) {
  const rows = useMemo(() => records.map((record) => ({ record, told: tell(record) })), [records]);
  const columns: DataColumn<(typeof rows)[number]>[] = [
    { key: "time", title: "Time", width: 8, cell: ({ record }) => <Age of={record.time} ago /> },
    { key: "user", title: "User", cell: ({ told }) => told.user },
    { key: "cluster", title: "Cluster", cell: ({ told }) => told.cluster },
    { key: "what", title: "What", cell: ({ told }) => told.what },
    { key: "object", title: "Object", cell: ({ told }) => told.object },
    { key: "outcome", title: "Outcome", cell: ({ told }) => (told.bad ? <Label isCompact color="orange">{told.outcome}</Label> : told.outcome) },
    { key: "rule", title: "Rule", cell: ({ told }) => told.rule },
    { key: "request", title: "Request", cell: ({ told }) => <code>{told.request}</code> },
  ];
  return <DataTable label="Audit records" rows={rows} columns={columns} rowKey={({ record }) => String(record.sequence)} />;
}

/** The records that come, newest first, from the one after the newest that is known. */
function useFollowed(on: boolean, query: Record<string, string>, after: number | null): AuditRecord[] {
  const [records, setRecords] = useState<AuditRecord[]>([]);
  const key = JSON.stringify(query);
  useEffect(() => {
    if (!on || after === null) return;
    let last = after;
    return live.keep(
      () => `/trunkline/v1/audit?${new URLSearchParams({ ...(JSON.parse(key) as object), follow: "true", after: String(last) }).toString()}`,
      {
        lines: (lines) => {
          const came = lines.map((line) => JSON.parse(line) as AuditRecord);
          last = came.at(-1)?.sequence ?? last;
          setRecords((before) => [...came.reverse(), ...before].slice(0, MOST));
        },
      },
    );
    // What was first known stays the beginning of what is followed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [on, key, after === null]);
  return on ? records : [];
}

function Verify() {
  const verify = useMutation({ mutationFn: () => take(rest.POST("/trunkline/v1/audit/verify", { body: { head: null } })) });
  const verdict = verify.data;
  return (
    <>
      <Button variant="secondary" isLoading={verify.isPending} isDisabled={verify.isPending} onClick={() => verify.mutate()}>Verify the chain</Button>
      <div role="status">
        {verify.isError && <Alert isInline isPlain variant="danger" title={asFault(verify.error).detail} />}
        {verdict?.intact === true && <Alert isInline isPlain variant="success" title={`Intact: ${count(verdict.records)} records, ${verdict.first} to ${verdict.last}`} />}
        {verdict?.intact === false && <Alert isInline isPlain variant="danger" title={`Broken at record ${verdict.fault?.sequence ?? "?"}: ${verdict.fault?.why ?? ""}`} />}
      </div>
    </>
  );
}

/** The sessions that rules had recorded. */
function Recordings() {
  const recordings = useQuery({ queryKey: ["recordings"], queryFn: () => take(rest.GET("/trunkline/v1/audit/recordings")) });
  return (
    <section aria-labelledby="recordings">
      <h2 id="recordings">Recorded terminals</h2>
      <Asked query={recordings} of="the recordings">
        {({ items }) =>
          items.length === 0 ? (
            <p>None. A rule with <code>record</code> has terminals recorded.</p>
          ) : (
            <ul>
              {items.map((one) => (
                <li key={one.request}>
                  <a href={`/trunkline/v1/audit/recordings/${encodeURIComponent(one.request)}`} download={`${one.request}.cast`}>{one.request}</a>, {bytes(one.bytes)},{" "}
                  <Age of={one.modified} ago />{one.live ? ", still going on" : ""}
                </li>
              ))}
            </ul>
          )
        }
      </Asked>
    </section>
  );
}
