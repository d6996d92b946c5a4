// The dialogs of what can be done to an object. Each says what it does, to what, where; deleting what takes
// much with it asks for the name.

import { FormGroup, NumberInput, Radio, Stack, StackItem } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { WriteDialog } from "../../parts/write.tsx";
import { Asked } from "../../parts/states.tsx";
import { harmless } from "../../parts/text.ts";
import { groupResource } from "../places.ts";
import { cordon, remove, restart, scaleOf, scaleTo, type Deed, type Propagation, type Target } from "./deeds.ts";

interface DialogProps {
  target: Target;
  onClose: () => void;
  onDone?: (() => void) | undefined;
}

export const WORDS: Record<Deed, string> = { scale: "Scale", restart: "Restart", cordon: "Cordon", uncordon: "Uncordon", delete: "Delete" };

export function DeedDialog({ deed, ...props }: DialogProps & { deed: Deed }) {
  if (deed === "scale") return <Scale {...props} />;
  if (deed === "delete") return <Delete {...props} />;
  if (deed === "restart") return <Restart {...props} />;
  return <Cordon {...props} on={deed === "cordon"} />;
}

function where({ cluster, metadata }: Target) {
  return { cluster, namespace: metadata.namespace };
}

function named({ kind, metadata }: Target): string {
  return `${kind} ${harmless(metadata.name)}`;
}

function Scale({ target, onClose, onDone }: DialogProps) {
  const now = useQuery({ queryKey: ["scale", target], queryFn: ({ signal }) => scaleOf(target, signal), staleTime: 0, gcTime: 0 });
  const [wanted, setWanted] = useState<number | null>(null);
  const value = wanted ?? now.data ?? 0;
  const id = useId();
  const run = async () => {
    await scaleTo(target, value);
    onDone?.();
  };
  return (
    <WriteDialog {...where(target)} title={`Scale ${named(target)}`} verb="Scale" ready={now.data !== undefined && value !== now.data} run={run} onClose={onClose}>
      <Asked query={now} of="its scale" cluster={target.cluster}>
        {(is) => (
          <FormGroup label={`Replicas (now ${is})`} fieldId={id}>
            <NumberInput
              id={id}
              value={value}
              min={0}
              inputAriaLabel="Replicas"
              minusBtnAriaLabel="One fewer"
              plusBtnAriaLabel="One more"
              onMinus={() => setWanted(Math.max(0, value - 1))}
              onPlus={() => setWanted(value + 1)}
              onChange={(event) => setWanted(Math.max(0, Math.floor(Number(event.currentTarget.value) || 0)))}
            />
            {value === 0 && <p>At 0 nothing of it runs any more.</p>}
          </FormGroup>
        )}
      </Asked>
    </WriteDialog>
  );
}

function Restart({ target, onClose, onDone }: DialogProps) {
  const run = async () => {
    await restart(target, new Date());
    onDone?.();
  };
  return (
    <WriteDialog {...where(target)} title={`Restart ${named(target)}`} verb="Restart" run={run} onClose={onClose}>
      Its pods are made anew, in the way of its update strategy. That is what <code>kubectl rollout restart</code> does.
    </WriteDialog>
  );
}

function Cordon({ target, on, onClose, onDone }: DialogProps & { on: boolean }) {
  const run = async () => {
    await cordon(target, on);
    onDone?.();
  };
  const verb = on ? "Cordon" : "Uncordon";
  return (
    <WriteDialog {...where(target)} title={`${verb} ${named(target)}`} verb={verb} run={run} onClose={onClose}>
      {on ? "No new pods are put on this node. Those that run on it go on." : "New pods may be put on this node again."}
    </WriteDialog>
  );
}

const PROPAGATIONS: { value: Propagation; label: string; more: string }[] = [
  { value: "Background", label: "Background", more: "it goes at once; what belongs to it (pods, replica sets) is deleted after it" },
  { value: "Foreground", label: "Foreground", more: "what belongs to it goes first, and then it" },
  { value: "Orphan", label: "Orphan", more: "what belongs to it stays and runs on, without it" },
];

/** What takes much more away than itself. */
const TAKES_MUCH = new Set(["namespaces", "customresourcedefinitions.apiextensions.k8s.io", "persistentvolumes", "persistentvolumeclaims", "nodes"]);

function Delete({ target, onClose, onDone }: DialogProps) {
  const [propagation, setPropagation] = useState<Propagation>("Background");
  const run = async () => {
    await remove(target, propagation);
    onDone?.();
  };
  return (
    <WriteDialog
      {...where(target)}
      title={`Delete ${named(target)}`}
      verb="Delete"
      danger
      destroys={TAKES_MUCH.has(groupResource(target.of)) ? target.metadata.name : ""}
      run={run}
      onClose={onClose}
    >
      <Stack hasGutter>
        {target.of.resource === "namespaces" && target.of.group === "" && <StackItem><strong>Everything in this namespace is deleted with it.</strong></StackItem>}
        <StackItem>
          <fieldset>
            <legend>What belongs to it</legend>
            {PROPAGATIONS.map(({ value, label, more }) => (
              <Radio key={value} id={value} name="propagation" label={label} description={more} isChecked={propagation === value} onChange={() => setPropagation(value)} />
            ))}
          </fieldset>
        </StackItem>
      </Stack>
    </WriteDialog>
  );
}
