// The dialog before something is changed: it shows to which clusters, of which environment, and what went wrong if it did.

import { Alert, Button, Form, Modal, ModalBody, ModalFooter, ModalHeader, ModalVariant } from "@patternfly/react-core";
import { useId, useState, type FormEvent, type ReactNode } from "react";
import { asFault, type Fault } from "../api/fault.ts";
import { titleOf, type Cluster } from "../api/fleet.ts";
import { EnvironmentLabel, ProtectionLabel } from "../parts/cluster.tsx";

interface WriteDialogProps {
  title: string;
  /** What is changed. */
  clusters: readonly Cluster[];
  /** The word on the button. */
  action: string;
  danger?: boolean;
  /** Whether it may be done as it stands. */
  ready: boolean;
  /** Does it; the dialog stays with what it throws. */
  onGo: () => Promise<void>;
  onClose: () => void;
  /** What is said of a fault in place of its words. */
  onFault?: (fault: Fault) => ReactNode;
  children?: ReactNode;
}

export function WriteDialog(props: WriteDialogProps) {
  const { title, clusters, action, danger = false, ready, onGo, onClose, onFault, children } = props;
  const [fault, setFault] = useState<Fault | null>(null);
  const [busy, setBusy] = useState(false);
  const id = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!ready || busy) return;
    setBusy(true);
    setFault(null);
    onGo().catch((error: unknown) => {
      setFault(asFault(error));
      setBusy(false);
    });
  };
  return (
    <Modal isOpen variant={ModalVariant.medium} onClose={onClose} aria-labelledby={`${id}-title`}>
      <ModalHeader title={title} labelId={`${id}-title`} {...(danger ? { titleIconVariant: "warning" as const } : {})} />
      <ModalBody>
        <Targets clusters={clusters} />
        {fault !== null && <div className="tl-dialog-fault">{onFault?.(fault) ?? (
          <Alert isInline variant="danger" title={fault.detail}>
            {fault.request !== "" && <span className="tl-subtle">request {fault.request}</span>}
          </Alert>
        )}</div>}
        <Form id={id} onSubmit={submit}>{children}</Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form={id} variant={danger ? "danger" : "primary"} isDisabled={!ready || busy} isLoading={busy}>{action}</Button>
        <Button variant="link" onClick={onClose}>Cancel</Button>
      </ModalFooter>
    </Modal>
  );
}

const MOST_SHOWN = 12;

/** Which clusters it is about. */
function Targets({ clusters }: { clusters: readonly Cluster[] }) {
  return (
    <ul className="tl-targets" aria-label="It is about">
      {clusters.slice(0, MOST_SHOWN).map((cluster) => (
        <li key={cluster.metadata.name}>
          <strong>{titleOf(cluster)}</strong>
          {titleOf(cluster) !== cluster.metadata.name && <small>{cluster.metadata.name}</small>}
          <EnvironmentLabel environment={cluster.spec.environment ?? ""} />
          <ProtectionLabel protection={cluster.spec.protection} />
        </li>
      ))}
      {clusters.length > MOST_SHOWN && <li>and {(clusters.length - MOST_SHOWN).toLocaleString("en")} more</li>}
    </ul>
  );
}
