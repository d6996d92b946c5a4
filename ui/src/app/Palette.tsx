// Ctrl-K: clusters, pages, and kinds of objects of the current cluster, by a few letters.

import { Modal, ModalBody, ModalVariant, SearchInput } from "@patternfly/react-core";
import fuzzysort from "fuzzysort";
import { useId, useMemo, useState, type KeyboardEvent } from "react";
import { useLocation, useNavigate } from "react-router";
import { useDiscovery } from "../api/discovery.ts";
import { titleOf, useFleet } from "../api/fleet.ts";
import { entries } from "./pages.tsx";
import { sameIn, useCurrentCluster } from "./place.ts";
import { search } from "./search.ts";

const MOST_OF_EACH = 8;

interface Found {
  key: string;
  kind: string;
  title: string;
  to: string;
}

export function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const navigate = useNavigate();
  const found = useFound(text);
  const id = useId();
  const go = (one: Found | undefined) => {
    if (one === undefined) return;
    onClose();
    void navigate(one.to);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt(Math.min(at + 1, found.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
    else if (event.key === "Enter") go(found[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Modal isOpen variant={ModalVariant.small} aria-label="Go to" onClose={onClose} position="top">
      <ModalBody onKeyDown={onKey}>
        <SearchInput
          autoFocus
          value={text}
          aria-label="Go to a cluster, a page or a kind of objects"
          placeholder="A cluster, a page, a kind of objects"
          role="combobox"
          aria-expanded
          aria-controls={id}
          {...(found[at] === undefined ? {} : { "aria-activedescendant": `${id}-${at}` })}
          onChange={(_, value) => {
            setText(value);
            setAt(0);
          }}
        />
        <ul className="tl-palette" role="listbox" id={id} aria-label="What fits">
          {found.map((one, index) => (
            <li key={one.key} id={`${id}-${index}`} role="option" aria-selected={index === at} onClick={() => go(one)}>
              <span>{one.title}</span> <small>{one.kind}</small>
            </li>
          ))}
        </ul>
        {found.length === 0 && <p role="status">Nothing fits.</p>}
      </ModalBody>
    </Modal>
  );
}

function useFound(text: string): Found[] {
  const { all } = useFleet();
  const current = useCurrentCluster();
  const location = useLocation();
  const kinds = useDiscovery(current).data;
  return useMemo(() => {
    const base = `/c/${encodeURIComponent(current)}`;
    const pages = [
      ...entries("fleet").map(({ title, to }) => ({ key: `page ${to}`, kind: "page", title, to })),
      ...entries("cluster").map(({ title, to }) => ({ key: `page ${base}${to}`, kind: `page of ${current}`, title, to: `${base}${to}` })),
      ...(kinds ?? [])
        .filter(({ verbs }) => verbs.includes("list"))
        .map(({ group, version, resource, kind }) => ({
          key: `kind ${group}/${resource}`, kind: `${group || "core"} in ${current}`, title: kind,
          to: `${base}/${group || "core"}/${version}/${resource}`,
        })),
    ];
    const clusters = search(all, text).slice(0, MOST_OF_EACH).map((cluster) => ({
      key: `cluster ${cluster.metadata.name}`, kind: "cluster", title: titleOf(cluster),
      to: sameIn(location.pathname, location.search, cluster.metadata.name),
    }));
    const fitting = text.trim() === "" ? pages.slice(0, MOST_OF_EACH) : fuzzysort.go(text, pages, { key: "title", limit: 2 * MOST_OF_EACH }).map(({ obj }) => obj);
    return [...clusters, ...fitting];
  }, [all, text, current, kinds, location.pathname, location.search]);
}
