// A page that collects kinds: Network, Config, Storage. One tab for each that the cluster serves.

import { Nav, NavItem, NavList } from "@patternfly/react-core";
import { Link, useLocation, useParams } from "react-router";
import { find, useDiscovery } from "../../api/discovery.ts";
import { groupResource, SECTIONS, type SectionName } from "../places.ts";
import { ListHead } from "./ListPage.tsx";
import { ResourceList } from "./ResourceList.tsx";

export function SectionPage({ section }: { section: SectionName }) {
  const { cluster = "", kind = "" } = useParams();
  const { search } = useLocation();
  const { data } = useDiscovery(cluster);
  const { title, kinds } = SECTIONS[section];
  // As long as nothing is known, all are there; what an old address names stays.
  const served = kinds.filter((one) => data === undefined || find(data, one.group, one.resource) !== undefined);
  const chosen = kinds.find((one) => groupResource(one) === kind) ?? served[0] ?? kinds[0];
  if (chosen === undefined) return null;
  const found = find(data, chosen.group, chosen.resource);
  const of = { group: chosen.group, resource: chosen.resource, version: found?.version ?? chosen.version };
  const namespace = new URLSearchParams(search).get("ns");
  return (
    <ListHead cluster={cluster} of={of} title={title}>
      <Nav variant="horizontal-subnav" aria-label={`Kinds of ${title}`}>
        <NavList>
          {served.map((one) => (
            <NavItem key={groupResource(one)} isActive={one === chosen}>
              <Link
                to={{ pathname: `/c/${encodeURIComponent(cluster)}/${section}/${groupResource(one)}`, search: namespace === null ? "" : `ns=${encodeURIComponent(namespace)}` }}
                {...(one === chosen ? { "aria-current": "page" as const } : {})}
              >
                {one.title}
              </Link>
            </NavItem>
          ))}
        </NavList>
      </Nav>
      <ResourceList cluster={cluster} of={of} />
    </ListHead>
  );
}

export function NetworkPage() {
  return <SectionPage section="network" />;
}

export function ConfigPage() {
  return <SectionPage section="config" />;
}

export function StoragePage() {
  return <SectionPage section="storage" />;
}
