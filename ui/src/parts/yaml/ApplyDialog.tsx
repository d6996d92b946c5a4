// From an edited object to a written one: tried by the server (dry run), shown as a difference, confirmed, written; and when
// somebody else was quicker, put together with theirs and shown again.
//
// Invariants: nothing is written that was not shown as the server's own result of a dry run; a conflict never overwrites; a
// Secret's values are covered here as well.

import { Alert, Button, Form, Modal, ModalBody, ModalFooter, ModalHeader, ModalVariant, Stack, StackItem } from "@patternfly/react-core";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useId, useMemo, useState, type ReactNode } from "react";
import { asFault, type Fault } from "../../api/fault.ts";
import type { KubeObject } from "../../api/kube.ts";
import { Refused, TypedName, useConfirmation, WriteTarget } from "../write.tsx";
import { Failed, Loading } from "../states.tsx";
import { asText, harmless } from "../text.ts";
import { changesOf, immutable, merge, same, type Side } from "./changes.ts";
import { ConflictPart } from "./Conflict.tsx";
import { writeYaml } from "./guard.ts";
import { covered, forEditing, withoutBookkeeping } from "./look.ts";
import { readAgain, write, type Kind } from "./write.ts";
import { YamlDiff } from "./YamlDiff.tsx";

interface ApplyDialogProps {
  cluster: string;
  kind: Kind;
  /** As it was read; null for an object that is to be made. */
  base: KubeObject | null;
  mine: KubeObject;
  /** What a page has to say of the dry run's result, beneath the difference. */
  preview?: (result: KubeObject) => ReactNode;
  onApplied: (object: KubeObject) => void;
  onClose: () => void;
}

type Step =
  | { at: "trying" }
  | { at: "refused"; fault: Fault }
  | { at: "tried"; result: KubeObject }
  | { at: "writing"; result: KubeObject }
  | { at: "failed"; result: KubeObject; fault: Fault }
  | { at: "conflict"; theirs: KubeObject };

