// Takes what a search finds out of the browser: page after page, 100,000 records at the most, until somebody says stop.
//
// Invariant: one page is under way at a time, and when the gateway says wait, it is waited.

import { asFault } from "../../api/fault.ts";
import { findPage, type Question } from "./find.ts";
import { csvLine, csvRecord, ndjson } from "./record.ts";

export const MOST_EXPORTED = 100_000;
const PAGE = 1_000;
const MOST_WAITS = 5;

export interface Wanted {
  question: Question;
  order: "newest" | "oldest";
  kind: "ndjson" | "csv";
  columns: string[];
  most: number;
}

export interface Carried {
  file: Blob;
  records: number;
  /** There are more than were wanted. */
  more: boolean;
  /** Why there may be more than were found. */
  partial: string;
}

/** Throws an AbortError when it was stopped. */
export async function carry(wanted: Wanted, signal: AbortSignal, onProgress: (records: number) => void): Promise<Carried> {
  const { question, order, kind, columns } = wanted;
  const most = Math.min(wanted.most, MOST_EXPORTED);
  const parts: string[] = kind === "csv" ? ["\ufeff", csvLine(["time", "cluster", ...columns, "message"])] : [];
  let records = 0;
  let partial = "";
  let after: string | null | undefined = "";
  for (let waits = 0; records < most; ) {
    let page;
    try {
      page = await findPage(question, order, after, Math.min(PAGE, most - records), signal);
    } catch (error) {
      const fault = asFault(error);
      if (signal.aborted || fault.status !== 429 || ++waits > MOST_WAITS) throw error;
      await rest((fault.retryAfter ?? 2) * 1_000, signal);
      continue;
    }
    waits = 0;
    parts.push(page.items.map((record) => (kind === "csv" ? csvRecord(record, columns) : ndjson(record))).join(""));
    records += page.items.length;
    partial ||= page.partial ?? "";
    after = page.next;
    onProgress(records);
    if (!after) break;
  }
  const type = kind === "csv" ? "text/csv;charset=utf-8" : "application/x-ndjson";
  return { file: new Blob(parts, { type }), records, more: Boolean(after), partial };
}

function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done, stop) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      stop(new DOMException("stopped", "AbortError"));
    }, { once: true });
  });
}
