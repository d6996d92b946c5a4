// The namespace that lists of the cluster are narrowed to. Who may not list namespaces types one.

import { MenuToggle, Select, SelectList, SelectOption, TextInputGroup, TextInputGroupMain } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { useState, type KeyboardEvent } from "react";
import { kube, type KubeObject } from "../api/kube.ts";
import { useKeys } from "./keys.ts";
import { useNamespace } from "./place.ts";

const MOST_SHOWN = 200;

export function NamespacePicker({ cluster }: { cluster: string }) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const [namespace, choose] = useNamespace();
  const names = useQuery({
    queryKey: ["namespaces", cluster],
    queryFn: async ({ signal }) => {
      const list = await kube<{ items: KubeObject[] }>(cluster, "/api/v1/namespaces", { query: { limit: 5000 }, signal });
      return list.items.map(({ metadata }) => metadata.name);
    },
    staleTime: 30_000,
    enabled: open,
  });
  useKeys([{ keys: "g n", words: "Choose a namespace", run: () => setOpen(true) }]);
  const all = names.data ?? [];
  const fitting = all.filter((name) => name.includes(text)).slice(0, MOST_SHOWN);
  const pick = (name: string) => {
    setOpen(false);
    setText("");
    choose(name);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || text === "") return;
    event.preventDefault();
    pick(fitting.includes(text) || fitting.length === 0 ? text : (fitting[0] ?? text));
  };
  return (
    <Select
      isOpen={open}
      selected={namespace}
      onSelect={(_, value) => pick(String(value ?? ""))}
      onOpenChange={setOpen}
      isScrollable
      maxMenuHeight="20rem"
      toggle={(ref) => (
        <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)}>
          <span className="pf-v6-screen-reader">Namespace: </span>
          {namespace === "" ? "All namespaces" : namespace}
        </MenuToggle>
      )}
    >
      <TextInputGroup className="tl-namespace-find">
        <TextInputGroupMain
          value={text}
          onChange={(_, value) => setText(value)}
          onKeyDown={onKey}
          placeholder={names.isError ? "Type a namespace, then Enter" : "Find a namespace"}
          aria-label="Find a namespace"
        />
      </TextInputGroup>
      <SelectList>
        <SelectOption value="">All namespaces</SelectOption>
        {fitting.map((name) => <SelectOption key={name} value={name}>{name}</SelectOption>)}
        {namespace !== "" && names.isSuccess && !all.includes(namespace) && (
          <SelectOption value={namespace} isDisabled>{namespace} is not in {cluster}</SelectOption>
        )}
      </SelectList>
    </Select>
  );
}
