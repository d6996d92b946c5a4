import { describe, expect, it } from "vitest";
import { csvLine, csvRecord, fieldsOf, levelOf, ndjson, valueOf, withoutRepeats, type LogRecord } from "./record.ts";

const record = (message: string, more: Partial<LogRecord> = {}): LogRecord => ({
  at: "1.a", time: "2026-11-27T06:00:00.000Z", cluster: "prod-eu", message, facets: { level: "error", app: "web" }, ...more,
});
const source = (value: object) => ({ source: value as NonNullable<LogRecord["source"]> });

describe("a file for spreadsheets", () => {
  it("calculates nothing that a record says", () => {
    for (const evil of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "=HYPERLINK(\"http://x\",\"y\")", "|cmd", "%0", "＝1"]) {
      const cell = csvLine([evil]).replace(/^"/, "");
      expect(cell.startsWith("'") || !/^\s*[=+\-@|%＝]/.test(cell), evil).toBe(true);
    }
  });
  it("quotes what has commas, quotation marks or lines", () => {
    expect(csvLine(["a,b", 'say "x"', "two\nlines", "plain", " space "])).toBe('"a,b","say ""x""","two\nlines",plain," space "\r\n');
  });
  it("has no control characters", () => expect(csvLine(["a\u001b]0;x\u0007b\u0000"])).toBe("ab␀\r\n"));
  it("has the columns that are shown", () => {
    expect(csvRecord(record("boom", source({ http: { status: 503 } })), ["level", "http.status"])).toBe("2026-11-27T06:00:00.000Z,prod-eu,error,503,boom\r\n");
  });
});

describe("a line of JSON", () => {
  it("is one line, and holds all of the record", () => {
    const line = ndjson(record("a\nb", source({ x: 1 })));
    expect(line.split("\n")).toHaveLength(2);
    expect(JSON.parse(line)).toEqual({ time: "2026-11-27T06:00:00.000Z", cluster: "prod-eu", message: "a\nb", level: "error", app: "web", source: { x: 1 } });
  });
});

describe("a record", () => {
  it("has the shipper's fields by their paths, and not the gateway's own", () => {
    const full = record("x", source({ http: { status: 503 }, tags: ["a", "b"], trunkline: { dataset: "logs" }, cluster: { id: "c" }, message: "x", nothing: null }));
    expect(fieldsOf(full)).toEqual([["http.status", "503"], ["tags", "a"], ["tags", "b"]]);
    expect(valueOf(full, "tags")).toBe("a, b");
    expect(valueOf(full, "dataset")).toBe("logs");
    expect(valueOf(full, "none")).toBe("");
  });
  it("has no more than 64 fields", () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`f${at}`, at]));
    expect(fieldsOf(record("x", source(many)))).toHaveLength(64);
    expect(fieldsOf(record("x", source({ many })))).toHaveLength(64);
  });
  it("has one of five levels, whatever its shipper calls it", () => {
    expect(["ERROR", "crit", "Warning", "notice", "trace", "x", undefined].map(levelOf)).toEqual(["error", "error", "warn", "info", "debug", "none", "none"]);
  });
});

describe("records that say the same", () => {
  it("are counted where they stand one after the other, and nowhere else", () => {
    const said = withoutRepeats([record("a"), record("a"), record("b"), record("a"), record("a", { cluster: "prod-us" })]);
    expect(said.map(({ record: { message }, times }) => [message, times])).toEqual([["a", 2], ["b", 1], ["a", 1], ["a", 1]]);
  });
});
