// What stands in every dialog that writes: the cluster, the namespace, the environment; and where it is asked for, the typed name.
//
// Invariants: a cluster whose changes are confirmed hears of the confirmation before the write is sent, and the gateway holds
// that for a quarter of an hour; what destroys is never one key away; a refusal stays in the dialog, with what was typed.

import {
  Alert, Button, Form, FormGroup, FormHelperText, HelperText, HelperTextItem, Modal, ModalBody, ModalFooter, ModalHeader, ModalVariant,
  Stack, StackItem, TextInput,
} from "@patternfly/react-core";
import { useId, useState, type ReactNode } from "react";
import { rest } from "../api/client.ts";
import { asFault, type Fault } from "../api/fault.ts";
import { titleOf, useFleet } from "../api/fleet.ts";
import { EnvironmentLabel, ProtectionLabel } from "./cluster.tsx";
import { harmless } from "./text.ts";

/** Where a write goes, on one line. */
export function WriteTarget({ cluster, namespace }: { cluster: string; namespace?: string | undefined }) {
  const known = useFleet().byName.get(cluster);
  const title = known === undefined ? cluster : titleOf(known);
  return (
    <p className="tl-target">
      <span>Cluster <strong>{title}</strong>{title !== cluster && ` (${cluster})`}</span>
      {namespace !== undefined && namespace !== "" && <span>Namespace <strong>{namespace}</strong></span>}
      <EnvironmentLabel environment={known?.spec.environment ?? ""} />
      <ProtectionLabel protection={known?.spec.protection} />
    </p>
  );
}

export interface Confirmation {
  cluster: string;
  /** What is to be typed; empty when nothing is. */
  name: string;
  typed: string;
  type: (text: string) => void;
  /** Whether it may be sent. */
  ready: boolean;
  /** Tells the gateway, where the cluster wants that. */
  tell: () => Promise<void>;
}

/** What a write in a cluster needs first; `destroys` is the name of an object that is typed in any case. */
export function useConfirmation(cluster: string, destroys = ""): Confirmation {
  const known = useFleet().byName.get(cluster);
  const [typed, type] = useState("");
  const guarded = known?.spec.protection === "confirm";
  const name = guarded ? cluster : destroys;
  const tell = async () => {
    if (guarded) await rest.POST("/trunkline/v1/clusters/{name}/confirm", { params: { path: { name: cluster } } });
  };
  return { cluster, name, typed, type, ready: name === "" || typed.trim() === name, tell };
}

/** The field for the typed name; nothing where none is asked for. */
export function TypedName({ confirmation }: { confirmation: Confirmation }) {
  const { name, typed, type, cluster } = confirmation;
  const id = useId();
  if (name === "") return null;
  return (
    <FormGroup label={<>Type <code>{name}</code> to go on</>} fieldId={id} isRequired>
      <TextInput id={id} value={typed} onChange={(_, text) => type(text)} autoComplete="off" spellCheck={false} />
      {name === cluster && (
        <FormHelperText>
          <HelperText><HelperTextItem>Changes of this cluster are confirmed: this holds for a quarter of an hour.</HelperTextItem></HelperText>
        </FormHelperText>
      )}
    </FormGroup>
  );
}

interface WriteDialogProps {
  title: string;
  cluster: string;
  namespace?: string | undefined;
  /** The word on the button. */
  verb: string;
  danger?: boolean;
  /** The name that must be typed because the write destroys it. */
  destroys?: string;
  /** Whether what the dialog asks for is there. */
  ready?: boolean;
  run: () => Promise<void>;
  onClose: () => void;
  children?: ReactNode;
}

/** A small write: what it does, where, and its answer. Closes when it is done. */
export function WriteDialog(props: WriteDialogProps) {
  const { title, cluster, namespace, verb, danger = false, destroys = "", ready = true, run, onClose, children } = props;
  const confirmation = useConfirmation(cluster, destroys);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const id = useId();
  const may = ready && confirmation.ready && !busy;
  const go = async () => {
    if (!may) return;
    setBusy(true);
    setFault(null);
    try {
      await confirmation.tell();
      await run();
      onClose();
    } catch (error) {
      setFault(asFault(error));
      setBusy(false);
    }
  };
  return (
    <Modal isOpen variant={ModalVariant.small} onClose={onClose} aria-labelledby={id}>
      <ModalHeader title={title} labelId={id} {...(danger ? { titleIconVariant: "warning" as const } : {})} />
      <ModalBody>
        <Stack hasGutter>
          <StackItem><WriteTarget cluster={cluster} namespace={namespace} /></StackItem>
          {children !== undefined && <StackItem>{children}</StackItem>}
          <StackItem>
            <Form onSubmit={(event) => { event.preventDefault(); void go(); }}><TypedName confirmation={confirmation} /></Form>
          </StackItem>
          {fault !== null && <StackItem><Refused fault={fault} /></StackItem>}
        </Stack>
      </ModalBody>
      <ModalFooter>
        <Button variant={danger ? "danger" : "primary"} isDisabled={!may} isLoading={busy} onClick={() => void go()}>{verb}</Button>
        <Button variant="link" onClick={onClose}>Cancel</Button>
      </ModalFooter>
    </Modal>
  );
}

/** A refusal, in the dialog where it was asked for. */
export function Refused({ fault, title }: { fault: Fault; title?: string }) {
  return (
    <Alert isInline variant="danger" title={title ?? `Refused: ${fault.reason}`} role="alert">
      <span className="tl-code">{harmless(fault.detail)}</span>
      {fault.request !== "" && <p>Request {fault.request}</p>}
    </Alert>
  );
}
