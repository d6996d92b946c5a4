// Copies policies to other clusters: choose, try (dry run) in each, look, write, look again.
//
// Invariants: what takes no changes is not offered; where changes are confirmed the cluster's name is typed before even the dry
// run; nothing is written that was not tried and shown.

import { Alert, Button, Modal, ModalBody, ModalFooter, ModalHeader, ModalVariant, SearchInput, Stack, StackItem, TextInput } from "@patternfly/react-core";
import { useEffect, useId, useMemo, useRef, useState } from "react";
import { rest } from "../api/client.ts";
import { titleOf, useFleet, type Cluster } from "../api/fleet.ts";
import { search } from "../app/search.ts";
import { EnvironmentLabel, environmentLook, ProtectionLabel } from "../parts/cluster.tsx";
import { Nothing } from "../parts/states.tsx";
import { asText } from "../parts/text.ts";
import { each, MOST_CLUSTERS, targets, tryItem, writeItem, type Item, type Outcome, type Outcomes } from "./copy.ts";
import { OutcomeTable } from "./OutcomeTable.tsx";

interface CopyDialogProps {
  from: string;
  items: Item[];
  /** A cluster that is chosen at first, if it takes changes. */
  to?: string;
  onClose: () => void;
}

type Step = "choose" | "trying" | "tried" | "writing" | "written";

export function CopyDialog({ from, items: asked, to, onClose }: CopyDialogProps) {
  const { all, byName } = useFleet();
  const id = useId();
  // What was chosen when the dialog opened is what is copied, whatever the watch tells meanwhile.
  const [items] = useState(asked);
  const offered = useMemo(() => targets(all, from), [all, from]);
  const [chosen, setChosen] = useState<string[]>(() => (offered.some(({ metadata }) => metadata.name === to) ? [to ?? ""] : []));
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [step, setStep] = useState<Step>("choose");
  const [outcomes, setOutcomes] = useState<Outcomes>(new Map());
  const stopper = useRef<AbortController>(new AbortController());
  useEffect(() => () => stopper.current.abort(), []);
  const guarded = chosen.filter((name) => byName.get(name)?.spec.protection === "confirm");
  const ready = chosen.length > 0 && guarded.every((name) => typed[name]?.trim() === name);

  const run = async (during: Step, after: Step, what: (cluster: string, item: Item, served: Parameters<typeof tryItem>[2]) => Promise<Outcome>) => {
    setStep(during);
    stopper.current.abort();
    stopper.current = new AbortController();
    const { signal } = stopper.current;
    const tell = (cluster: string, key: string, outcome: Outcome) => {
      if (signal.aborted) return;
      setOutcomes((before) => new Map(before).set(cluster, new Map(before.get(cluster)).set(key, outcome)));
    };
    await each(chosen, items, tell, what, signal);
    if (!signal.aborted) setStep(after);
  };
  const confirmed = useRef(new Set<string>());
  const confirm = async (cluster: string) => {
    if (!guarded.includes(cluster) || confirmed.current.has(cluster)) return;
    await rest.POST("/trunkline/v1/clusters/{name}/confirm", { params: { path: { name: cluster } } });
    confirmed.current.add(cluster);
  };
  const tryAll = () => {
    confirmed.current.clear();
    setOutcomes(new Map(chosen.map((cluster) => [cluster, new Map(items.map(({ key }) => [key, { at: "waiting" } as const]))])));
    void run("trying", "tried", async (cluster, item, served) => {
      await confirm(cluster);
      return tryItem(cluster, item, served);
    });
  };
  const writeAll = () =>
    void run("writing", "written", async (cluster, item, served) => {
      const tried = outcomes.get(cluster)?.get(item.key) ?? { at: "waiting" };
      // What was not tried to the end is not written, and what was written is not written again.
      return tried.at === "tried" ? writeItem(cluster, item, served, tried) : tried;
    });
  const refused = [...outcomes.values()].flatMap((of) => [...of.values()]).filter(({ at }) => at === "refused").length;
  const toWrite = [...outcomes.values()].flatMap((of) => [...of.values()]).filter((one) => one.at === "tried" && one.change !== "same").length;
  const many = items.length === 1 ? asText(items[0]?.object.metadata.name) : `${items.length} policies`;

  return (
    <Modal isOpen variant={ModalVariant.large} onClose={onClose} aria-labelledby={id}>
      <ModalHeader title={`Copy ${many} from ${from}`} labelId={id} />
      <ModalBody>
        {step === "choose"
          ? (
            <Stack hasGutter>
              <StackItem>
                {offered.length === 0
                  ? <Nothing title="There is no other cluster to copy to">Others are not connected, locked, or take no changes.</Nothing>
                  : <Targets offered={offered} chosen={chosen} onChoose={setChosen} />}
              </StackItem>
              {guarded.map((name) => (
                <StackItem key={name}>
                  <label htmlFor={`${id}-${name}`}>Changes of <strong>{name}</strong> are confirmed. Type <code>{name}</code> to go on</label>
                  <TextInput id={`${id}-${name}`} value={typed[name] ?? ""} autoComplete="off" spellCheck={false} onChange={(_, text) => setTyped({ ...typed, [name]: text })} />
                </StackItem>
              ))}
            </Stack>
          )
          : (
            <Stack hasGutter>
              {step === "tried" && <StackItem><Alert isInline variant="info" title={toWrite === 0 ? "Nothing is to be written" : `The dry run is done; ${toWrite} are to be written`} /></StackItem>}
              {step === "written" && (
                <StackItem>
                  <Alert isInline variant={refused === 0 ? "success" : "warning"} title={refused === 0 ? "Done" : `Done, but ${refused} were refused`} role="status" />
                </StackItem>
              )}
              <StackItem><OutcomeTable clusters={chosen} items={items} outcomes={outcomes} /></StackItem>
            </Stack>
          )}
      </ModalBody>
      <ModalFooter>
        {step === "choose" && <Button isDisabled={!ready} onClick={tryAll}>Try it (dry run)</Button>}
        {(step === "trying" || step === "writing") && <Button isDisabled isLoading>{step === "trying" ? "Trying" : "Writing"}</Button>}
        {step === "tried" && toWrite > 0 && <Button onClick={writeAll}>Write to {chosen.length === 1 ? chosen[0] : `${chosen.length} clusters`}</Button>}
        {step === "tried" && <Button variant="secondary" onClick={() => setStep("choose")}>Back</Button>}
        <Button variant="link" onClick={onClose}>{step === "written" ? "Close" : "Cancel"}</Button>
      </ModalFooter>
    </Modal>
  );
}

