// Facts beside their names.

import { DescriptionList, DescriptionListDescription, DescriptionListGroup, DescriptionListTerm } from "@patternfly/react-core";
import type { ReactNode } from "react";

/** Rows of a name and what stands beside it; a row of null is not shown. */
export function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <DescriptionList isHorizontal isFluid horizontalTermWidthModifier={{ default: "12ch", md: "20ch" }}>
      {facts.filter(([, fact]) => fact !== null).map(([title, fact]) => (
        <DescriptionListGroup key={title}>
          <DescriptionListTerm>{title}</DescriptionListTerm>
          <DescriptionListDescription>{fact}</DescriptionListDescription>
        </DescriptionListGroup>
      ))}
    </DescriptionList>
  );
}
