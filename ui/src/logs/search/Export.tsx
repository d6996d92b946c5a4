// A file of what was found.

import { Alert, Button, Form, FormGroup, Modal, ModalBody, ModalFooter, ModalHeader, Progress, Radio, TextInput } from "@patternfly/react-core";
import { useEffect, useRef, useState } from "react";
import { asFault } from "../../api/fault.ts";
import { count } from "../../parts/numbers.ts";
import { saveFile } from "../../parts/download.ts";
import type { Asked } from "./asked.ts";
import { carry, MOST_EXPORTED, type Wanted } from "./carry.ts";
import type { Question } from "./find.ts";

interface ExportProps {
  question: Question;
  order: Asked["order"];
  columns: string[];
  onClose: () => void;
}

export function Export({ question, order, columns, onClose }: ExportProps) {
  const [kind, setKind] = useState<Wanted["kind"]>("ndjson");
  const [most, setMost] = useState("10000");
  const [carried, setCarried] = useState<number | null>(null);
  const [told, setTold] = useState<{ variant: "success" | "danger"; words: string } | null>(null);
  const stopper = useRef<AbortController | null>(null);
  useEffect(() => () => stopper.current?.abort(), []);
  const wanted = Math.min(MOST_EXPORTED, Math.floor(Number(most)));
  const isNumber = Number.isFinite(wanted) && wanted >= 1;

  const begin = async () => {
    const controller = new AbortController();
    stopper.current = controller;
    setTold(null);
    setCarried(0);
    try {
      const done = await carry({ question, order, kind, columns: columns.length > 0 ? columns : ["level", "app", "namespace", "pod"], most: wanted }, controller.signal, setCarried);
      saveFile(`trunkline-logs-${question.from.slice(0, 19).replaceAll(":", "")}.${kind}`, done.file);
      const rest = [done.more ? "there are more" : "these are all", done.partial].filter((words) => words !== "").join("; ");
      setTold({ variant: "success", words: `${count(done.records)} records are in the file; ${rest}` });
    } catch (error) {
      if (!controller.signal.aborted) setTold({ variant: "danger", words: asFault(error).detail });
    }
    setCarried(null);
  };

  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="export-title">
      <ModalHeader title="Export records" labelId="export-title" description={`What the search finds, ${order} first.`} />
      <ModalBody>
        <Form onSubmit={(event) => { event.preventDefault(); if (isNumber) void begin(); }}>
          <FormGroup role="radiogroup" label="File" fieldId="export-kind">
            <Radio id="export-ndjson" name="export-kind" label="NDJSON: a line of JSON for each record, all of it" isChecked={kind === "ndjson"} onChange={() => setKind("ndjson")} />
            <Radio id="export-csv" name="export-kind" label="CSV: the columns that are shown; nothing in it is a formula" isChecked={kind === "csv"} onChange={() => setKind("csv")} />
          </FormGroup>
          <FormGroup label={`How many, ${count(MOST_EXPORTED)} at the most`} fieldId="export-most">
            <TextInput id="export-most" type="number" min={1} max={MOST_EXPORTED} value={most} onChange={(_, value) => setMost(value)} validated={isNumber ? "default" : "error"} />
          </FormGroup>
        </Form>
        {carried !== null && <Progress value={(100 * carried) / Math.max(1, wanted)} title={`${count(carried)} records`} aria-label="Records exported" />}
        {told !== null && <Alert isInline component="p" variant={told.variant} title={told.words} role="status" />}
      </ModalBody>
      <ModalFooter>
        {carried === null ? (
          <Button variant="primary" isDisabled={!isNumber} onClick={() => void begin()}>Export</Button>
        ) : (
          <Button variant="secondary" onClick={() => stopper.current?.abort()}>Stop</Button>
        )}
        <Button variant="link" onClick={onClose}>Close</Button>
      </ModalFooter>
    </Modal>
  );
}
