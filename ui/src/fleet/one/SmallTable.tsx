// A short table, all of whose rows are there. It scrolls in its own box where it is too wide.

import type { ReactNode } from "react";

interface SmallTableProps<R> {
  label: string;
  rows: readonly R[];
  rowKey: (row: R) => string;
  columns: { title: string; cell: (row: R) => ReactNode }[];
  /** What is said when there is no row. */
  none: string;
}

export function SmallTable<R>({ label, rows, rowKey, columns, none }: SmallTableProps<R>) {
  if (rows.length === 0) return <p className="tl-subtle">{none}</p>;
  return (
    <div className="tl-small-table" role="region" aria-label={label} tabIndex={0}>
      <table className="pf-v6-c-table pf-m-compact" aria-label={label}>
        <thead className="pf-v6-c-table__thead">
          <tr className="pf-v6-c-table__tr">{columns.map(({ title }) => <th key={title} className="pf-v6-c-table__th" scope="col">{title}</th>)}</tr>
        </thead>
        <tbody className="pf-v6-c-table__tbody">
          {rows.map((row) => (
            <tr key={rowKey(row)} className="pf-v6-c-table__tr">
              {columns.map(({ title, cell }) => <td key={title} className="pf-v6-c-table__td">{cell(row)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
