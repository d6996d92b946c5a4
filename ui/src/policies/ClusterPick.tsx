// Chooses one cluster of any number: a field that finds by a few letters.

import { MenuToggle, Select, SelectList, SelectOption, TextInputGroup, TextInputGroupMain } from "@patternfly/react-core";
import { useMemo, useState } from "react";
import { titleOf, type Cluster } from "../api/fleet.ts";
import { search } from "../app/search.ts";
import { EnvironmentLabel, stateWords } from "../parts/cluster.tsx";

const MOST_SHOWN = 50;

interface ClusterPickProps {
  label: string;
  value: string;
  clusters: Cluster[];
  onPick: (name: string) => void;
}

export function ClusterPick({ label, value, clusters, onPick }: ClusterPickProps) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const found = useMemo(() => search(clusters, text).slice(0, MOST_SHOWN), [clusters, text]);
  const chosen = clusters.find(({ metadata }) => metadata.name === value);
  const pick = (name: string) => {
    setOpen(false);
    setText("");
    onPick(name);
  };
  return (
    <div>
      <div className="tl-count" aria-hidden>{label}</div>
      <Select
        isOpen={open}
        selected={value}
        onSelect={(_, name) => pick(String(name ?? ""))}
        onOpenChange={setOpen}
        isScrollable
        maxMenuHeight="20rem"
        toggle={(ref) => (
          <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)} aria-label={`${label}: ${chosen === undefined ? value || "Choose a cluster" : `${titleOf(chosen)} ${chosen.spec.environment ?? ""}`}`}>
            {chosen === undefined ? value || "Choose a cluster" : titleOf(chosen)} <EnvironmentLabel environment={chosen?.spec.environment ?? ""} />
          </MenuToggle>
        )}
      >
        <TextInputGroup className="tl-namespace-find">
          <TextInputGroupMain value={text} onChange={(_, next) => setText(next)} placeholder="Find a cluster" aria-label="Find a cluster" />
        </TextInputGroup>
        <SelectList>
          {found.map((cluster) => (
            <SelectOption key={cluster.metadata.name} value={cluster.metadata.name} description={stateWords(cluster.status.state)}>
              {titleOf(cluster)} <EnvironmentLabel environment={cluster.spec.environment ?? ""} />
            </SelectOption>
          ))}
        </SelectList>
      </Select>
    </div>
  );
}
