// Fields, and what they say most often: a click asks for a value, or asks that it is not there.

import { Button, Skeleton } from "@patternfly/react-core";
import { AngleDownIcon, AngleRightIcon, ColumnsIcon, MinusCircleIcon, PlusCircleIcon } from "@patternfly/react-icons";
import { useMemo, useState } from "react";
import { asFault } from "../../api/fault.ts";
import { count } from "../../parts/numbers.ts";
import { plain } from "../text/harmless.ts";
import { useTop, type Question } from "./find.ts";
import { term } from "./grammar.ts";
import { COMMON_FIELDS, fieldsOf, type LogRecord } from "./record.ts";

const MOST_FIELDS = 200;
/** As many records are looked through for names of fields. */
const MOST_LOOKED_AT = 500;

/** The common fields, and those that the records found have, the most frequent first. */
export function useFieldNames(records: LogRecord[]): string[] {
  return useMemo(() => {
    const seen = new Map<string, number>();
    for (const record of records.slice(0, MOST_LOOKED_AT)) {
      for (const name of new Set(fieldsOf(record).map(([field]) => field))) seen.set(name, (seen.get(name) ?? 0) + 1);
    }
    const own = [...seen].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([name]) => name).filter((name) => !COMMON_FIELDS.includes(name));
    return [...COMMON_FIELDS, ...own].slice(0, MOST_FIELDS);
  }, [records]);
}

interface FieldsProps {
  names: string[];
  columns: string[];
  question: Question;
  onColumn: (field: string) => void;
  onFilter: (term: string, not: boolean) => void;
}

export function Fields({ names, columns, question, onColumn, onFilter }: FieldsProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (name: string) => {
    const next = new Set(open);
    if (!next.delete(name)) next.add(name);
    setOpen(next);
  };
  return (
    <nav className="tl-log-fields" aria-label="Fields">
      <ul>
        {names.map((name) => (
          <li key={name}>
            <div className="tl-log-field">
              <Button
                variant="plain" size="sm" aria-expanded={open.has(name)} onClick={() => toggle(name)} className="tl-log-field-name"
                icon={open.has(name) ? <AngleDownIcon /> : <AngleRightIcon />}
              >
                {plain(name)}
              </Button>
              <Button
                variant="plain" size="sm" icon={<ColumnsIcon />} aria-pressed={columns.includes(name)} onClick={() => onColumn(name)}
                aria-label={columns.includes(name) ? `Column ${plain(name)}: take it away` : `Column ${plain(name)}: show it`}
                className={columns.includes(name) ? "tl-log-on" : ""}
              />
            </div>
            {open.has(name) && <Values field={name} question={question} onFilter={onFilter} />}
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Values({ field, question, onFilter }: { field: string; question: Question; onFilter: FieldsProps["onFilter"] }) {
  const top = useTop(question, field, true);
  if (top.data === undefined) {
    if (top.error === null) return <Skeleton screenreaderText={`Counting what ${field} says`} />;
    return <p className="tl-log-uncounted">{asFault(top.error).detail} <Button variant="link" isInline onClick={() => void top.refetch()}>Try again</Button></p>;
  }
  const { values, with: all } = top.data;
  if (values.length === 0) return <p className="tl-log-uncounted">No record found says anything in it.</p>;
  return (
    <ul className="tl-log-values">
      {values.map(({ value, count: times }) => (
        <li key={value}>
          <span className="tl-log-value" title={plain(value)}>{plain(value) || "(empty)"}</span>
          <span className="tl-log-share">{count(times)} · {Math.round((100 * times) / Math.max(1, all))} %</span>
          <Button variant="plain" size="sm" icon={<PlusCircleIcon />} aria-label={`Only ${field} ${plain(value)}`} onClick={() => onFilter(term(field, value), false)} />
          <Button variant="plain" size="sm" icon={<MinusCircleIcon />} aria-label={`Without ${field} ${plain(value)}`} onClick={() => onFilter(term(field, value), true)} />
          <meter min={0} max={Math.max(1, all)} value={times} aria-hidden />
        </li>
      ))}
      <li className="tl-log-share">{count(all)} records say something</li>
    </ul>
  );
}
