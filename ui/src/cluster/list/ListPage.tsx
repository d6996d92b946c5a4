// The list of one kind, by its address.

import { Button, Content, Flex, FlexItem, PageSection, Title } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { Link, useParams } from "react-router";
import { useFleet } from "../../api/fleet.ts";
import { isReadOnly } from "../../parts/cluster.tsx";
import { useKind } from "../kind.ts";
import { groupOf, type Named } from "../places.ts";
import { useMay } from "../rights.ts";
import { ResourceList } from "./ResourceList.tsx";

export function ListPage() {
  const { cluster = "", group = "", version = "", resource = "" } = useParams();
  return <KindPage cluster={cluster} of={{ group: groupOf(group), version, resource }} />;
}

export function KindPage({ cluster, of, title }: { cluster: string; of: Named; title?: string }) {
  const { kind } = useKind(cluster, of);
  return (
    <PageSection isFilled>
      <Head cluster={cluster} of={of} title={title ?? kind?.kind ?? of.resource}>
        {of.group !== "" && title === undefined && <Content component="small">{of.group}/{of.version}</Content>}
      </Head>
      <ResourceList cluster={cluster} of={of} />
    </PageSection>
  );
}

/** The title of a list, and the way to a new object where one may make it. */
export function Head({ cluster, of, title, children }: { cluster: string; of?: Named; title: string; children?: ReactNode }) {
  const may = useMay(cluster, "");
  const readOnly = isReadOnly(useFleet().byName.get(cluster));
  const creates = !readOnly && (of === undefined || may({ verb: "create", group: of.group, resource: of.resource }));
  return (
    <Flex justifyContent={{ default: "justifyContentSpaceBetween" }} alignItems={{ default: "alignItemsCenter" }}>
      <FlexItem>
        <Title headingLevel="h1" size="xl">{title}</Title>
        {children}
      </FlexItem>
      {creates && (
        <FlexItem>
          <Button variant="secondary" component={(props: object) => <Link {...props} to={`/c/${encodeURIComponent(cluster)}/create`} />}>Create</Button>
        </FlexItem>
      )}
    </Flex>
  );
}
