// `/clusters/:name`: all that the gateway knows of a cluster, and what can be done with it. Which part is shown is in the address.

import {
  Alert, Button, Card, CardBody, CardTitle, Dropdown, DropdownItem, DropdownList, Flex, MenuToggle, PageSection, Stack, StackItem, Tab, Tabs, TabTitleText,
} from "@patternfly/react-core";
import { useState, type ReactNode } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { MANAGEMENT, titleOf, useFleet, type Cluster } from "../api/fleet.ts";
import { useKeys } from "../app/keys.ts";
import { useAsked } from "../app/place.ts";
import { EnvironmentLabel, ProtectionLabel, StateLabel } from "../parts/cluster.tsx";
import { Head } from "../parts/Head.tsx";
import { harmless } from "../parts/text.ts";
import { Nothing } from "../parts/states.tsx";
import { Checklist } from "./Checklist.tsx";
import { EditDialog } from "./EditDialog.tsx";
import { useJoining } from "./joining.ts";
import { LinkButton } from "./LinkButton.tsx";
import { useRows, WithFleet } from "./live.tsx";
import { LockDialog, UnlockDialog } from "./LockDialog.tsx";
import { RotateDialog } from "./RotateDialog.tsx";
import { About } from "./one/About.tsx";
import { Install } from "./one/Install.tsx";
import { Links } from "./one/Links.tsx";
import { Logs } from "./one/Logs.tsx";
import { SessionsIn } from "./one/SessionsIn.tsx";
import { Way } from "./one/Way.tsx";
import { RemoveDialog } from "./RemoveDialog.tsx";
import { useFleetRole } from "./role.ts";
import type { ClusterRow } from "./rows.ts";
import "./fleet.css";

export function ClusterPage() {
  const { name = "" } = useParams();
  return <WithFleet><Found key={name} name={name} /></WithFleet>;
}

function Found({ name }: { name: string }) {
  const { byName } = useFleet();
  const { rows, logs } = useRows();
  const row = rows.find((one) => one.name === name);
  const [last, setLast] = useState<Cluster | null>(null);
  const cluster = byName.get(name);
  if (cluster !== undefined && cluster !== last) setLast(cluster);
  if (row !== undefined) return <One row={row} withLogs={logs.kept === true} />;
  if (name === MANAGEMENT) {
    return <Nothing title="The management cluster is not managed from here" action={<Link to="/c/management">Open it</Link>}>The gateway runs there, and no agent does.</Nothing>;
  }
  return (
    <Nothing title={last === null ? `There is no cluster ${name}` : `${name} was removed`} action={<Link to="/clusters">Managed clusters</Link>}>
      {last === null ? "It is not registered, or no access rule lets you reach it." : "Whoever used it was cut, and its agent is turned away. The same name registered again is another cluster."}
    </Nothing>
  );
}

type Part = { key: string; title: string; body: (row: ClusterRow) => ReactNode };

function partsOf(row: ClusterRow, withLogs: boolean, mayChange: boolean): Part[] {
  const registered = row.cluster.status.origin === "registry";
  return [
    { key: "", title: "About", body: (one) => <About cluster={one.cluster} /> },
    { key: "way", title: "Troubleshoot", body: ({ name }) => <Way name={name} /> },
    { key: "links", title: "Links and certificate", body: (one) => <Links row={one} /> },
    ...(withLogs ? [{ key: "logs", title: "Logs", body: ({ name }: ClusterRow) => <Logs name={name} /> }] : []),
    { key: "sessions", title: "Sessions", body: ({ name }) => <SessionsIn name={name} /> },
    ...(registered && mayChange ? [{ key: "install", title: "Agent", body: (one: ClusterRow) => <Install row={one} /> }] : []),
  ];
}

