// A dialog before something is done that cannot be undone: it says what, where, and what of it stays; the name is typed where
// a mistake would be dear. Focus goes back to where it was.

import { Alert, Button, Form, FormGroup, Modal, ModalBody, ModalFooter, ModalHeader, ModalVariant, TextInput } from "@patternfly/react-core";
import { useState, type FormEvent, type ReactNode } from "react";
import { asFault } from "../api/fault.ts";

interface ConfirmProps {
  title: string;
  /** What the button says: a verb. */
  verb: string;
  children: ReactNode;
  /** Must be typed. */
  typed?: string;
  /** Asks for a reason, which is told to those who are cut. */
  reason?: boolean;
  run: (reason: string) => Promise<unknown>;
  onClose: () => void;
}

export function Confirm({ title, verb, children, typed, reason = false, run, onClose }: ConfirmProps) {
  const [text, setText] = useState("");
  const [why, setWhy] = useState("");
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const ready = (typed === undefined || text === typed) && (!reason || why.trim() !== "");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!ready || busy) return;
    setBusy(true);
    setFault("");
    try {
      await run(why.trim());
      onClose();
    } catch (error) {
      setFault(asFault(error).detail);
      setBusy(false);
    }
  };
  return (
    <Modal isOpen variant={ModalVariant.small} onClose={onClose} aria-labelledby="confirm-title" aria-describedby="confirm-body">
      <ModalHeader title={title} labelId="confirm-title" titleIconVariant="warning" />
      <ModalBody id="confirm-body">
        <Form id="confirm-form" onSubmit={(event) => void submit(event)}>
          {fault !== "" && <Alert isInline variant="danger" title={fault} role="alert" />}
          <div>{children}</div>
          {reason && (
            <FormGroup label="Reason, told to those who are cut" fieldId="confirm-reason" isRequired>
              <TextInput id="confirm-reason" isRequired value={why} maxLength={256} onChange={(_, value) => setWhy(value)} />
            </FormGroup>
          )}
          {typed !== undefined && (
            <FormGroup label={`Type ${typed} to confirm`} fieldId="confirm-typed" isRequired>
              <TextInput id="confirm-typed" isRequired autoComplete="off" value={text} onChange={(_, value) => setText(value)} />
            </FormGroup>
          )}
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form="confirm-form" variant="danger" isDisabled={!ready || busy} isLoading={busy}>{verb}</Button>
        <Button variant="link" onClick={onClose}>Cancel</Button>
      </ModalFooter>
    </Modal>
  );
}
