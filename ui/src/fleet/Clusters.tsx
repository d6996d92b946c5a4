// `/clusters`: the managed clusters. Filters, order and nothing else are in the address; what is chosen is not.

import { PageSection, Stack, StackItem } from "@patternfly/react-core";
import { useDeferredValue, useMemo, useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { useFleet } from "../api/fleet.ts";
import { Count, DataTable } from "../parts/DataTable.tsx";
import { Head } from "../parts/Head.tsx";
import { AllHidden } from "../parts/states.tsx";
import { useAsked } from "../app/place.ts";
import { Bulk } from "./Bulk.tsx";
import { columns } from "./columns.tsx";
import { Filters } from "./Filters.tsx";
import { FirstRun } from "./FirstRun.tsx";
import { LinkButton } from "./LinkButton.tsx";
import { useRows, WithFleet } from "./live.tsx";
import { clusterPath } from "./paths.ts";
import { useFleetRole } from "./role.ts";
import { filtered, statusWords, type ClusterRow } from "./rows.ts";
import { parseSelector } from "./selector.ts";
import { useTyped } from "./useTyped.ts";
import "./fleet.css";

export function Clusters() {
  const role = useFleetRole();
  const mayChange = role === "admin";
  return (
    <>
      <Head title="Managed clusters" about={<Hint />} actions={mayChange && <LinkButton to="/clusters/new">Register a cluster</LinkButton>} />
      <PageSection className="tl-fleet"><WithFleet><List mayChange={mayChange} /></WithFleet></PageSection>
    </>
  );
}

function Hint() {
  const { byName } = useFleet();
  if (!byName.has("management")) return null;
  return (
    <span className="tl-subtle">
      The <Link to="/c/management">management cluster</Link> is not among them: the gateway runs there, and no agent does.
    </span>
  );
}

function List({ mayChange }: { mayChange: boolean }) {
  const { rows, logs } = useRows();
  const [words, setWords] = useTyped("q");
  const [label, setLabel] = useTyped("label");
  const [status, setStatus] = useAsked("status");
  const [query, setQuery] = useSearchParams();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const navigate = useNavigate();

  // What is typed is shown at once; the rows follow.
  const asked = useDeferredValue(words);
  const selector = useMemo(() => parseSelector(label), [label]);
  const shown = useMemo(
    () => filtered(rows, { words: asked, status: statusWords(status), selector: selector ?? (() => true) }),
    [rows, asked, status, selector],
  );
  // What the filter hides, or what is gone, is not acted on.
  const acted = useMemo(() => shown.filter(({ name }) => chosen.has(name)), [shown, chosen]);
  const withLogs = logs.kept === true;
  const shape = useMemo(() => columns(withLogs), [withLogs]);

  if (rows.length === 0) return <FirstRun />;
  const clear = () => {
    const sort = query.get("sort");
    setQuery(sort === null ? {} : { sort }, { replace: true });
  };
  const open = (row: ClusterRow) => void navigate(clusterPath(row.name));
  return (
    <Stack hasGutter>
      <StackItem>
        <Filters
          words={words} onWords={setWords} label={label} onLabel={setLabel} wrong={selector === null}
          status={statusWords(status)} onStatus={(next) => setStatus(next.join(","))} rows={rows} shown={shown} onClear={clear}
        />
      </StackItem>
      {mayChange && acted.length > 0 && <StackItem><Bulk rows={acted} onDone={() => setChosen(new Set())} /></StackItem>}
      <StackItem>
        <Count shown={shown.length} all={rows.length} of={rows.length === 1 ? "cluster" : "clusters"} />
        {shown.length === 0 ? <AllHidden hidden={rows.length} onClear={clear} /> : (
          <DataTable
            label="managed clusters"
            rows={shown}
            columns={shape}
            rowKey={rowName}
            onOpen={open}
            sorted="name"
            live={`${asked}\n${status}\n${label}`}
            rowLook={look}
            {...(mayChange ? { chosen: new Set(acted.map(rowName)), onChoose: setChosen } : {})}
          />
        )}
      </StackItem>
    </Stack>
  );
}

function rowName(row: ClusterRow): string {
  return row.name;
}

function look({ cluster }: ClusterRow): string | undefined {
  return cluster.status.state === "duplicate-identity" ? "bad" : undefined;
}
