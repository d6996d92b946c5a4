// Where one is: the address is the state. `/c/<cluster>/...?ns=` names the cluster and the namespace of everything shown.

import { MANAGEMENT } from "../api/fleet.ts";
import { useEffect, useRef, useState } from "react";
import { useKept } from "./kept.ts";
import { useLocation, useNavigate, useParams, useSearchParams } from "react-router";

/** The cluster that all of the page is about; null on pages about the fleet. */
export function useCluster(): string | null {
  return useParams()["cluster"] ?? null;
}

/** The chosen namespace; empty for all. */
export function useNamespace(): [string, (namespace: string) => void] {
  const [query] = useSearchParams();
  const location = useLocation();
  const navigate = useNavigate();
  const chosen = useParams()["namespace"] ?? query.get("ns") ?? "";
  const choose = (namespace: string) => {
    const next = new URLSearchParams(query);
    if (namespace === "") next.delete("ns");
    else next.set("ns", namespace);
    void navigate({ pathname: listOf(location.pathname), search: next.toString() });
  };
  return [chosen === "_" ? "" : chosen, choose];
}

/** The same page in another cluster: a list stays that list with its filters; an object's page becomes the list it is in. */
export function sameIn(pathname: string, search: string, cluster: string): string {
  const rest = /^\/c\/[^/]+(\/.*)?$/.exec(listOf(pathname))?.[1] ?? "";
  return `/c/${encodeURIComponent(cluster)}${rest}${rest === "" ? "" : search}`;
}

/** The list that an object's page belongs to; any other page as it is. */
function listOf(pathname: string): string {
  const object = /^(\/c\/[^/]+\/[^/]+\/v\d[^/]*\/[^/]+)\/.+$/.exec(pathname);
  return object?.[1] ?? pathname;
}

/** Part of the query as state: what is empty is not there. */
export function useAsked(name: string, otherwise = ""): [string, (value: string) => void] {
  const [query, setQuery] = useSearchParams();
  const set = (value: string) =>
    setQuery(
      (before) => {
        const next = new URLSearchParams(before);
        if (value === otherwise) next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  return [query.get(name) ?? otherwise, set];
}

const TYPING_MS = 150;

/** Part of the query that is typed: what is typed is there at once, the address follows when there is a pause. */
export function useTyped(name: string): [string, (value: string) => void] {
  const [asked, setAsked] = useAsked(name);
  const [typed, setTyped] = useState({ text: asked, asked, written: asked });
  // Back, or a link, changed it: then that is what stands there. One's own writing comes back as well, and changes nothing.
  if (asked !== typed.asked) setTyped({ ...typed, asked, text: asked === typed.written ? typed.text : asked });
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (text: string) => {
    setTyped((before) => ({ ...before, text }));
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      setTyped((before) => ({ ...before, written: text }));
      setAsked(text);
    }, TYPING_MS);
  };
  return [typed.text, type];
}

/** The cluster that is worked in: of the page, or else the one before; the management cluster at first. */
export function useCurrentCluster(): string {
  const own = useCluster();
  const [last] = useKept("current", MANAGEMENT);
  return own ?? last;
}
