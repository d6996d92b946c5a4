// Names of clusters: the gateway's grammar (a DNS label), and what may be wrong with one while it is typed.

import { MANAGEMENT } from "../api/fleet.ts";

const GRAMMAR = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const LONGEST = 63;

/** Addresses of pages that a cluster's page would stand at. */
const PAGES = ["new"];

export interface NameFault {
  why: string;
  /** A name that would do; empty if there is none to think of. */
  instead: string;
}

/** What is wrong with a name; null if nothing is. Nothing is said of an empty one. */
export function nameFault(name: string, taken: (name: string) => boolean): NameFault | null {
  if (name === "") return null;
  if (!GRAMMAR.test(name)) {
    return { why: "1 to 63 of a–z, 0–9 and “-”, not beginning or ending with “-”", instead: free(fitted(name), taken) };
  }
  if (name === MANAGEMENT) return { why: `“${MANAGEMENT}” is the gateway's own cluster`, instead: "" };
  if (PAGES.includes(name)) return { why: `“${name}” is the address of a page here`, instead: free(`${name}-cluster`, taken) };
  if (taken(name)) return { why: `“${name}” is taken`, instead: free(name, taken) };
  return null;
}

/** What was typed, as a name. */
function fitted(typed: string): string {
  const plain = typed.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, "-").slice(0, LONGEST).replace(/^-+|-+$/g, "");
}

/** This name, or the first of its followers that is free: `prod-eu-2`. */
function free(name: string, taken: (name: string) => boolean): string {
  if (name === "") return "";
  const used = (one: string) => taken(one) || one === MANAGEMENT || PAGES.includes(one);
  if (!used(name)) return name;
  const stem = name.replace(/-\d+$/, "");
  for (let number = 2; number < 10_000; number++) {
    const next = `${stem.slice(0, LONGEST - 1 - String(number).length)}-${number}`;
    if (!used(next)) return next;
  }
  return "";
}
