// How a pod's log is looked at, all of it in the address.

import { useSearchParams } from "react-router";
import { expression, InvalidPattern, substring, type Pattern } from "../text/pattern.ts";

export interface LogAsked {
  container: string;
  since: number;
  tail: number;
  previous: boolean;
  find: string;
  isExpression: boolean;
  /** Lines without what is looked for are hidden. */
  only: boolean;
  wrap: boolean;
  times: boolean;
}

const USUAL_TAIL = 1_000;

export const SINCE: [number, string][] = [[0, "since it started"], [300, "last 5m"], [900, "last 15m"], [3_600, "last 1h"], [21_600, "last 6h"], [86_400, "last 24h"]];
export const TAIL: [number, string][] = [[100, "100 lines"], [1_000, "1,000 lines"], [10_000, "10,000 lines"], [0, "all lines"]];

export function readLogAsked(query: URLSearchParams): LogAsked {
  const number = (name: string, usual: number) => {
    const value = Number(query.get(name) ?? usual);
    return Number.isInteger(value) && value >= 0 && value <= 10_000_000 ? value : usual;
  };
  return {
    container: query.get("container") ?? "",
    since: number("since", 0),
    tail: number("tail", USUAL_TAIL),
    previous: query.get("previous") === "1",
    find: query.get("find") ?? "",
    isExpression: query.get("re") === "1",
    only: query.get("only") !== "0",
    wrap: query.get("wrap") === "1",
    times: query.get("times") !== "0",
  };
}

export function writeLogAsked(asked: LogAsked, before: URLSearchParams): URLSearchParams {
  const next = new URLSearchParams(before);
  const put = (name: string, value: string) => {
    if (value === "") next.delete(name);
    else next.set(name, value);
  };
  put("container", asked.container);
  put("since", asked.since === 0 ? "" : String(asked.since));
  put("tail", asked.tail === USUAL_TAIL ? "" : String(asked.tail));
  put("previous", asked.previous ? "1" : "");
  put("find", asked.find);
  put("re", asked.isExpression ? "1" : "");
  put("only", asked.only ? "" : "0");
  put("wrap", asked.wrap ? "1" : "");
  put("times", asked.times ? "" : "0");
  return next;
}

export function useLogAsked(): [LogAsked, (patch: Partial<LogAsked>) => void] {
  const [query, setQuery] = useSearchParams();
  return [readLogAsked(query), (patch) => setQuery((before) => writeLogAsked({ ...readLogAsked(before), ...patch }, before), { replace: true })];
}

/** What is looked for; or why it cannot be. */
export function patternOf(find: string, isExpression: boolean): { pattern: Pattern | null; error: string } {
  if (find === "") return { pattern: null, error: "" };
  try {
    return { pattern: isExpression ? expression(find) : substring(find), error: "" };
  } catch (error) {
    if (error instanceof InvalidPattern) return { pattern: null, error: error.message };
    throw error;
  }
}
