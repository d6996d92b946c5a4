// Logs: the records of all clusters, or of the one that is worked in. All of what is asked stands in the address.

import { Button, Title, ToggleGroup, ToggleGroupItem } from "@patternfly/react-core";
import { DownloadIcon, ListIcon, PlayIcon, StopIcon, SyncAltIcon } from "@patternfly/react-icons";
import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { asFault } from "../../api/fault.ts";
import { useKeys } from "../../app/keys.ts";
import { useCluster, useNamespace } from "../../app/place.ts";
import { usePageTitle } from "../../parts/Head.tsx";
import "../logs.css";
import { substring } from "../text/pattern.ts";
import { addressOf, MOST_COLUMNS, readAsked, writeAsked, type Asked } from "./asked.ts";
import { ClusterChips, Standings } from "./ClusterChips.tsx";
import { Export } from "./Export.tsx";
import { Fields, useFieldNames } from "./Fields.tsx";
import { questionOf, useFind, useHistogram, useLogStatus } from "./find.ts";
import { Found } from "./Found.tsx";
import { toggled, wordsOf } from "./grammar.ts";
import { Histogram } from "./Histogram.tsx";
import { wider } from "./moments.ts";
import { QueryBar } from "./QueryBar.tsx";
import { standings } from "./standing.ts";
import { Tailing } from "./Tailing.tsx";
import { TimePicker } from "./TimePicker.tsx";

/** These are other searches, to which Back leads; the rest is how one looks at them. */
const SEARCHES: (keyof Asked)[] = ["q", "clusters", "selector", "range", "order"];

