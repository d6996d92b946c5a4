// What was found: only the rows in sight are in the page, and those behind come when somebody gets near. Rows may wrap, and
// are then as high as they are.
//
// Keys, with a row focused: arrows or j and k move, Enter opens, Home and End jump. The list does not jump by itself: a tail's
// new rows keep what is looked at where it is.

import { Button, Label } from "@patternfly/react-core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { keysAreOn } from "../../app/keys.ts";
import { count } from "../../parts/numbers.ts";
import { plain } from "../text/harmless.ts";
import { Line, type Places } from "../text/Line.tsx";
import { clockTime, type Zone } from "./moments.ts";
import { levelOf, valueOf, type LogRecord } from "./record.ts";

export type Shown = { kind: "record"; key: string; record: LogRecord; times: number } | { kind: "mark"; key: string; words: string };

interface ResultsProps {
  rows: Shown[];
  columns: string[];
  zone: Zone;
  wrap: boolean;
  /** Several clusters' records are told apart. */
  several: boolean;
  places: Places | undefined;
  open: string;
  onOpen: (record: LogRecord) => void;
  /** More can be asked for. */
  more: { count: number; coming: boolean; ask: () => void } | null;
}

export function Results({ rows, columns, zone, wrap, several, places, open, onOpen, more }: ResultsProps) {
  const box = useRef<HTMLDivElement>(null);
  const [focused, setFocused] = useState<string | null>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => 28,
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: 20,
    initialRect: { width: 1000, height: 800 },
  });
  const items = virtual.getVirtualItems();
  const lastInSight = items.at(-1)?.index ?? 0;
  const ask = more !== null && !more.coming && lastInSight >= rows.length - 20 ? more.ask : null;
  useEffect(() => ask?.(), [ask]);
  useEffect(() => virtual.measure(), [wrap, columns.length, virtual]);

  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const tabbable = items.find(({ index }) => rows[index]?.key === focused)?.index ?? items[0]?.index;
  const width = 2 + columns.length + (several ? 1 : 0);
  const focusRow = (index: number) => {
    const to = Math.max(0, Math.min(index, rows.length - 1));
    const row = rows[to];
    if (row === undefined) return;
    setFocused(row.key);
    virtual.scrollToIndex(to);
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-index="${to}"]`)?.focus());
  };
  const onKey = (event: KeyboardEvent, row: Shown, index: number) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps: Record<string, number> = {
      ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: rows.length - 1, PageDown: index + 20, PageUp: index - 20,
      ...(keysAreOn() ? { j: index + 1, k: index - 1 } : {}),
    };
    const step = steps[event.key];
    if (step !== undefined) focusRow(step);
    else if (event.key === "Enter" && row.kind === "record") onOpen(row.record);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div className="tl-log-results" ref={box} role="region" aria-label="Records" tabIndex={-1}>
      <table aria-label="Records" aria-rowcount={rows.length + 1} data-wrap={wrap}>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col" className="tl-log-when">Time{zone === "utc" ? " (UTC)" : ""}</th>
            {several && <th scope="col">Cluster</th>}
            {columns.map((column) => <th key={column} scope="col">{plain(column)}</th>)}
            <th scope="col" className="tl-log-what">Message</th>
          </tr>
        </thead>
        <tbody>
          {before > 0 && <tr aria-hidden style={{ height: before }}><td colSpan={width} /></tr>}
          {items.map(({ index }) => {
            const row = rows[index];
            if (row === undefined) return null;
            const common = {
              "data-index": index, ref: virtual.measureElement, "aria-rowindex": index + 2, tabIndex: index === tabbable ? 0 : -1,
              onFocus: () => setFocused(row.key), onKeyDown: (event: KeyboardEvent) => onKey(event, row, index),
            };
            if (row.kind === "mark") return <tr key={row.key} {...common} data-mark><td colSpan={width}>{row.words}</td></tr>;
            const { record, times } = row;
            const level = levelOf(record.facets["level"]);
            return (
              <tr key={row.key} {...common} data-level={level} aria-selected={record.at === open} onClick={() => !hasSelection() && onOpen(record)}>
                <td className="tl-log-when"><time dateTime={record.time}>{clockTime(Date.parse(record.time), zone)}</time></td>
                {several && <td>{record.cluster}</td>}
                {columns.map((column) => <td key={column} className="tl-log-cell">{plain(valueOf(record, column))}</td>)}
                <td className="tl-log-what">
                  {level !== "none" && level !== "info" && <span className="tl-log-level" data-level={level}>{plain(record.facets["level"] ?? "")}</span>}
                  {times > 1 && <Label isCompact color="blue">×{count(times)}</Label>}
                  <Line text={record.message} places={places} />
                </td>
              </tr>
            );
          })}
          {after > 0 && <tr aria-hidden style={{ height: after }}><td colSpan={width} /></tr>}
        </tbody>
      </table>
      {more !== null && (
        <div className="tl-log-more">
          <Button variant="link" isLoading={more.coming} isDisabled={more.coming} onClick={more.ask}>{more.coming ? "More are coming" : `The next ${more.count}`}</Button>
        </div>
      )}
    </div>
  );
}

/** Whether somebody marks text, and did not mean to open the row. */
function hasSelection(): boolean {
  return (window.getSelection()?.toString() ?? "") !== "";
}
