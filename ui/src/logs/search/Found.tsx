// What a search found, or why it found nothing; with a record's details beside it.

import { Alert, Button, DrawerActions, DrawerCloseButton, DrawerHead, DrawerPanelBody, DrawerPanelContent, Drawer, DrawerContent, DrawerContentBody, Title } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, type ReactNode } from "react";
import type { Shapes } from "../../api/client.ts";
import { asFault } from "../../api/fault.ts";
import { Failed, Loading, Nothing } from "../../parts/states.tsx";
import { count } from "../../parts/numbers.ts";
import { Absent } from "./Absent.tsx";
import type { Asked } from "./asked.ts";
import { Details } from "./Details.tsx";
import { findPage, MOST_RECORDS, PAGE, type Question, type useFind } from "./find.ts";
import type { Range } from "./moments.ts";
import { withoutRepeats, type LogRecord } from "./record.ts";
import { Results, type Shown } from "./Results.tsx";
import { beyondRetention, type Standing } from "./standing.ts";
import type { Places } from "../text/Line.tsx";

export interface Common {
  asked: Asked;
  places: Places | undefined;
  several: boolean;
  onFilter: (term: string, not: boolean) => void;
  onColumn: (field: string) => void;
  onOpen: (at: string) => void;
}

interface FoundProps extends Common {
  found: ReturnType<typeof useFind>["found"];
  records: LogRecord[];
  question: Question;
  standing: Standing[];
  status: Shapes["LogStatus"] | undefined;
  onClear: () => void;
  onRange: (range: Range) => void;
  onWider: () => void;
  onTail: () => void;
}

export function Found(props: FoundProps) {
  const { found, records, question, standing, status, asked, onClear, onRange, onWider, onTail } = props;
  const rows = useMemo<Shown[]>(() => {
    const said = asked.dedup ? withoutRepeats(records) : records.map((record) => ({ record, times: 1 }));
    return said.map(({ record, times }) => ({ kind: "record", key: `${record.cluster} ${record.at}`, record, times }));
  }, [records, asked.dedup]);
  const fault = found.error === null ? null : asFault(found.error);
  const oldestDay = status?.store.oldestDay ?? null;
  if (fault !== null && records.length === 0 && fault.status !== 400) {
    if (fault.reason === "NotKept") {
      return (
        <Nothing title="This gateway keeps no records">
          <p>Give it a log store: <code>logs:</code> in its configuration, or <code>logs.enabled</code> in its chart. Logs of single pods can be followed without.</p>
        </Nothing>
      );
    }
    return (
      <div className="tl-log-main">
        <Failed error={fault} onRetry={() => void found.refetch()} />
        {fault.status === 503 && <Alert isInline component="p" variant="info" title="The live tail works while the store does not." actionLinks={<Button variant="link" isInline onClick={onTail}>Live tail</Button>} />}
      </div>
    );
  }
  if (found.data === undefined) {
    if (fault?.status === 400) return <div className="tl-log-main" />;
    if (found.fetchStatus === "idle") return <div className="tl-log-main" />;
    return <div className="tl-log-main"><Loading of="the store's answer; less time is searched faster" /></div>;
  }
  if (records.length === 0) {
    return <div className="tl-log-main"><Absent asked={asked} question={question} standing={standing} oldestDay={oldestDay} onClear={onClear} onRange={onRange} onWider={onWider} /></div>;
  }
  const partial = found.data.pages.map((page) => page.partial).find((why) => why);
  const isFull = records.length >= MOST_RECORDS;
  const more = found.hasNextPage ? { count: PAGE, coming: found.isFetchingNextPage, ask: () => void found.fetchNextPage() } : null;
  return (
    <WithDetails {...props}>
      <p className="tl-log-summary" role="status">
        {count(records.length)} {found.hasNextPage || isFull ? `${asked.order} records` : "records, all that were found"}
        {rows.length < records.length ? `, ${count(records.length - rows.length)} repeats hidden` : ""}
      </p>
      {partial !== undefined && <Alert isInline isPlain component="p" variant="warning" title={`There may be more: ${partial}`} />}
      {fault !== null && <Alert isInline component="p" variant="warning" title={`More did not come: ${fault.detail}`} actionLinks={<Button variant="link" isInline onClick={() => void found.fetchNextPage()}>Try again</Button>} />}
      {isFull && <Alert isInline isPlain component="p" variant="info" title={`A page shows ${count(MOST_RECORDS)} records. Search a shorter time, or export.`} />}
      {beyondRetention(oldestDay, question.from) && !found.hasNextPage && <Alert isInline isPlain component="p" variant="info" title={`Records before ${oldestDay ?? ""} are not kept any more.`} />}
      <Results
        rows={rows} columns={asked.columns} zone={asked.zone} wrap={asked.wrap} several={props.several} places={props.places} open={asked.open}
        onOpen={(record) => props.onOpen(record.at)} more={more}
      />
    </WithDetails>
  );
}

/** What is shown, and beside it the record that is open. */
export function WithDetails(props: Common & { records: LogRecord[]; children: ReactNode; question?: Question }) {
  const { asked, records, children, onOpen, onFilter, onColumn } = props;
  const here = records.find(({ at }) => at === asked.open);
  // A link opens a record that may be on no page yet: its place begins with its time.
  const at = Number(asked.open.split(".")[0]);
  const there = useQuery({
    queryKey: ["logs", "record", asked.open, props.question?.clusters, props.question?.selector],
    queryFn: async ({ signal }) => {
      const span = { from: new Date(at).toISOString(), to: new Date(at + 1).toISOString() };
      const page = await findPage({ q: "", clusters: props.question?.clusters ?? "", selector: props.question?.selector ?? "", ...span }, "newest", "", 1_000, signal);
      return page.items.find((record) => record.at === asked.open) ?? null;
    },
    enabled: asked.open !== "" && here === undefined && Number.isFinite(at) && at > 0 && at < 8.64e15,
    staleTime: Infinity,
  });
  const record = here ?? there.data ?? undefined;
  const close = () => {
    onOpen("");
    // Back to the row that was opened.
    requestAnimationFrame(() => document.querySelector<HTMLElement>(".tl-log-results tr[tabindex='0']")?.focus());
  };
  const panel = (
    <DrawerPanelContent defaultSize="26rem" minSize="18rem" className="tl-log-details" onKeyDown={(event) => event.key === "Escape" && close()}>
      <DrawerHead>
        <Title headingLevel="h2" size="md">Record</Title>
        <DrawerActions><DrawerCloseButton onClick={close} /></DrawerActions>
      </DrawerHead>
      <DrawerPanelBody>
        {record !== undefined && <Details key={record.at} record={record} zone={asked.zone} columns={asked.columns} onFilter={onFilter} onColumn={onColumn} onOpen={(one) => onOpen(one.at)} />}
        {record === undefined && asked.open !== "" && (there.isFetching ? <Loading of="the record" /> : <p>This record is not there, or not yours to read.</p>)}
      </DrawerPanelBody>
    </DrawerPanelContent>
  );
  return (
    <Drawer isExpanded={asked.open !== ""} isInline className="tl-log-main">
      <DrawerContent panelContent={panel}>
        <DrawerContentBody className="tl-log-list">{children}</DrawerContentBody>
      </DrawerContent>
    </Drawer>
  );
}
