// What a search asks, all of it in the address: whoever opens the link sees the same.
//
// Invariants: reading what was written gives the same; what is as usual is not in the address; what else stands in the
// address stays there.

import type { Range, Zone } from "./moments.ts";
import { LAST_HOUR } from "./moments.ts";

export interface Asked {
  clusters: string[];
  selector: string;
  q: string;
  range: Range;
  columns: string[];
  order: "newest" | "oldest";
  wrap: boolean;
  dedup: boolean;
  zone: Zone;
  tail: boolean;
  /** The place of the record whose details are open. */
  open: string;
}

export const USUAL: Asked = {
  clusters: [], selector: "", q: "", range: LAST_HOUR, columns: [], order: "newest", wrap: false, dedup: false, zone: "local", tail: false, open: "",
};

/** So many clusters are chosen by name at the most; more are chosen by their labels. */
export const MOST_CLUSTERS = 20;
export const MOST_COLUMNS = 12;

const NAMES = ["clusters", "selector", "q", "from", "to", "cols", "order", "wrap", "dedup", "tz", "tail", "open"];

export function readAsked(query: URLSearchParams): Asked {
  const list = (name: string, most: number) => [...new Set((query.get(name) ?? "").split(",").map((item) => item.trim()).filter((item) => item !== ""))].slice(0, most);
  const from = query.get("from") ?? "";
  return {
    clusters: list("clusters", MOST_CLUSTERS),
    selector: query.get("selector") ?? "",
    q: query.get("q") ?? "",
    range: from === "" ? LAST_HOUR : { from, to: query.get("to") ?? "" },
    columns: list("cols", MOST_COLUMNS),
    order: query.get("order") === "oldest" ? "oldest" : "newest",
    wrap: query.get("wrap") === "1",
    dedup: query.get("dedup") === "1",
    zone: query.get("tz") === "utc" ? "utc" : "local",
    tail: query.get("tail") === "1",
    open: query.get("open") ?? "",
  };
}

/** The address's query with this asked. */
export function writeAsked(asked: Asked, before = new URLSearchParams()): URLSearchParams {
  const next = new URLSearchParams(before);
  for (const name of NAMES) next.delete(name);
  const put = (name: string, value: string, usual = "") => {
    if (value !== usual) next.set(name, value);
  };
  put("clusters", asked.clusters.join(","));
  put("selector", asked.selector);
  put("q", asked.q);
  if (asked.range.from !== LAST_HOUR.from || asked.range.to !== LAST_HOUR.to) {
    put("from", asked.range.from);
    put("to", asked.range.to);
  }
  put("cols", asked.columns.join(","));
  put("order", asked.order, "newest");
  put("wrap", asked.wrap ? "1" : "");
  put("dedup", asked.dedup ? "1" : "");
  put("tz", asked.zone === "utc" ? "utc" : "");
  put("tail", asked.tail ? "1" : "");
  put("open", asked.open);
  return next;
}

/** The address of a search. */
export function addressOf(asked: Partial<Asked>): string {
  const query = writeAsked({ ...USUAL, ...asked }).toString();
  return query === "" ? "/logs" : `/logs?${query}`;
}
