// Whose records are searched: clusters by name, or all with certain labels. Each says how its records get on.

import { Button, Label, LabelGroup, MenuToggle, Select, SelectList, SelectOption, TextInput, TextInputGroup, TextInputGroupMain } from "@patternfly/react-core";
import { ExclamationTriangleIcon, PlusIcon } from "@patternfly/react-icons";
import { useState } from "react";
import { titleOf, useFleet } from "../../api/fleet.ts";
import { search } from "../../app/search.ts";
import { StateDot } from "../../parts/cluster.tsx";
import { count } from "../../parts/numbers.ts";
import { Age, span } from "../../parts/time.tsx";
import { MOST_CLUSTERS } from "./asked.ts";
import { isBehind, type Standing } from "./standing.ts";

const MOST_LISTED = 100;

interface ClusterChipsProps {
  chosen: string[];
  /** The cluster of the page, which stays. */
  own: string | null;
  selector: string;
  onChoose: (clusters: string[]) => void;
  onSelector: (selector: string) => void;
}

export function ClusterChips({ chosen, own, selector, onChoose, onSelector }: ClusterChipsProps) {
  const { byName } = useFleet();
  const title = (name: string) => {
    const cluster = byName.get(name);
    return cluster === undefined ? name : titleOf(cluster);
  };
  const names = own === null ? chosen : [own];
  return (
    <div className="tl-log-clusters">
      {names.length === 0 ? (
        <span className="tl-log-all">{selector === "" ? "All clusters you may read" : "Clusters with these labels"}</span>
      ) : (
        <LabelGroup categoryName="Clusters" numLabels={6} aria-label="Clusters">
          {names.map((name) => {
            const cluster = byName.get(name);
            return (
              <Label
                key={name}
                variant="outline"
                {...(cluster === undefined ? {} : { icon: <StateDot cluster={cluster} /> })}
                {...(own === null ? { onClose: () => onChoose(chosen.filter((other) => other !== name)), closeBtnAriaLabel: `Without ${name}` } : {})}
              >
                {title(name)}
              </Label>
            );
          })}
        </LabelGroup>
      )}
      {names.length < MOST_CLUSTERS && <Add taken={names} onAdd={(name) => onChoose([...names, name])} />}
      {own === null && <Labels key={selector} selector={selector} onSelector={onSelector} />}
    </div>
  );
}

function Add({ taken, onAdd }: { taken: string[]; onAdd: (name: string) => void }) {
  const { all } = useFleet();
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const fitting = open ? search(all, text).filter(({ metadata }) => !taken.includes(metadata.name)).slice(0, MOST_LISTED) : [];
  return (
    <Select
      isOpen={open}
      onOpenChange={setOpen}
      onSelect={(_, value) => {
        setOpen(false);
        setText("");
        onAdd(String(value));
      }}
      isScrollable
      maxMenuHeight="20rem"
      toggle={(ref) => (
        <MenuToggle ref={ref} variant="plain" isExpanded={open} onClick={() => setOpen(!open)} aria-label="Add a cluster" icon={<PlusIcon />}>
          <span className="tl-log-add">Cluster</span>
        </MenuToggle>
      )}
    >
      <TextInputGroup className="tl-namespace-find">
        <TextInputGroupMain value={text} onChange={(_, value) => setText(value)} placeholder="Find a cluster" aria-label="Find a cluster" />
      </TextInputGroup>
      <SelectList aria-label="Clusters">
        {fitting.map((cluster) => (
          <SelectOption key={cluster.metadata.name} value={cluster.metadata.name} icon={<StateDot cluster={cluster} />}>{titleOf(cluster)}</SelectOption>
        ))}
        {fitting.length === 0 && <SelectOption isDisabled>No such cluster</SelectOption>}
      </SelectList>
    </Select>
  );
}

function Labels({ selector, onSelector }: { selector: string; onSelector: (selector: string) => void }) {
  const [draft, setDraft] = useState(selector);
  return (
    <form className="tl-log-labels" onSubmit={(event) => { event.preventDefault(); onSelector(draft.trim()); }}>
      <TextInput
        aria-label="Labels of clusters"
        placeholder="labels: env=prod"
        value={draft}
        onChange={(_, value) => setDraft(value)}
        onBlur={() => draft.trim() !== selector && onSelector(draft.trim())}
      />
    </form>
  );
}

/** Clusters of which something is missing or late; nothing where all is well. */
export function Standings({ of }: { of: Standing[] }) {
  const { byName } = useFleet();
  const [whole, setWhole] = useState(false);
  const told = of.filter((one) => isBehind(one) || one.lost > 0 || one.deadLetters > 0);
  const away = of.flatMap(({ cluster }) => {
    const found = byName.get(cluster);
    return found?.status.state === "disconnected" && !told.some((one) => one.cluster === cluster && isBehind(one)) ? [found] : [];
  });
  if (told.length === 0 && away.length === 0) return null;
  const items = [
    ...told.filter(isBehind).map(({ cluster, behindMs, why }) => (
      <Label key={`behind ${cluster}`} isCompact color="orange" icon={<ExclamationTriangleIcon />} title={why}>
        {cluster} is {span(behindMs)} behind{why === "" ? "" : `: ${why}`}
      </Label>
    )),
    ...away.map(({ metadata, status }) => (
      <Label key={`away ${metadata.name}`} isCompact color="grey" icon={<ExclamationTriangleIcon />}>
        {metadata.name} is not connected, last seen <Age of={status.lastSeen ?? null} ago />
      </Label>
    )),
    ...told.filter(({ lost }) => lost > 0).map(({ cluster, lost }) => (
      <Label key={`lost ${cluster}`} isCompact color="red" icon={<ExclamationTriangleIcon />}>{cluster}: {count(lost)} records were lost before they came here</Label>
    )),
    ...told.filter(({ deadLetters }) => deadLetters > 0).map(({ cluster, deadLetters }) => (
      <Label key={`dead ${cluster}`} isCompact color="orange" icon={<ExclamationTriangleIcon />}>{cluster}: {count(deadLetters)} records could not be stored (dataset:dead_letters)</Label>
    )),
  ];
  const shown = whole ? items : items.slice(0, 4);
  return (
    <div className="tl-log-standings" role="status" aria-label="How records get on">
      {shown}
      {items.length > shown.length && <Button variant="link" isInline onClick={() => setWhole(true)}>{items.length - shown.length} more</Button>}
    </div>
  );
}
