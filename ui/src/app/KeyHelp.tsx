// `?`: the keys that work here, and the switch that turns single keys off.

import { DescriptionList, DescriptionListDescription, DescriptionListGroup, DescriptionListTerm, Modal, ModalBody, ModalHeader, ModalVariant, Switch } from "@patternfly/react-core";
import { switchKeys, useAllKeys, useKeysOn } from "./keys.ts";

const ALWAYS = [
  { keys: "j k or arrows", words: "Move among rows" },
  { keys: "Enter", words: "Open the row" },
  { keys: "Esc", words: "Back one layer" },
];

export function KeyHelp({ onClose }: { onClose: () => void }) {
  const on = useKeysOn();
  const keys = useAllKeys();
  return (
    <Modal isOpen variant={ModalVariant.small} onClose={onClose} aria-labelledby="key-help">
      <ModalHeader title="Keys" labelId="key-help" />
      <ModalBody>
        <Switch label="Single keys" isChecked={on} onChange={(_, checked) => switchKeys(checked)} />
        <DescriptionList isHorizontal isCompact>
          {[...keys, ...ALWAYS].map(({ keys: pressed, words }) => (
            <DescriptionListGroup key={`${pressed} ${words}`}>
              <DescriptionListTerm><kbd>{pressed.replace("Mod+k", "Ctrl+K")}</kbd></DescriptionListTerm>
              <DescriptionListDescription>{words}</DescriptionListDescription>
            </DescriptionListGroup>
          ))}
        </DescriptionList>
      </ModalBody>
    </Modal>
  );
}
