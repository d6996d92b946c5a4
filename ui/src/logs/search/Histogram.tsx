// How many records there were when, by level. Asked for after the results, and given up when somebody says so.
//
// Dragging zooms. With the keyboard: arrows move along the slices, with Shift they span some, Enter zooms, Escape lets go.
// The same numbers are there as a table.

import { Button, Skeleton } from "@patternfly/react-core";
import { useState, type KeyboardEvent, type PointerEvent } from "react";
import type { Shapes } from "../../api/client.ts";
import { asFault } from "../../api/fault.ts";
import { count } from "../../parts/numbers.ts";
import { bars, ceiling, LEVELS, parts, sliceAt, spanOf, type Bar } from "./bars.ts";
import { clockTime, type Range, type Zone } from "./moments.ts";

const HEIGHT = 80;
const WIDTH = 1_200;

interface HistogramProps {
  query: { data: Shapes["LogHistogram"] | undefined; error: unknown; fetchStatus: string; refetch: () => unknown };
  to: string;
  zone: Zone;
  onZoom: (range: Range) => void;
  onWider: () => void;
  onCancel: () => void;
}

export function Histogram({ query, to, zone, onZoom, onWider, onCancel }: HistogramProps) {
  const [table, setTable] = useState(false);
  if (query.data === undefined) {
    if (query.fetchStatus === "fetching") {
      return (
        <div className="tl-log-histogram" data-state="coming">
          <Skeleton height="100%" width="100%" screenreaderText="Counting records" />
          <Button variant="link" size="sm" onClick={onCancel}>Do not count</Button>
        </div>
      );
    }
    const why = query.error === null || query.error === undefined ? "Records were not counted." : asFault(query.error).detail;
    return <p className="tl-log-uncounted">{why} <Button variant="link" isInline onClick={() => void query.refetch()}>Count them</Button></p>;
  }
  const all = bars(query.data.slices, Date.parse(to));
  const total = all.reduce((sum, bar) => sum + bar.count, 0);
  return (
    <section className="tl-log-histogram" aria-label="Records over time">
      <Picture all={all} zone={zone} onZoom={onZoom} />
      <div className="tl-log-axis">
        <span>{all[0] === undefined ? "" : clockTime(all[0].begins, zone, "seconds")}</span>
        <span role="status">{count(total)} records, {count(Math.max(0, ...all.map((bar) => bar.count)))} at most at once</span>
        <Button variant="link" isInline size="sm" onClick={onWider}>Twice the time</Button>
        <Button variant="link" isInline size="sm" aria-expanded={table} onClick={() => setTable(!table)}>{table ? "Hide table" : "As a table"}</Button>
        <span>{clockTime(Date.parse(to), zone, "seconds")}</span>
      </div>
      {table && <Table all={all} zone={zone} onZoom={onZoom} />}
    </section>
  );
}

interface Selection {
  one: number;
  other: number;
  dragging: boolean;
}

