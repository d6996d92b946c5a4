// The fleet by a label: where the trouble is.

import { Card, CardBody, CardHeader, CardTitle } from "@patternfly/react-core";
import { useMemo } from "react";
import { Link } from "react-router";
import { useAsked } from "../app/place.ts";
import { labelKeys } from "../app/search.ts";
import { stateWords } from "../parts/cluster.tsx";
import { count } from "../parts/numbers.ts";
import { BY_ENVIRONMENT, byLabel, groupPath, type ValueGroup } from "./grouping.ts";
import type { ClusterRow } from "./rows.ts";

export function ByLabel({ rows }: { rows: ClusterRow[] }) {
  const [label, setLabel] = useAsked("by", BY_ENVIRONMENT);
  const keys = useMemo(() => labelKeys(rows.map(({ cluster }) => cluster)), [rows]);
  const { groups, more } = useMemo(() => byLabel(rows, label), [rows, label]);
  return (
    <Card component="section" aria-labelledby="by-label">
      <CardHeader
        actions={{
          hasNoOffset: true,
          actions: (
            <label className="tl-by">
              By{" "}
              <select value={label} onChange={(event) => setLabel(event.target.value)}>
                <option value={BY_ENVIRONMENT}>environment</option>
                {/* A label of the address that no cluster has any more is shown as what it is. */}
                {[...new Set([...keys, ...(label === BY_ENVIRONMENT ? [] : [label])])].map((key) => <option key={key}>{key}</option>)}
              </select>
            </label>
          ),
        }}
      >
        <CardTitle component="h2" id="by-label">Where</CardTitle>
      </CardHeader>
      <CardBody>
        <ul className="tl-groups" aria-label={`Clusters by ${label === BY_ENVIRONMENT ? "environment" : label}`}>
          {groups.map((group) => <Value key={group.value} group={group} label={label} />)}
        </ul>
        {more > 0 && <p className="tl-subtle">{count(more)} more values are not shown.</p>}
      </CardBody>
    </Card>
  );
}

function Value({ group, label }: { group: ValueGroup; label: string }) {
  const to = groupPath(label, group.value);
  const title = group.value === "" ? `no ${label === BY_ENVIRONMENT ? "environment" : label}` : group.value;
  return (
    <li className="tl-group">
      <span className="tl-group-name">{to === null ? title : <Link to={to}>{title}</Link>}</span>
      <span className="tl-group-count">{count(group.rows.length)}</span>
      <span className="tl-shares" aria-hidden>
        {group.states.map(({ state, count: own }) => <span key={state} data-state={state} style={{ flexGrow: own }} />)}
      </span>
      <span className="tl-group-words">
        {group.states.map(({ state, count: own }) => `${count(own)} ${stateWords(state).toLowerCase()}`).join(", ")}
      </span>
    </li>
  );
}
