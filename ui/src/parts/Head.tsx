// The head of a page: its title, also in the browser's tab, what it is about in a line, and what can be done.

import { Flex, FlexItem, PageSection, Title } from "@patternfly/react-core";
import { useEffect, type ReactNode } from "react";
import { useCluster } from "../app/place.ts";

interface HeadProps {
  title: string;
  /** What the page is about, in a line. */
  about?: ReactNode;
  actions?: ReactNode;
  children?: ReactNode;
}

/** The title in the browser's tab: the page's, and the cluster it is about. */
export function usePageTitle(title: string): void {
  const cluster = useCluster();
  useEffect(() => {
    document.title = [title, cluster, "Trunkline"].filter((part) => part !== null && part !== "").join(" · ");
  }, [title, cluster]);
}

export function Head({ title, about, actions, children }: HeadProps) {
  usePageTitle(title);
  return (
    <PageSection hasBodyWrapper={false}>
      <Flex justifyContent={{ default: "justifyContentSpaceBetween" }} alignItems={{ default: "alignItemsCenter" }}>
        <FlexItem>
          <Title headingLevel="h1">{title}</Title>
          {about !== undefined && <p>{about}</p>}
        </FlexItem>
        {actions !== undefined && <FlexItem>{actions}</FlexItem>}
      </Flex>
      {children}
    </PageSection>
  );
}
