// What can be done with a row: its pages, and what changes it where that may be done.

import { Divider, Dropdown, DropdownItem, DropdownList, MenuToggle } from "@patternfly/react-core";
import { EllipsisVIcon } from "@patternfly/react-icons";
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
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={onOpen}
      popperProps={{ position: "right", appendTo: () => document.body }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          variant="plain"
          size="sm"
          tabIndex={-1}
          isExpanded={isOpen}
          onClick={() => onOpen(!isOpen)}
          aria-label={`Actions of ${name}`}
          icon={<EllipsisVIcon />}
        />
      )}
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
