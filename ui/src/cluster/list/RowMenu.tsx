// What can be done with a row: its pages, and what changes it where that may be done.

import { Divider, Dropdown, DropdownItem, DropdownList, MenuToggle } from "@patternfly/react-core";
import { EllipsisVIcon } from "@patternfly/react-icons";
import { useRef } from "react";
import { useNavigate } from "react-router";
import { WORDS } from "../actions/DeedDialog.tsx";
import type { Deed } from "../actions/deeds.ts";

export interface RowPage {
  title: string;
  letter: string;
  to: string;
}

interface RowMenuProps {
  name: string;
  isOpen: boolean;
  onOpen: (open: boolean) => void;
  pages: () => RowPage[];
  deeds: Deed[];
  onDeed: (deed: Deed) => void;
}

export function RowMenu({ name, isOpen, onOpen, pages, deeds, onDeed }: RowMenuProps) {
  const navigate = useNavigate();
  const button = useRef<HTMLButtonElement>(null);
  // The row is what has the keys: it gets the focus back.
  const change = (open: boolean) => {
    onOpen(open);
    if (!open) requestAnimationFrame(() => button.current?.closest("tr")?.focus());
  };
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={change}
      shouldFocusFirstItemOnOpen
      popperProps={{ position: "right", appendTo: () => document.body }}
      toggle={{
        toggleRef: button,
        toggleNode: (
          <MenuToggle
            ref={button}
            variant="plain"
            size="sm"
            tabIndex={-1}
            isExpanded={isOpen}
            onClick={() => onOpen(!isOpen)}
            aria-label={`Actions of ${name}`}
            icon={<EllipsisVIcon />}
          />
        ),
      }}
    >
      {isOpen && (
        <DropdownList>
          {pages().map(({ title, letter, to }) => (
            <DropdownItem key={title} description={letter === "" ? undefined : `key ${letter}`} onClick={() => { onOpen(false); void navigate(to); }}>
              {title}
            </DropdownItem>
          ))}
          {deeds.length > 0 && <Divider />}
          {deeds.map((deed) => (
            <DropdownItem key={deed} isDanger={deed === "delete"} onClick={() => { onOpen(false); onDeed(deed); }}>{WORDS[deed]}…</DropdownItem>
          ))}
        </DropdownList>
      )}
    </Dropdown>
  );
}