export function LogSearch() {
  const cluster = useCluster();
  const [namespace] = useNamespace();
  usePageTitle("Logs");
  const navigate = useNavigate();
  const client = useQueryClient();
  const [query, setQuery] = useSearchParams();
  const asked = useMemo(() => readAsked(query), [query]);
  // "Now" stands still until somebody searches anew, so that all pages are of one time.
  const [now, setNow] = useState(() => Date.now());
  const [fieldsOpen, setFieldsOpen] = useState(() => window.innerWidth >= 1100);
  const [exporting, setExporting] = useState(false);
  const ask = (patch: Partial<Asked>) => {
    const isSearch = SEARCHES.some((name) => name in patch);
    if (isSearch) setNow(Date.now());
    setQuery((before) => writeAsked({ ...readAsked(before), ...(isSearch ? { open: "" } : {}), ...patch }, before), { replace: !isSearch });
  };
  const question = useMemo(() => questionOf(asked, cluster, namespace, now), [asked, cluster, namespace, now]);
  // What it is about, as one value: how it is looked at does not make it another.
  const key = JSON.stringify(question);
  const stable = useMemo(() => JSON.parse(key) as typeof question, [key]);
  const { found, records } = useFind(stable, asked.order, !asked.tail);
  const hasResults = found.data !== undefined && records.length > 0;
  const histogram = useHistogram(stable, hasResults && !asked.tail);
  const status = useLogStatus();
  const names = useFieldNames(records);
  const words = wordsOf(asked.q).join("\u0000");
  const places = useMemo(() => marking(words === "" ? [] : words.split("\u0000")), [words]);
  const refresh = () => setNow(Date.now());
  useKeys([
    { keys: "r", words: "Search again", run: refresh },
    { keys: "f", words: asked.tail ? "End the live tail" : "Live tail", run: () => ask({ tail: !asked.tail }) },
  ]);

  const fault = found.error === null ? null : asFault(found.error);
  const all = status.data === undefined ? [] : [...standings(status.data.items, status.dataUpdatedAt).values()];
  const chosen = stable.clusters === "" ? null : new Set(stable.clusters.split(","));
  const standing = all.filter((one) => chosen === null || chosen.has(one.cluster));
  const onFilter = (term: string, not: boolean) => ask({ q: toggled(asked.q, term, not) });
  const onColumn = (field: string) => ask({ columns: asked.columns.includes(field) ? asked.columns.filter((one) => one !== field) : [...asked.columns, field].slice(0, MOST_COLUMNS) });
  const onWider = () => ask({ range: wider(asked.range, Date.now()) });
  const onClusters = (clusters: string[]) => {
    if (cluster === null) ask({ clusters });
    else void navigate(addressOf({ ...asked, clusters }));
  };
  const several = stable.clusters === "" || stable.clusters.includes(",");
  const common = { asked, places, several, onFilter, onColumn, onOpen: (open: string) => ask({ open }) };

  return (
    <div className="tl-logs">
      <header className="tl-log-head">
        <Title headingLevel="h1" size="xl">Logs</Title>
        <ClusterChips chosen={asked.clusters} own={cluster} selector={asked.selector} onChoose={onClusters} onSelector={(selector) => ask({ selector })} />
      </header>
      <div className="tl-log-bar">
        <QueryBar value={asked.q} refusal={fault?.status === 400 ? fault.detail : ""} fields={names} onAsk={(q) => (q === asked.q ? refresh() : ask({ q }))} />
        {!asked.tail && <TimePicker range={asked.range} zone={asked.zone} onRange={(range) => ask({ range })} onZone={(zone) => ask({ zone })} />}
        {!asked.tail && <Button variant="secondary" icon={<SyncAltIcon />} onClick={refresh} aria-label="Search again" />}
        <Button variant={asked.tail ? "primary" : "secondary"} icon={asked.tail ? <StopIcon /> : <PlayIcon />} onClick={() => ask({ tail: !asked.tail })}>
          {asked.tail ? "End live tail" : "Live tail"}
        </Button>
      </div>
      <Standings of={standing} />
      {!asked.tail && hasResults && (
        <Histogram
          query={histogram} to={stable.to} zone={asked.zone} onZoom={(range) => ask({ range })} onWider={onWider}
          onCancel={() => void client.cancelQueries({ queryKey: ["logs", "histogram", stable] })}
        />
      )}
      <div className="tl-log-tools">
        <Button variant="plain" icon={<ListIcon />} aria-expanded={fieldsOpen} onClick={() => setFieldsOpen(!fieldsOpen)}>Fields</Button>
        <ToggleGroup aria-label="How records are shown" isCompact>
          <ToggleGroupItem text="Wrap" isSelected={asked.wrap} onChange={() => ask({ wrap: !asked.wrap })} />
          <ToggleGroupItem text="Hide repeats" isSelected={asked.dedup} onChange={() => ask({ dedup: !asked.dedup })} />
          <ToggleGroupItem text={asked.order === "newest" ? "Newest first" : "Oldest first"} isSelected={asked.order === "oldest"} onChange={() => ask({ order: asked.order === "newest" ? "oldest" : "newest" })} />
          <ToggleGroupItem text="UTC" isSelected={asked.zone === "utc"} onChange={() => ask({ zone: asked.zone === "utc" ? "local" : "utc" })} />
        </ToggleGroup>
        {hasResults && !asked.tail && <Button variant="link" icon={<DownloadIcon />} onClick={() => setExporting(true)}>Export</Button>}
      </div>
      <div className="tl-log-body">
        {fieldsOpen && <Fields names={names} columns={asked.columns} question={stable} onColumn={onColumn} onFilter={onFilter} />}
        {asked.tail ? (
          <Tailing key={`${stable.q} ${stable.clusters} ${stable.selector}`} of={{ q: stable.q, clusters: stable.clusters, selector: stable.selector }} {...common} />
        ) : (
          <Found
            found={found} records={records} question={stable} standing={standing} status={status.data} onClear={() => ask({ q: "" })}
            onRange={(range) => ask({ range })} onWider={onWider} onTail={() => ask({ tail: true })} {...common}
          />
        )}
      </div>
      {exporting && <Export question={stable} order={asked.order} columns={asked.columns} onClose={() => setExporting(false)} />}
    </div>
  );
}

/** Where any of the words stand. */
function marking(words: string[]) {
  if (words.length === 0) return undefined;
  const patterns = words.slice(0, 16).map(substring);
  return (line: string) => {
    const all = patterns.flatMap((pattern) => pattern.places(line)).sort((a, b) => a[0] - b[0]);
    const apart: [number, number][] = [];
    for (const [from, to] of all) {
      const before = apart.at(-1);
      if (before !== undefined && from <= before[1]) before[1] = Math.max(before[1], to);
      else apart.push([from, to]);
    }
    return apart;
  };
}
