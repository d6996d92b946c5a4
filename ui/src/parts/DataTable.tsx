// A table of any length: only the rows in sight are in the page. Real table markup, so that screen readers read a table.
//
// Keys, with a row focused: arrows or j and k move, Enter opens, Home and End jump, x or Space chooses; a page adds its own by
// `rowKeys`.
// The table never jumps: rows keep their place by their key, and one that is `live` holds still while it is read (hold.ts).
// Only rows that changed are rendered anew: a page gives the same columns as long as they are the same (useMemo).

import { useVirtualizer } from "@tanstack/react-virtual";
import { Button } from "@patternfly/react-core";
import { memo, useCallback, useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { useAsked } from "../app/place.ts";
import { keysAreOn } from "../app/keys.ts";
import { useHold } from "./hold.ts";
import { count } from "./numbers.ts";

export interface DataColumn<R> {
  key: string;
  title: string;
  cell: (row: R) => ReactNode;
  /** What the column is sorted by; a column without is not. */
  sort?: (row: R) => string | number;
  /** In rem; the widest share is without. */
  width?: number;
}

interface DataTableProps<R> {
  label: string;
  rows: R[];
  columns: DataColumn<R>[];
  rowKey: (row: R) => string;
  onOpen?: (row: R) => void;
  /** Single keys on a focused row: `l` for logs. */
  rowKeys?: Record<string, (row: R) => void>;
  /** At the end of each row. */
  actions?: (row: R) => ReactNode;
  /** The column that is sorted by at first; `-age` for the other way round. */
  sorted?: string;
  rowLook?: (row: R) => string | undefined;
  /** Rows come and go: they are held while they are read, until what people choose them by (filter, namespace) changes. */
  live?: string;
  /** The keys of the rows that are chosen, for what is done with several. */
  chosen?: ReadonlySet<string>;
  onChoose?: (chosen: ReadonlySet<string>) => void;
}

const ROW = 36;

export function DataTable<R>(props: DataTableProps<R>) {
  const { label, rows, columns, rowKey, onOpen, rowKeys, actions, sorted = "", rowLook, live, chosen, onChoose } = props;
  const [order, setOrder] = useAsked("sort", sorted);
  const box = useRef<HTMLDivElement>(null);
  const [focused, setFocused] = useState<string | null>(null);
  const arrange = useCallback((all: R[]) => sortBy(all, columns, order), [columns, order]);
  const { rows: shown, fresh, gone, hold, renew } = useHold(rows, arrange, rowKey, live === undefined ? undefined : `${order} ${live}`);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 12,
    // Where nothing is laid out, as in a test, some rows are there nevertheless.
    initialRect: { width: 1000, height: 800 },
  });
  const items = virtual.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const tabbable = items.find(({ index }) => rowKey(shown[index] as R) === focused)?.index ?? items[0]?.index;

  const focusRow = (index: number) => {
    const row = shown[Math.max(0, Math.min(index, shown.length - 1))];
    if (row === undefined) return;
    setFocused(rowKey(row));
    virtual.scrollToIndex(shown.indexOf(row));
    requestAnimationFrame(() => {
      box.current?.querySelector<HTMLElement>(`[data-index="${shown.indexOf(row)}"]`)?.focus();
    });
  };
  const choose = (row: R) => {
    const next = new Set(chosen);
    if (!next.delete(rowKey(row))) next.add(rowKey(row));
    onChoose?.(next);
  };
  const width = columns.length + (actions === undefined ? 0 : 1) + (chosen === undefined ? 0 : 1);
  const keyed = (event: KeyboardEvent, row: R, index: number) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const letters = keysAreOn();
    const steps: Record<string, number> = {
      ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: shown.length - 1, PageDown: index + 20, PageUp: index - 20,
      ...(letters ? { j: index + 1, k: index - 1 } : {}),
    };
    const step = steps[event.key];
    const own = letters ? rowKeys?.[event.key] : undefined;
    const chooses = onChoose !== undefined && (event.key === " " || (letters && event.key === "x"));
    if (chooses) choose(row);
    else if (step !== undefined) focusRow(step);
    else if (event.key === "Enter" && onOpen !== undefined) onOpen(row);
    else if (own !== undefined) own(row);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const latest = useRef({ keyed, choose });
  useEffect(() => {
    latest.current = { keyed, choose };
  });
  const onKey = useCallback((event: KeyboardEvent, row: R, index: number) => latest.current.keyed(event, row, index), []);
  const onChosen = useCallback((row: R) => latest.current.choose(row), []);

  return (
    <div
      className="tl-held"
      onPointerEnter={(event) => hold("pointed", event.pointerType === "mouse")}
      onPointerLeave={() => hold("pointed", false)}
    >
      {(fresh > 0 || gone.size > 0) && (
        <Button className="tl-fresh" variant="secondary" size="sm" onClick={renew}>{words(fresh, gone.size)}</Button>
      )}
      <div
        className="tl-table"
        ref={box}
        role="region"
        aria-label={label}
        tabIndex={-1}
        onScroll={(event) => hold("scrolled", event.currentTarget.scrollTop > ROW)}
      >
        <table className="pf-v6-c-table pf-m-compact" aria-rowcount={shown.length + 1} aria-label={label}>
          <thead className="pf-v6-c-table__thead">
            <tr className="pf-v6-c-table__tr" aria-rowindex={1}>
              {chosen !== undefined && (
                <th className="pf-v6-c-table__th tl-check" scope="col">
                  <ChooseAll label={label} keys={shown.map(rowKey)} chosen={chosen} onChoose={(next) => onChoose?.(next)} />
                </th>
              )}
              {columns.map((column) => (
                <Heading key={column.key} column={column} order={order} onOrder={setOrder} />
              ))}
              {actions !== undefined && <th className="pf-v6-c-table__th" scope="col"><span className="pf-v6-screen-reader">Actions</span></th>}
            </tr>
          </thead>
          <tbody className="pf-v6-c-table__tbody">
            {before > 0 && <tr aria-hidden style={{ height: before }}><td colSpan={width} /></tr>}
            {items.map(({ index }) => {
              const row = shown[index] as R;
              const key = rowKey(row);
              return (
                <Line
                  key={key}
                  row={row}
                  name={key}
                  index={index}
                  columns={columns as DataColumn<unknown>[]}
                  actions={actions as ((row: unknown) => ReactNode) | undefined}
                  look={gone.has(key) ? "gone" : rowLook?.(row)}
                  isTabbable={index === tabbable}
                  isChosen={chosen?.has(key)}
                  onChosen={onChosen as (row: unknown) => void}
                  onFocused={setFocused}
                  onKey={onKey as (event: KeyboardEvent, row: unknown, index: number) => void}
                />
              );
            })}
            {after > 0 && <tr aria-hidden style={{ height: after }}><td colSpan={width} /></tr>}
          </tbody>
        </table>
      </div>
    </div>
  );
}