export function ApplyDialog({ cluster, kind, base: read, mine: edited, preview, onApplied, onClose }: ApplyDialogProps) {
  const [base, setBase] = useState(read);
  const [mine, setMine] = useState(edited);
  const [step, setStep] = useState<Step>({ at: "trying" });
  const [choices, setChoices] = useState<ReadonlyMap<string, Side>>(new Map());
  const confirmation = useConfirmation(cluster);
  const client = useQueryClient();
  const id = useId();
  const namespace = kind.namespaced ? (mine.metadata.namespace ?? "default") : undefined;
  const name = mine.metadata.name ?? `${String((mine.metadata as { generateName?: string }).generateName)}…`;

  const trying = step.at === "trying";
  // A cluster whose changes are confirmed takes no dry run either before they are.
  const blocked = trying && !confirmation.ready;
  const [begun, begin] = useState(confirmation.name === "");
  useEffect(() => {
    if (!trying || !begun) return;
    const stopper = new AbortController();
    const ask = async (): Promise<Step> => {
      try {
        await confirmation.tell();
        return { at: "tried", result: await write({ cluster, kind, base, mine }, true, stopper.signal) };
      } catch (error) {
        const fault = asFault(error);
        if (fault.status === 409 && base !== null) return { at: "conflict", theirs: await readAgain({ cluster, kind, base, mine }) };
        return { at: "refused", fault };
      }
    };
    void ask().catch((error: unknown): Step => ({ at: "refused", fault: asFault(error) })).then((next) => {
      if (!stopper.signal.aborted) setStep(next);
    });
    return () => stopper.abort();
    // One try for each text; what else changes does not start another.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [trying, begun, base, mine]);

  const apply = async (result: KubeObject) => {
    setStep({ at: "writing", result });
    try {
      const written = await write({ cluster, kind, base, mine }, false);
      void client.invalidateQueries({ queryKey: ["object", cluster] });
      onApplied(written);
    } catch (error) {
      const fault = asFault(error);
      const conflict = fault.status === 409 && base !== null;
      const next: Step = conflict
        ? await readAgain({ cluster, kind, base, mine }).then((theirs): Step => ({ at: "conflict", theirs }), (again): Step => ({ at: "failed", result, fault: asFault(again) }))
        : { at: "failed", result, fault };
      setStep(next);
    }
  };

  const conflict = step.at === "conflict" ? together(base, step.theirs, mine, choices) : null;
  const decided = conflict !== null && conflict.conflicts.every(({ path }) => choices.has(path));
  const goOn = () => {
    if (conflict === null || step.at !== "conflict") return;
    setBase(step.theirs);
    setMine(conflict.value);
    setChoices(new Map());
    setStep({ at: "trying" });
  };
  const result = step.at === "tried" || step.at === "writing" || step.at === "failed" ? step.result : null;
  const unchanged = result !== null && base !== null && same(plain(base), plain(result));
  return (
    <Modal isOpen variant={ModalVariant.large} onClose={onClose} aria-labelledby={id}>
      <ModalHeader title={`${base === null ? "Create" : "Change"} ${mine.kind} ${harmless(name)}`} labelId={id} />
      <ModalBody>
        <Stack hasGutter>
          <StackItem><WriteTarget cluster={cluster} namespace={namespace} /></StackItem>
          {trying && !begun && (
            <StackItem>
              <Form onSubmit={(event) => { event.preventDefault(); begin(confirmation.ready); }}>
                <TypedName confirmation={confirmation} />
              </Form>
            </StackItem>
          )}
          {trying && begun && <StackItem><Loading of="the dry run" onCancel={onClose} /></StackItem>}
          {step.at === "refused" && <StackItem><NotTaken fault={step.fault} /></StackItem>}
          {result !== null && <StackItem><Difference base={base} result={result} unchanged={unchanged} /></StackItem>}
          {result !== null && preview !== undefined && <StackItem>{preview(result)}</StackItem>}
          {step.at === "failed" && <StackItem><Refused fault={step.fault} /></StackItem>}
          {step.at === "conflict" && conflict !== null && (
            <StackItem>
              <ConflictPart
                conflicts={hidden(mine, conflict.conflicts)}
                theirs={hiddenChanges(mine, theirsAlone(base, step.theirs, conflict.conflicts.map(({ path }) => path)))}
                choices={choices}
                onChoose={(path, side) => setChoices(new Map(choices).set(path, side))}
              />
            </StackItem>
          )}
        </Stack>
      </ModalBody>
      <ModalFooter>
        {trying && !begun && <Button isDisabled={blocked} onClick={() => begin(true)}>Try it (dry run)</Button>}
        {result !== null && (
          <Button isDisabled={unchanged || step.at === "writing"} isLoading={step.at === "writing"} onClick={() => void apply(result)}>
            {base === null ? "Create" : "Apply"}
          </Button>
        )}
        {step.at === "conflict" && <Button isDisabled={!decided} onClick={goOn}>Put together and try</Button>}
        {step.at === "refused" && <Button variant="secondary" onClick={() => setStep({ at: "trying" })}>Try again</Button>}
        <Button variant="link" onClick={onClose}>{result === null ? "Close" : "Back to the text"}</Button>
      </ModalFooter>
    </Modal>
  );
}

/** My change and theirs in one; the server's bookkeeping is theirs. */
function together(base: KubeObject | null, theirs: KubeObject, mine: KubeObject, choices: ReadonlyMap<string, Side>) {
  const bare = (object: KubeObject) => withoutBookkeeping(object, true);
  const merged = merge(base === null ? undefined : bare(base), bare(theirs), bare(mine), (path) => choices.get(path));
  const value = merged.value as KubeObject;
  const { status: _, ...rest } = forEditing(theirs);
  return { conflicts: merged.conflicts, value: { ...rest, ...value, metadata: { ...rest.metadata, ...value.metadata } } };
}

function theirsAlone(base: KubeObject | null, theirs: KubeObject, both: string[]) {
  if (base === null) return [];
  return changesOf(plain(base), plain(theirs)).filter(({ path }) => !both.includes(path));
}

const SECRET_PART = /^(data|stringData|metadata\.annotations)/;

function hidden<T extends { path: string; base: unknown; theirs: unknown; mine: unknown }>(of: KubeObject, conflicts: T[]): T[] {
  if (of.kind !== "Secret") return conflicts;
  const cover = (value: unknown) => (value === undefined ? undefined : "(hidden)");
  return conflicts.map((one) => (SECRET_PART.test(one.path) ? { ...one, base: cover(one.base), theirs: cover(one.theirs), mine: cover(one.mine) } : one));
}

function hiddenChanges<T extends { path: string; before: unknown; after: unknown }>(of: KubeObject, changes: T[]): T[] {
  if (of.kind !== "Secret") return changes;
  return changes.map((one) => (SECRET_PART.test(one.path) ? { ...one, before: "(hidden)", after: "(hidden)" } : one));
}

function plain(object: KubeObject): KubeObject {
  return withoutBookkeeping(object, true);
}

function Difference({ base, result, unchanged }: { base: KubeObject | null; result: KubeObject; unchanged: boolean }) {
  const before = useMemo(() => (base === null ? "" : writeYaml(covered(plain(base)))), [base]);
  const after = useMemo(() => writeYaml(covered(plain(result))), [result]);
  const fixed = base === null ? [] : immutable(result.kind, changesOf(plain(base), plain(result)), base);
  const secrets = result.kind === "Secret" && before === after && !unchanged;
  return (
    <Stack hasGutter>
      {unchanged && <Alert isInline variant="info" title="Nothing changes: the cluster has it like this already" />}
      {fixed.length > 0 && <Fixed paths={fixed} />}
      {secrets && <Alert isInline variant="info" title="Only covered values change" />}
      {!unchanged && (
        <>
          <p>The dry run worked. {base === null ? "This is what would be made:" : "This is what would change, as the cluster sees it:"}</p>
          <YamlDiff before={before} after={after} label="the difference" />
        </>
      )}
    </Stack>
  );
}

function Fixed({ paths }: { paths: string[] }) {
  return (
    <Alert isInline variant="warning" title="These fields cannot change while the object lives">
      {paths.map(asText).join(", ")}. To change them, delete the object and create it anew; what it runs is interrupted by that.
    </Alert>
  );
}

interface Invalid {
  details?: { causes?: { field?: string; message?: string }[] };
}

/** Why the server does not take it, field by field where it says so. */
function NotTaken({ fault }: { fault: Fault }) {
  const causes = (fault.answer as Invalid | null)?.details?.causes?.filter(({ field }) => field !== undefined && field !== "") ?? [];
  const fixed = /immutable|may not be changed|forbidden: updates to/i.test(fault.detail);
  if (fault.status !== 422 && fault.status !== 400) return <Failed error={fault} />;
  return (
    <Stack hasGutter>
      <Alert isInline variant="danger" title="The cluster would not take it" role="alert">
        {causes.length === 0
          ? <span className="tl-code">{harmless(fault.detail)}</span>
          : <ul>{causes.map(({ field, message }) => <li key={`${field} ${message}`}><code>{asText(field)}</code>: {asText(message)}</li>)}</ul>}
      </Alert>
      {fixed && (
        <Alert isInline variant="info" title="A field in it cannot change while the object lives">
          Delete the object and create it anew to change that field, or put the field back.
        </Alert>
      )}
    </Stack>
  );
}
