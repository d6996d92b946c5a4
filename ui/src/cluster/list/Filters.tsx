// What a list is narrowed by: words here in the page, selectors at the server.

import { Button, SearchInput, Switch, TextInput, Toolbar, ToolbarContent, ToolbarGroup, ToolbarItem } from "@patternfly/react-core";
import { FilterIcon, SyncAltIcon } from "@patternfly/react-icons";
import { useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { useKeys } from "../../app/keys.ts";
import { useAsked, useTyped } from "../../app/place.ts";

interface FiltersProps {
  onRefresh?: () => void;
  /** Whether there are columns that only a wide view has. */
  canBeWide?: boolean;
  selectors?: boolean;
  children?: ReactNode;
}

export function Filters({ onRefresh, canBeWide = false, selectors = true, children }: FiltersProps) {
  const [q, setQ] = useTyped("q");
  const [label] = useAsked("label");
  const [field] = useAsked("field");
  const [wide, setWide] = useAsked("wide");
  const [open, setOpen] = useState(label !== "" || field !== "");
  const input = useRef<HTMLInputElement>(null);
  useKeys([{ keys: "/", words: "Filter", run: () => input.current?.focus() }]);
  return (
    <Toolbar inset={{ default: "insetNone" }} className="tl-filters">
      <ToolbarContent>
        <ToolbarGroup variant="filter-group">
          <ToolbarItem>
            <SearchInput
              ref={input}
              value={q}
              placeholder="Filter, -word leaves out"
              aria-label="Filter rows"
              onChange={(_, value) => setQ(value)}
              onClear={() => setQ("")}
              onKeyDown={(event: KeyboardEvent) => {
                if (event.key === "Escape") input.current?.blur();
              }}
            />
          </ToolbarItem>
          {selectors && (
            <ToolbarItem>
              <Button variant={open ? "secondary" : "control"} icon={<FilterIcon />} aria-expanded={open} onClick={() => setOpen(!open)}>Selectors</Button>
            </ToolbarItem>
          )}
          {open && <ToolbarItem><Selector name="label" title="Label selector" placeholder="app=web,tier!=db" /></ToolbarItem>}
          {open && <ToolbarItem><Selector name="field" title="Field selector" placeholder="spec.nodeName=node-1" /></ToolbarItem>}
        </ToolbarGroup>
        <ToolbarGroup align={{ default: "alignEnd" }} gap={{ default: "gapSm" }}>
          {children}
          {canBeWide && (
            <ToolbarItem alignSelf="center">
              <Switch label="All columns" isChecked={wide === "yes"} onChange={(_, on) => setWide(on ? "yes" : "")} />
            </ToolbarItem>
          )}
          {onRefresh !== undefined && (
            <ToolbarItem><Button variant="plain" icon={<SyncAltIcon />} aria-label="Read again" onClick={onRefresh} /></ToolbarItem>
          )}
        </ToolbarGroup>
      </ToolbarContent>
    </Toolbar>
  );
}

/** A selector is sent when it is whole: on Enter, or when one goes on. */
function Selector({ name, title, placeholder }: { name: string; title: string; placeholder: string }) {
  const [value, setValue] = useAsked(name);
  const [text, setText] = useState(value);
  const send = () => {
    if (text.trim() !== value) setValue(text.trim());
  };
  return (
    <TextInput
      value={text}
      aria-label={title}
      placeholder={placeholder}
      spellCheck={false}
      onChange={(_, typed) => setText(typed)}
      onBlur={send}
      onKeyDown={(event) => event.key === "Enter" && send()}
    />
  );
}