interface LineProps {
  row: unknown;
  name: string;
  index: number;
  columns: DataColumn<unknown>[];
  actions: ((row: unknown) => ReactNode) | undefined;
  look: string | undefined;
  isTabbable: boolean;
  /** Undefined where rows are not chosen. */
  isChosen: boolean | undefined;
  onChosen: (row: unknown) => void;
  onFocused: (name: string) => void;
  onKey: (event: KeyboardEvent, row: unknown, index: number) => void;
}

const Line = memo(function Line({ row, name, index, columns, actions, look, isTabbable, isChosen, onChosen, onFocused, onKey }: LineProps) {
  return (
    <tr
      className="pf-v6-c-table__tr"
      data-index={index}
      data-look={look}
      data-chosen={isChosen}
      aria-rowindex={index + 2}
      tabIndex={isTabbable ? 0 : -1}
      onFocus={() => onFocused(name)}
      onKeyDown={(event) => onKey(event, row, index)}
    >
      {isChosen !== undefined && (
        <td className="pf-v6-c-table__td tl-check">
          <label>
            <span className="pf-v6-screen-reader">Choose {name}</span>
            <input type="checkbox" checked={isChosen} onChange={() => onChosen(row)} />
          </label>
        </td>
      )}
      {columns.map((column) => (
        <td key={column.key} className="pf-v6-c-table__td" data-label={column.title}>{column.cell(row)}</td>
      ))}
      {actions !== undefined && <td className="pf-v6-c-table__td tl-actions">{actions(row)}</td>}
    </tr>
  );
});

function words(fresh: number, gone: number): string {
  const parts = [...(fresh > 0 ? [`${count(fresh)} new`] : []), ...(gone > 0 ? [`${count(gone)} gone`] : [])];
  return `${parts.join(", ")}: show`;
}

/** Chooses all rows that the table has, those out of sight too, or none of them. */
function ChooseAll(props: { label: string; keys: string[]; chosen: ReadonlySet<string>; onChoose: (chosen: ReadonlySet<string>) => void }) {
  const { label, keys, chosen, onChoose } = props;
  const some = keys.some((key) => chosen.has(key));
  const all = some && keys.every((key) => chosen.has(key));
  return (
    <label>
      <span className="pf-v6-screen-reader">Choose all of {label}</span>
      <input
        type="checkbox"
        checked={all}
        ref={(box) => {
          if (box !== null) box.indeterminate = some && !all;
        }}
        onChange={() => onChoose(new Set(all ? [] : keys))}
      />
    </label>
  );
}

function Heading<R>(props: { column: DataColumn<R>; order: string; onOrder: (order: string) => void }) {
  const { column, order, onOrder } = props;
  const up = order === column.key;
  const down = order === `-${column.key}`;
  const width = column.width === undefined ? undefined : { width: `${column.width}rem` };
  if (column.sort === undefined) {
    return <th className="pf-v6-c-table__th" scope="col" style={width}>{column.title}</th>;
  }
  return (
    <th
      className="pf-v6-c-table__th"
      scope="col"
      style={width}
      aria-sort={up ? "ascending" : down ? "descending" : "none"}
    >
      <button type="button" className="tl-sort" onClick={() => onOrder(up ? `-${column.key}` : column.key)}>
        {column.title}
        <span aria-hidden>{up ? " ▲" : down ? " ▼" : ""}</span>
      </button>
    </th>
  );
}

function sortBy<R>(rows: R[], columns: DataColumn<R>[], order: string): R[] {
  const key = order.replace(/^-/, "");
  const by = columns.find((column) => column.key === key)?.sort;
  if (by === undefined) return rows;
  const sign = order.startsWith("-") ? -1 : 1;
  const keyed = rows.map((row) => ({ row, by: by(row) }));
  keyed.sort((a, b) => (a.by < b.by ? -sign : a.by > b.by ? sign : 0));
  return keyed.map(({ row }) => row);
}

/** How many there are, and how many are shown: said politely when it changes. */
export function Count({ shown, all, of }: { shown: number; all: number; of: string }) {
  return (
    <span className="tl-count" role="status">
      {shown === all ? `${count(all)} ${of}` : `${count(shown)} of ${count(all)} ${of}`}
    </span>
  );
}
