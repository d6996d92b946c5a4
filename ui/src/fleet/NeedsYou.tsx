// What needs somebody now: each with its reason and the one thing to do about it.

import { Card, CardBody, CardHeader, CardTitle, EmptyState, EmptyStateBody } from "@patternfly/react-core";
import { CheckCircleIcon, ExclamationCircleIcon, ExclamationTriangleIcon, InfoCircleIcon } from "@patternfly/react-icons";
import type { ComponentType } from "react";
import { Link } from "react-router";
import { titleOf } from "../api/fleet.ts";
import { EnvironmentLabel } from "../parts/cluster.tsx";
import { harmless } from "../parts/text.ts";
import { Age } from "../parts/time.tsx";
import type { Need, NeedGroup } from "./needs.ts";

const ICONS: Record<NeedGroup["look"], [ComponentType, string]> = {
  danger: [ExclamationCircleIcon, "urgent"],
  warning: [ExclamationTriangleIcon, "warning"],
  info: [InfoCircleIcon, "for when there is time"],
};

export function NeedsYou({ groups }: { groups: NeedGroup[] }) {
  return (
    <Card component="section" aria-labelledby="needs-you">
      <CardHeader><CardTitle component="h2" id="needs-you">What needs you now</CardTitle></CardHeader>
      <CardBody>
        {groups.length === 0 ? (
          <EmptyState titleText="Nothing" headingLevel="h3" icon={CheckCircleIcon} status="success" variant="sm">
            <EmptyStateBody>Every cluster is connected or locked, and no agent, certificate or log stays behind.</EmptyStateBody>
          </EmptyState>
        ) : groups.map((group) => <Group key={group.kind} group={group} />)}
      </CardBody>
    </Card>
  );
}

function Group({ group }: { group: NeedGroup }) {
  const [Icon, words] = ICONS[group.look];
  return (
    <section className="tl-need-group" aria-label={group.title}>
      <h3 className="tl-need-title" data-look={group.look}>
        <Icon /><span className="pf-v6-screen-reader">{words}: </span>
        <span>{group.title}</span>
      </h3>
      <ul className="tl-needs">
        {group.needs.map((need) => <Item key={need.cluster?.metadata.name ?? ""} need={need} group={group} />)}
      </ul>
      {group.count > group.needs.length && <Link to={group.all}>All {group.count.toLocaleString("en")}</Link>}
    </section>
  );
}

function Item({ need, group }: { need: Need; group: NeedGroup }) {
  const { cluster, reason, since } = need;
  const to = group.to(need);
  const name = cluster === null ? "" : titleOf(cluster);
  return (
    <li className="tl-need">
      <div className="tl-need-what">
        {cluster !== null && <><Link to={to}><strong>{name}</strong></Link> <EnvironmentLabel environment={cluster.spec.environment ?? ""} /></>}
        {since !== null && <small className="tl-subtle"> <Age of={since} ago /></small>}
        <div className="tl-need-why">{harmless(reason)}</div>
      </div>
      <Link to={to} className="tl-need-do">{group.action}<span className="pf-v6-screen-reader"> {name}</span></Link>
    </li>
  );
}