function Picture({ all, zone, onZoom }: { all: Bar[]; zone: Zone; onZoom: (range: Range) => void }) {
  const [selection, setSelection] = useState<Selection | null>(null);
  const top = ceiling(Math.max(0, ...all.map((bar) => bar.count)));
  const width = WIDTH / Math.max(1, all.length);
  const under = (event: PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return sliceAt((event.clientX - box.left) / Math.max(1, box.width), all.length);
  };
  const zoom = (to: Selection) => {
    const span = spanOf(all, to.one, to.other);
    setSelection(null);
    if (span !== null) onZoom(span);
  };
  const onKey = (event: KeyboardEvent) => {
    const at = selection?.other ?? all.length;
    const steps: Record<string, number> = { ArrowLeft: at - 1, ArrowRight: at === all.length ? 0 : at + 1, Home: 0, End: all.length - 1 };
    const step = steps[event.key];
    if (step !== undefined) {
      const other = Math.max(0, Math.min(all.length - 1, step));
      setSelection({ one: event.shiftKey && selection !== null ? selection.one : other, other, dragging: false });
    } else if (event.key === "Enter" && selection !== null) zoom(selection);
    else if (event.key === "Escape" && selection !== null) setSelection(null);
    else return;
    event.preventDefault();
  };
  const first = selection === null ? 0 : Math.min(selection.one, selection.other);
  const last = selection === null ? -1 : Math.max(selection.one, selection.other);
  const chosen = all.slice(first, last + 1);
  const words = chosen.length === 0 ? "" : said(chosen, zone);
  return (
    <div className="tl-log-picture">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="application"
        aria-roledescription="histogram"
        aria-label="Records over time. Arrows move, with Shift they span, Enter zooms."
        tabIndex={0}
        data-keys="own"
        onKeyDown={onKey}
        onBlur={() => setSelection(null)}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          const at = under(event);
          setSelection({ one: at, other: at, dragging: true });
        }}
        onPointerMove={(event) => {
          if (selection?.dragging === true) setSelection({ ...selection, other: under(event) });
        }}
        onPointerUp={() => selection?.dragging === true && zoom(selection)}
        onPointerCancel={() => setSelection(null)}
      >
        {all.map((bar, at) => (
          <g key={bar.begins}>
            <title>{said([bar], zone)}</title>
            <rect x={at * width} y={0} width={width} height={HEIGHT} className="tl-log-slot" />
            {parts(bar, top, HEIGHT).map(({ level, y, height }) => (
              <rect key={level} x={at * width + 0.5} y={y} width={Math.max(0.5, width - 1)} height={height} className="tl-log-bar" data-level={level} />
            ))}
          </g>
        ))}
        {selection !== null && <rect x={first * width} y={0} width={(last - first + 1) * width} height={HEIGHT} className="tl-log-chosen" />}
      </svg>
      <p className="tl-log-said" aria-live="polite">{words}</p>
    </div>
  );
}

function said(chosen: Bar[], zone: Zone): string {
  const first = chosen[0];
  const last = chosen.at(-1);
  if (first === undefined || last === undefined) return "";
  const sum = (level: (typeof LEVELS)[number]) => chosen.reduce((total, bar) => total + bar.by[level], 0);
  const levels = [...LEVELS].reverse().filter((level) => sum(level) > 0).map((level) => `${count(sum(level))} ${level === "none" ? "other" : level}`);
  return `${clockTime(first.begins, zone, "seconds")} to ${clockTime(last.ends, zone, "seconds").slice(11)}: ${levels.join(", ") || "none"}`;
}

function Table({ all, zone, onZoom }: { all: Bar[]; zone: Zone; onZoom: (range: Range) => void }) {
  return (
    <div className="tl-log-numbers" role="region" aria-label="Records over time, as a table" tabIndex={0}>
      <table className="pf-v6-c-table pf-m-compact">
        <thead className="pf-v6-c-table__thead">
          <tr className="pf-v6-c-table__tr">
            {["From", "All", "Error", "Warn", "Info", "Debug", "Other"].map((title) => <th key={title} scope="col" className="pf-v6-c-table__th">{title}</th>)}
          </tr>
        </thead>
        <tbody className="pf-v6-c-table__tbody">
          {all.filter((bar) => bar.count > 0).map((bar) => (
            <tr key={bar.begins} className="pf-v6-c-table__tr">
              <td className="pf-v6-c-table__td">
                <Button variant="link" isInline onClick={() => onZoom({ from: new Date(bar.begins).toISOString(), to: new Date(bar.ends).toISOString() })}>
                  {clockTime(bar.begins, zone, "seconds")}
                </Button>
              </td>
              <td className="pf-v6-c-table__td">{count(bar.count)}</td>
              {[...LEVELS].reverse().map((level) => <td key={level} className="pf-v6-c-table__td">{count(bar.by[level])}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
