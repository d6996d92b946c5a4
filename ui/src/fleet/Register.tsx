// `/clusters/new`: a name and a command, then how far it is. `?cluster=` goes on with one that is registered, so that loading the page
// anew, Back and a shared address lead to the same place; only the join token, which is in memory, is gone then.

import { Alert, Card, CardBody, CardTitle, Flex, FlexItem, Grid, GridItem, PageSection, Stack, StackItem } from "@patternfly/react-core";
import { Link, useNavigate } from "react-router";
import { titleOf, useFleet, type Cluster } from "../api/fleet.ts";
import { useAsked } from "../app/place.ts";
import { useSession } from "../app/session.tsx";
import { EnvironmentLabel, ProtectionLabel, StateLabel } from "../parts/cluster.tsx";
import { Head } from "../parts/Head.tsx";
import { Nothing } from "../parts/states.tsx";
import { Checklist } from "./Checklist.tsx";
import { LineToCopy } from "./CodeToCopy.tsx";
import { Labels } from "./columns.tsx";
import { JoinBlock } from "./JoinBlock.tsx";
import { useJoining } from "./joining.ts";
import { LinkButton } from "./LinkButton.tsx";
import { WithFleet } from "./live.tsx";
import { clusterPath, registeringPath } from "./paths.ts";
import { RegisterForm } from "./RegisterForm.tsx";
import { useFleetRole } from "./role.ts";
import "./fleet.css";

export function Register() {
  const [name] = useAsked("cluster");
  const role = useFleetRole();
  const { gateway } = useSession();
  return (
    <>
      <Head title={name === "" ? "Register a cluster" : `Register ${name}`} />
      <PageSection className="tl-fleet">
        <WithFleet>
          {role !== null && role !== "admin" ? <NotAllowed /> : !gateway.pin ? <NotIssuing /> : name === "" ? <Begin /> : <GoOn name={name} />}
        </WithFleet>
      </PageSection>
    </>
  );
}

function NotAllowed() {
  return (
    <Nothing title="You may not register clusters" action={<Link to="/clusters">Managed clusters</Link>}>
      It takes an access rule with “fleet: admin”, which members of trunkline:admins have. Ask somebody of them: “Please register a cluster for me, or give me fleet: admin.”
    </Nothing>
  );
}

function NotIssuing() {
  return (
    <Nothing title="This gateway issues no certificates">
      It has no data folder, so clusters cannot be registered here; they are declared in its file. With <code>data: DIR</code> in its configuration it could.
    </Nothing>
  );
}

function Begin() {
  const navigate = useNavigate();
  const { gateway } = useSession();
  return (
    <Grid hasGutter>
      <GridItem lg={7}>
        <RegisterForm onRegistered={(name) => void navigate(registeringPath(name), { replace: true })} />
      </GridItem>
      <GridItem lg={5}>
        <Card component="section">
          <CardTitle component="h2">What comes next</CardTitle>
          <CardBody>
            <ol className="tl-next">
              <li>You get one command, for Helm, kubectl, the command line or GitOps. Its join token is good for half an hour, once.</li>
              <li>You run it where kubectl points at the cluster. The agent dials {gateway.tunnel.join(" or ")}; nothing in the cluster listens, and no key leaves it.</li>
              <li>Here you see each step, and if one stands still, why and what to do.</li>
            </ol>
          </CardBody>
        </Card>
      </GridItem>
    </Grid>
  );
}

function GoOn({ name }: { name: string }) {
  const cluster = useFleet().byName.get(name);
  const joining = useJoining(name);
  if (cluster === undefined || cluster.status.origin !== "registry") {
    return <Nothing title={`${name} is not registered here`} action={<LinkButton to="/clusters/new">Register a cluster</LinkButton>}>It was removed, or never was.</Nothing>;
  }
  const joined = joining === null ? cluster.status.state !== "joining" : joining.done;
  return (
    <Grid hasGutter>
      <GridItem xl={7} order={{ default: joined ? "2" : "1" }}>
        <Card component="section">
          <CardTitle component="h2">{joined ? "The agent's manifest" : `Run this in ${titleOf(cluster)}`}</CardTitle>
          <CardBody><JoinBlock name={name} joined={joined} /></CardBody>
        </Card>
      </GridItem>
      <GridItem xl={5} order={{ default: joined ? "1" : "2" }}>
        <Stack hasGutter>
          <StackItem><About cluster={cluster} /></StackItem>
          {joined && <StackItem><Joined cluster={cluster} /></StackItem>}
          <StackItem>
            <Card component="section">
              <CardTitle component="h2">How far it is</CardTitle>
              <CardBody>
                {joining === null ? <p><StateLabel state={cluster.status.state} /> {cluster.status.reason}</p> : <Checklist name={name} joining={joining} mayChange />}
                {!joined && <p className="tl-subtle">You may leave this page: <Link to={clusterPath(name)}>{name}</Link> shows the same.</p>}
              </CardBody>
            </Card>
          </StackItem>
        </Stack>
      </GridItem>
    </Grid>
  );
}

function About({ cluster }: { cluster: Cluster }) {
  return (
    <Flex gap={{ default: "gapSm" }} alignItems={{ default: "alignItemsCenter" }}>
      <FlexItem><strong>{titleOf(cluster)}</strong></FlexItem>
      <FlexItem><EnvironmentLabel environment={cluster.spec.environment ?? ""} /> <ProtectionLabel protection={cluster.spec.protection} /></FlexItem>
      <FlexItem><Labels labels={cluster.metadata.labels} all /></FlexItem>
    </Flex>
  );
}

function Joined({ cluster }: { cluster: Cluster }) {
  const name = cluster.metadata.name;
  return (
    <Alert isInline variant="success" title={`${titleOf(cluster)} has joined`}>
      <p>Use it by kubectl:</p>
      <LineToCopy text={`trunkline use ${name} && kubectl get pods -A`} />
      <Flex className="tl-finish">
        <FlexItem><LinkButton to={`/c/${encodeURIComponent(name)}`}>Open {titleOf(cluster)}</LinkButton></FlexItem>
        <FlexItem><LinkButton variant="secondary" to="/clusters/new">Register another</LinkButton></FlexItem>
      </Flex>
    </Alert>
  );
}
