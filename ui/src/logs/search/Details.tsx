// One record: what it says in its fields, all of it as JSON, and the lines that stood around it.

import { Button, ClipboardCopy, Tab, Tabs, TabTitleText } from "@patternfly/react-core";
import { MinusCircleIcon, PlusCircleIcon } from "@patternfly/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { asFault } from "../../api/fault.ts";
import { Loading } from "../../parts/states.tsx";
import { plain } from "../text/harmless.ts";
import { Line } from "../text/Line.tsx";
import { indented } from "../text/tree.ts";
import { findPage } from "./find.ts";
import { term } from "./grammar.ts";
import { clockTime, type Zone } from "./moments.ts";
import { FACETS, fieldsOf, valueOf, type LogRecord } from "./record.ts";

const AROUND = 50;
const DAY = 24 * 60 * 60 * 1_000;

interface DetailsProps {
  record: LogRecord;
  zone: Zone;
  columns: string[];
  onFilter: (term: string, not: boolean) => void;
  onColumn: (field: string) => void;
  onOpen: (record: LogRecord) => void;
}

export function Details({ record, zone, columns, onFilter, onColumn, onOpen }: DetailsProps) {
  const [tab, setTab] = useState<string | number>("fields");
  const at = Date.parse(record.time);
  return (
    <>
      <p className="tl-log-moment">
        <time dateTime={record.time}>{clockTime(at, zone)}{zone === "utc" ? " UTC" : ""}</time> in {record.cluster}
      </p>
      <p className="tl-log-message"><Line text={record.message} /></p>
      <PodLinks record={record} />
      <Tabs activeKey={tab} onSelect={(_, key) => setTab(key)} aria-label="The record">
        <Tab eventKey="fields" title={<TabTitleText>Fields</TabTitleText>}>
          {tab === "fields" && <FieldTable record={record} columns={columns} onFilter={onFilter} onColumn={onColumn} />}
        </Tab>
        <Tab eventKey="around" title={<TabTitleText>Around it</TabTitleText>}>
          {tab === "around" && <Around record={record} zone={zone} onOpen={onOpen} />}
        </Tab>
        <Tab eventKey="json" title={<TabTitleText>JSON</TabTitleText>}>
          {tab === "json" && <Json record={record} />}
        </Tab>
      </Tabs>
    </>
  );
}

function PodLinks({ record }: { record: LogRecord }) {
  const { namespace, pod, container } = record.facets;
  if (namespace === undefined || pod === undefined) return null;
  const cluster = encodeURIComponent(record.cluster);
  const query = new URLSearchParams({ ns: namespace, pod, ...(container === undefined ? {} : { container }) }).toString();
  return (
    <p className="tl-log-links">
      <Link to={`/c/${cluster}/core/v1/pods/${encodeURIComponent(namespace)}/${encodeURIComponent(pod)}`}>Open pod {plain(pod)}</Link>
      <Link to={`/c/${cluster}/podlogs?${query}`}>Follow its log</Link>
    </p>
  );
}

function FieldTable({ record, columns, onFilter, onColumn }: Omit<DetailsProps, "zone" | "onOpen">) {
  const facets = [...FACETS, "dataset"].map((name) => [name, valueOf(record, name)] as [string, string]).filter(([, value]) => value !== "");
  const rows: [string, string][] = [["cluster", record.cluster], ...facets, ...fieldsOf(record)];
  return (
    <table className="tl-log-pairs" aria-label="Fields of the record">
      <tbody>
        {rows.map(([name, value], at) => (
          <tr key={`${name} ${at}`}>
            <th scope="row">{plain(name)}</th>
            <td>{plain(value)}</td>
            <td className="tl-log-acts">
              <Button variant="plain" size="sm" icon={<PlusCircleIcon />} aria-label={`Only ${plain(name)} ${plain(value)}`} onClick={() => onFilter(term(name, value), false)} />
              <Button variant="plain" size="sm" icon={<MinusCircleIcon />} aria-label={`Without ${plain(name)} ${plain(value)}`} onClick={() => onFilter(term(name, value), true)} />
              <Button variant="link" isInline size="sm" onClick={() => onColumn(name)}>{columns.includes(name) ? "no column" : "column"}</Button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Json({ record }: { record: LogRecord }) {
  const lines = indented(record.source ?? {});
  return (
    <>
      <ClipboardCopy isReadOnly isCode hoverTip="Copy" clickTip="Copied" textAriaLabel="The record as JSON">{JSON.stringify(record.source ?? {})}</ClipboardCopy>
      <pre className="tl-log-json" tabIndex={0} aria-label="The record as JSON">{lines.join("\n")}</pre>
    </>
  );
}

/** The lines of the same container just before and after; of the same pod or application where it says no container. */
function Around({ record, zone, onOpen }: { record: LogRecord; zone: Zone; onOpen: (record: LogRecord) => void }) {
  const of = (["namespace", "pod", "container"] as const).filter((name) => record.facets[name] !== undefined);
  const names = of.length > 0 ? of : (["app"] as const).filter((name) => record.facets[name] !== undefined);
  const q = names.map((name) => term(name, record.facets[name] ?? "")).join(" ");
  const around = useQuery({
    queryKey: ["logs", "around", record.cluster, record.at, q],
    queryFn: async ({ signal }) => {
      const at = Date.parse(record.time);
      const question = { q, clusters: record.cluster, selector: "", from: new Date(at - DAY).toISOString(), to: new Date(at + DAY).toISOString() };
      const before = await findPage(question, "newest", record.at, AROUND, signal);
      const after = await findPage(question, "oldest", record.at, AROUND, signal);
      return { before: before.items.reverse(), after: after.items };
    },
    staleTime: Infinity,
  });
  if (around.error !== null) return <p role="alert">{asFault(around.error).detail} <Button variant="link" isInline onClick={() => void around.refetch()}>Try again</Button></p>;
  if (around.data === undefined) return <Loading of="the lines around it" />;
  const { before, after } = around.data;
  const line = (one: LogRecord, own = false) => (
    <li key={one.at} data-own={own}>
      <Button variant="link" isInline size="sm" onClick={() => onOpen(one)}>{clockTime(Date.parse(one.time), zone).slice(11)}</Button>{" "}
      <Line text={one.message} />
    </li>
  );
  return (
    <>
      <p className="tl-log-uncounted">{before.length} before and {after.length} after, of {names.length === 0 ? "the cluster" : `the same ${names.join(", ")}`}, within a day.</p>
      <ol className="tl-log-around" tabIndex={0} aria-label="The lines around it">
        {before.map((one) => line(one))}
        {line(record, true)}
        {after.map((one) => line(one))}
      </ol>
    </>
  );
}
