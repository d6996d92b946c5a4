// The status of something by word, icon and colour.

import { Label } from "@patternfly/react-core";
import { CheckCircleIcon, ExclamationCircleIcon, InProgressIcon } from "@patternfly/react-icons";
import { asText } from "../parts/text.ts";
import type { Health } from "./list/rows.ts";

const LOOKS = {
  good: { color: "green", Icon: CheckCircleIcon },
  busy: { color: "blue", Icon: InProgressIcon },
  bad: { color: "red", Icon: ExclamationCircleIcon },
} as const;

export function Status({ health, words }: { health: Health; words: string }) {
  if (health === "plain") return <>{asText(words)}</>;
  const { color, Icon } = LOOKS[health];
  return <Label isCompact color={color} icon={<Icon />}>{asText(words)}</Label>;
}