const MOST_SHOWN = 100;

function Targets({ offered, chosen, onChoose }: { offered: Cluster[]; chosen: string[]; onChoose: (names: string[]) => void }) {
  const [text, setText] = useState("");
  const found = useMemo(() => search(offered, text), [offered, text]);
  const full = chosen.length >= MOST_CLUSTERS;
  const toggle = (name: string, on: boolean) => onChoose(on ? [...chosen, name] : chosen.filter((one) => one !== name));
  return (
    <>
      <SearchInput value={text} placeholder="Name, label, environment" aria-label="Find clusters" onChange={(_, value) => setText(value)} onClear={() => setText("")} />
      <p role="status" className="tl-count">
        {chosen.length} chosen of {offered.length} that take changes{full ? `; no more than ${MOST_CLUSTERS} at once` : ""}
      </p>
      <ul className="tl-targets" aria-label="Clusters">
        {found.slice(0, MOST_SHOWN).map((cluster) => {
          const { name } = cluster.metadata;
          const isChosen = chosen.includes(name);
          return (
            <li key={name} data-environment={environmentLook(cluster.spec.environment ?? "")}>
              <label>
                <input type="checkbox" checked={isChosen} disabled={full && !isChosen} onChange={(event) => toggle(name, event.target.checked)} />
                <span>{titleOf(cluster)}{titleOf(cluster) !== name && ` (${name})`}</span>
                <EnvironmentLabel environment={cluster.spec.environment ?? ""} />
                <ProtectionLabel protection={cluster.spec.protection} />
              </label>
            </li>
          );
        })}
      </ul>
      {found.length > MOST_SHOWN && <p className="tl-count">{MOST_SHOWN} of {found.length} shown.</p>}
    </>
  );
}
