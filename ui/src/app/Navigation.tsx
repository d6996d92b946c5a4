import { Nav, NavGroup, NavItem, PageSidebar, PageSidebarBody } from "@patternfly/react-core";
import { NavLink, useLocation, useNavigate } from "react-router";
import { titleOf, useFleet } from "../api/fleet.ts";
import { useKeys } from "./keys.ts";
import { entries, type Entry } from "./pages.tsx";
import { useCurrentCluster } from "./place.ts";

/** The pages about the fleet, and those about the cluster that is worked in. */
export function Navigation() {
  const current = useCurrentCluster();
  const { byName } = useFleet();
  const cluster = byName.get(current);
  const address = (entry: Entry) => (entry.section === "fleet" ? entry.to : `/c/${encodeURIComponent(current)}${entry.to}`);
  const navigate = useNavigate();
  const keyed = [...entries("fleet"), ...entries("cluster")].filter(({ keys }) => keys !== undefined);
  useKeys(keyed.map((entry) => ({ keys: entry.keys ?? "", words: entry.title, run: () => void navigate(address(entry)) })));
  return (
    <PageSidebar>
      <PageSidebarBody>
        <Nav aria-label="Pages">
          <NavGroup title="Fleet">
            {entries("fleet").map((entry) => <Item key={entry.to} entry={entry} to={address(entry)} />)}
          </NavGroup>
          <NavGroup title={`Cluster: ${cluster === undefined ? current : titleOf(cluster)}`}>
            {entries("cluster").map((entry) => <Item key={entry.to} entry={entry} to={address(entry)} />)}
          </NavGroup>
        </Nav>
      </PageSidebarBody>
    </PageSidebar>
  );
}

function Item({ entry, to }: { entry: Entry; to: string }) {
  const { pathname, search } = useLocation();
  const [path = to, own] = to.split("?");
  // The namespace goes along from page to page of a cluster.
  const namespace = entry.section === "cluster" ? new URLSearchParams(search).get("ns") : null;
  const query = new URLSearchParams(own);
  if (namespace !== null) query.set("ns", namespace);
  const exact = entry.to === "/" || entry.to === "";
  const active = exact ? pathname === path || pathname === `${path}/` : pathname === path || pathname.startsWith(`${path}/`);
  return (
    <NavItem isActive={active}>
      <NavLink to={{ pathname: path, search: query.toString() }} end={exact}>{entry.title}</NavLink>
    </NavItem>
  );
}
