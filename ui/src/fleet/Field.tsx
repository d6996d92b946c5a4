// What is typed in forms here: a line with its hint, or with what is wrong with it.

import { FormGroup, FormHelperText, FormSelect, FormSelectOption, HelperText, HelperTextItem, TextInput } from "@patternfly/react-core";
import type { ReactNode } from "react";
import type { Shapes } from "../api/client.ts";

interface FieldProps {
  id: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint: string;
  wrong?: string;
  isRequired?: boolean;
  autoFocus?: boolean;
  after?: ReactNode;
  list?: string[];
}

export function Field({ id, label, value, onChange, hint, wrong = "", isRequired = false, autoFocus = false, after, list }: FieldProps) {
  return (
    <FormGroup label={label} fieldId={id} isRequired={isRequired}>
      <TextInput
        id={id} value={value} isRequired={isRequired} autoFocus={autoFocus} autoComplete="off" spellCheck={false}
        onChange={(_, next) => onChange(next)} validated={wrong === "" ? "default" : "error"} aria-describedby={`${id}-help`}
        {...(list === undefined ? {} : { list: `${id}-list` })}
      />
      {list !== undefined && <datalist id={`${id}-list`}>{list.map((one) => <option key={one} value={one} />)}</datalist>}
      <FormHelperText>
        <HelperText id={`${id}-help`} isLiveRegion>
          <HelperTextItem variant={wrong === "" ? "default" : "error"}>{wrong || hint} {after}</HelperTextItem>
        </HelperText>
      </FormHelperText>
    </FormGroup>
  );
}

const PROTECTIONS: Record<Shapes["Protection"], string> = {
  none: "None",
  confirm: "Changes are confirmed by typing the cluster's name",
  "read-only": "Read-only: nothing may be changed in it",
};

export function protectionWords(protection: Shapes["Protection"] | undefined): string {
  return PROTECTIONS[protection ?? "none"];
}

export function ProtectionField({ id, value, onChange }: { id: string; value: Shapes["Protection"]; onChange: (value: Shapes["Protection"]) => void }) {
  return (
    <FormGroup label="Protection" fieldId={id}>
      <FormSelect id={id} value={value} onChange={(_, next) => onChange(next as Shapes["Protection"])}>
        {(Object.keys(PROTECTIONS) as Shapes["Protection"][]).map((one) => <FormSelectOption key={one} value={one} label={PROTECTIONS[one]} />)}
      </FormSelect>
    </FormGroup>
  );
}
