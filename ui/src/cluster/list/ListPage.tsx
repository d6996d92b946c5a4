// The list of one kind, by its address.

import { Button, PageSection } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { Link, useParams } from "react-router";
import { useFleet } from "../../api/fleet.ts";
import { isReadOnly } from "../../parts/cluster.tsx";
import { Head } from "../../parts/Head.tsx";
import { useKind } from "../kind.ts";
import { groupOf, pluralOf, type Named } from "../places.ts";
import { useMay } from "../rights.ts";
import { ResourceList } from "./ResourceList.tsx";

export function ListPage() {
  const { cluster = "", group = "", version = "", resource = "" } = useParams();
  const of = { group: groupOf(group), version, resource };
  const { kind } = useKind(cluster, of);
  const title = kind === null ? resource.charAt(0).toUpperCase() + resource.slice(1) : pluralOf(kind.kind, resource);
  return (
    <ListHead cluster={cluster} of={of} title={title} {...(of.group === "" ? {} : { about: `${of.group}/${version}` })}>
      <ResourceList cluster={cluster} of={of} />
    </ListHead>
  );
}

interface ListHeadProps {
  cluster: string;
  of?: Named;
  title: string;
  about?: string;
  children: ReactNode;
}

/** A list beneath its title, and the way to a new object where one may make it. */
export function ListHead({ cluster, of, title, about, children }: ListHeadProps) {
  const may = useMay(cluster, "");
  const readOnly = isReadOnly(useFleet().byName.get(cluster));
  const creates = !readOnly && (of === undefined || may({ verb: "create", group: of.group, resource: of.resource }));
  const to = `/c/${encodeURIComponent(cluster)}/create`;
  return (
    <>
      <Head
        title={title}
        about={about}
        actions={creates ? <Button variant="secondary" component={(props: object) => <Link {...props} to={to} />}>Create</Button> : undefined}
      />
      <PageSection hasBodyWrapper={false} isFilled>{children}</PageSection>
    </>
  );
}
