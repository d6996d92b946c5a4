// The filters over the managed clusters' table, and what is taken away from it as a file.

import {
  Badge, Button, Dropdown, DropdownItem, DropdownList, FormHelperText, HelperText, HelperTextItem, MenuToggle, SearchInput, Select, SelectList, SelectOption, TextInput, Toolbar,
  ToolbarContent, ToolbarItem,
} from "@patternfly/react-core";
import { useMemo, useRef, useState } from "react";
import { useKeys } from "../app/keys.ts";
import { stateWords } from "../parts/cluster.tsx";
import { count } from "../parts/numbers.ts";
import { save } from "../parts/download.ts";
import { csv, json } from "./export.ts";
import { counts, SIGNS, STATES, type ClusterRow, type StatusWord } from "./rows.ts";
import type { Sign } from "./signs.ts";

const SIGN_WORDS: Record<Sign, string> = {
  update: "Agent to update", certificate: "Certificate to look at", logs: "Logs stay behind", lost: "Log records lost",
};

interface FiltersProps {
  words: string;
  onWords: (words: string) => void;
  label: string;
  onLabel: (label: string) => void;
  /** What stands in `label` is no selector. */
  wrong: boolean;
  status: StatusWord[];
  onStatus: (status: StatusWord[]) => void;
  rows: ClusterRow[];
  shown: ClusterRow[];
  onClear: () => void;
}

export function Filters(props: FiltersProps) {
  const { words, onWords, label, onLabel, wrong, status, onStatus, rows, shown, onClear } = props;
  const find = useRef<HTMLInputElement>(null);
  useKeys([{ keys: "/", words: "Find a cluster here", run: () => find.current?.focus() }]);
  const any = words !== "" || label !== "" || status.length > 0;
  return (
    <Toolbar className="tl-filters" inset={{ default: "insetNone" }}>
      <ToolbarContent>
        <ToolbarItem>
          <SearchInput ref={find} value={words} onChange={(_, value) => onWords(value)} onClear={() => onWords("")} placeholder="Name, label, version, reason" aria-label="Find clusters" />
        </ToolbarItem>
        <ToolbarItem><StatusSelect status={status} onStatus={onStatus} rows={rows} /></ToolbarItem>
        <ToolbarItem>
          <TextInput
            value={label}
            onChange={(_, value) => onLabel(value)}
            placeholder="env=prod,region in (eu,us)"
            aria-label="Label selector, as kubectl's -l"
            validated={wrong ? "error" : "default"}
            {...(wrong ? { "aria-describedby": "selector-help" } : {})}
          />
          {wrong && (
            <FormHelperText>
              <HelperText><HelperTextItem id="selector-help" variant="error">No selector: write for instance env=prod,!old. It is not applied.</HelperTextItem></HelperText>
            </FormHelperText>
          )}
        </ToolbarItem>
        {any && <ToolbarItem><Button variant="link" onClick={onClear}>Clear filter</Button></ToolbarItem>}
        <ToolbarItem align={{ default: "alignEnd" }}><Export rows={shown} /></ToolbarItem>
      </ToolbarContent>
    </Toolbar>
  );
}

function StatusSelect({ status, onStatus, rows }: { status: StatusWord[]; onStatus: (status: StatusWord[]) => void; rows: ClusterRow[] }) {
  const [open, setOpen] = useState(false);
  const all = useMemo(() => counts(rows), [rows]);
  const option = (word: StatusWord, words: string) => (
    <SelectOption key={word} value={word} hasCheckbox isSelected={status.includes(word)} description={count(all[word])}>{words}</SelectOption>
  );
  return (
    <Select
      role="menu"
      isOpen={open}
      onOpenChange={setOpen}
      selected={status}
      onSelect={(_, value) => {
        const word = value as StatusWord;
        onStatus(status.includes(word) ? status.filter((one) => one !== word) : [...status, word]);
      }}
      toggle={(ref) => (
        <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)}>
          Status {status.length > 0 && <Badge isRead>{status.length}<span className="pf-v6-screen-reader"> chosen</span></Badge>}
        </MenuToggle>
      )}
    >
      <SelectList>
        {STATES.map((state) => option(state, stateWords(state)))}
        {SIGNS.map((sign) => option(sign, SIGN_WORDS[sign]))}
      </SelectList>
    </Select>
  );
}

function Export({ rows }: { rows: ClusterRow[] }) {
  const [open, setOpen] = useState(false);
  const give = (kind: "csv" | "json") => {
    const name = `clusters-${new Date().toISOString().slice(0, 10)}.${kind}`;
    if (kind === "csv") save(name, "text/csv;charset=utf-8", csv(rows));
    else save(name, "application/json", json(rows));
  };
  return (
    <Dropdown
      isOpen={open}
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      shouldFocusFirstItemOnOpen
      shouldFocusToggleOnSelect
      popperProps={{ position: "right" }}
      toggle={(ref) => <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)}>Export</MenuToggle>}
    >
      <DropdownList>
        <DropdownItem key="csv" onClick={() => give("csv")} description={`${count(rows.length)} shown, for a spreadsheet`}>CSV</DropdownItem>
        <DropdownItem key="json" onClick={() => give("json")} description={`${count(rows.length)} shown, as the API gives them`}>JSON</DropdownItem>
      </DropdownList>
    </Dropdown>
  );
}