function One({ row, withLogs }: { row: ClusterRow; withLogs: boolean }) {
  const { cluster, name } = row;
  const { state, reason = "" } = cluster.status;
  const mayChange = useFleetRole() === "admin";
  const joining = useJoining(name);
  const [asked, setAsked] = useAsked("show");
  const parts = partsOf(row, withLogs, mayChange);
  const part = parts.find(({ key }) => key === asked) ?? parts[0];
  const step = (by: number) => {
    const at = parts.findIndex((one) => one === part);
    setAsked(parts[(at + by + parts.length) % parts.length]?.key ?? "");
  };
  useKeys([
    { keys: "[", words: "The tab before", run: () => step(-1) },
    { keys: "]", words: "The next tab", run: () => step(1) },
  ]);
  const showsJoining = joining !== null && (!joining.done || state === "joining");
  return (
    <>
      <Top cluster={cluster} mayChange={mayChange} />
      <PageSection className="tl-fleet">
        <Stack hasGutter>
          {reason !== "" && !showsJoining && (
            <StackItem>
              <Alert isInline variant={state === "duplicate-identity" ? "danger" : state === "degraded" || state === "disconnected" ? "warning" : "info"} title={harmless(reason)}>
                {(state === "degraded" || state === "disconnected") && asked !== "way" && <Link to="?show=way">See where it stops</Link>}
              </Alert>
            </StackItem>
          )}
          {showsJoining && (
            <StackItem>
              <Card component="section">
                <CardTitle component="h2">How its joining goes</CardTitle>
                <CardBody>
                  <Checklist name={name} joining={joining} mayChange={mayChange} />
                  {mayChange && asked !== "install" && <Link to="?show=install">What to run in the cluster</Link>}
                </CardBody>
              </Card>
            </StackItem>
          )}
          <StackItem>
            <Tabs activeKey={part?.key ?? ""} onSelect={(_, key) => setAsked(String(key))} aria-label={`What is known of ${name}`} mountOnEnter unmountOnExit>
              {parts.map(({ key, title, body }) => (
                <Tab key={key} eventKey={key} title={<TabTitleText>{title}</TabTitleText>}><div className="tl-part">{body(row)}</div></Tab>
              ))}
            </Tabs>
          </StackItem>
        </Stack>
      </PageSection>
    </>
  );
}

type Doing = "edit" | "lock" | "unlock" | "rotate" | "remove";

function Top({ cluster, mayChange }: { cluster: Cluster; mayChange: boolean }) {
  const [doing, setDoing] = useState<Doing | null>(null);
  const [open, setOpen] = useState(false);
  const navigate = useNavigate();
  const name = cluster.metadata.name;
  const title = titleOf(cluster);
  const locked = cluster.status.state === "locked";
  const declared = cluster.status.origin === "file";
  const close = () => setDoing(null);
  return (
    <>
      <Head
        title={title}
        about={(
          <Flex component="span" gap={{ default: "gapSm" }} alignItems={{ default: "alignItemsCenter" }}>
            <Link to="/clusters">Managed clusters</Link>
            {title !== name && <span className="tl-subtle">{name}</span>}
            <StateLabel state={cluster.status.state} />
            <EnvironmentLabel environment={cluster.spec.environment ?? ""} />
            <ProtectionLabel protection={cluster.spec.protection} />
          </Flex>
        )}
        actions={(
          <Flex gap={{ default: "gapSm" }} alignItems={{ default: "alignItemsCenter" }}>
            {mayChange && declared && <small className="tl-subtle">It stands in the gateway's file, and is changed there.</small>}
            {cluster.status.state !== "joining" && !locked && <LinkButton to={`/c/${encodeURIComponent(name)}`}>Open</LinkButton>}
            {mayChange && !declared && <Button variant="secondary" onClick={() => setDoing("edit")}>Edit</Button>}
            {mayChange && !declared && (
              <Dropdown
                isOpen={open}
                onOpenChange={setOpen}
                onSelect={() => setOpen(false)}
                shouldFocusFirstItemOnOpen
                shouldFocusToggleOnSelect
                popperProps={{ position: "right" }}
                toggle={(ref) => <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)}>Actions</MenuToggle>}
              >
                <DropdownList>
                  {locked
                    ? <DropdownItem key="unlock" onClick={() => setDoing("unlock")}>Unlock</DropdownItem>
                    : <DropdownItem key="lock" onClick={() => setDoing("lock")}>Lock</DropdownItem>}
                  {cluster.status.state !== "joining" && <DropdownItem key="rotate" onClick={() => setDoing("rotate")}>New certificates</DropdownItem>}
                  <DropdownItem key="join" onClick={() => void navigate("?show=install")}>New join token or manifest</DropdownItem>
                  <DropdownItem key="remove" isDanger onClick={() => setDoing("remove")}>Remove</DropdownItem>
                </DropdownList>
              </Dropdown>
            )}
          </Flex>
        )}
      />
      {doing === "edit" && <EditDialog cluster={cluster} onClose={close} />}
      {doing === "lock" && <LockDialog cluster={cluster} onClose={close} />}
      {doing === "unlock" && <UnlockDialog cluster={cluster} onClose={close} />}
      {doing === "rotate" && <RotateDialog cluster={cluster} onClose={close} />}
      {doing === "remove" && <RemoveDialog cluster={cluster} onClose={close} />}
    </>
  );
}
