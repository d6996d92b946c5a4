// Before there is a cluster: the one thing to do, and what comes after it.

import { Card, CardBody, CardFooter, CardTitle, ProgressStep, ProgressStepper, Stack, StackItem } from "@patternfly/react-core";
import { useSession } from "../app/session.tsx";
import { LinkButton } from "./LinkButton.tsx";
import { useFleetRole } from "./role.ts";

const STEPS = [
  { title: "Register a cluster", words: "Give it a name. You get one command." },
  { title: "Run the command there", words: "The agent dials out; nothing in the cluster listens." },
  { title: "Use it", words: "Here, and by kubectl through the gateway." },
];

export function FirstRun() {
  const role = useFleetRole();
  const { gateway } = useSession();
  return (
    <Stack hasGutter>
      {role === "admin" && <StackItem><Steps /></StackItem>}
      <StackItem>
        <Card component="section">
          <CardTitle component="h2">{role === "none" ? "You reach no cluster yet" : "There is no managed cluster yet"}</CardTitle>
          {role === "admin" ? (
            <>
              <CardBody>It takes about a minute, and no key ever leaves the cluster. Agents come to {gateway.tunnel.join(" or ")}.</CardBody>
              <CardFooter><LinkButton to="/clusters/new">Register a cluster</LinkButton></CardFooter>
            </>
          ) : (
            <CardBody>
              {role === "viewer" && "Somebody who may change the fleet registers one: a member of trunkline:admins, or whom an access rule gives fleet: admin."}
              {role === "none" && "No access rule lets you reach a cluster. Ask somebody who may change the fleet for a rule that names you or one of your groups."}
            </CardBody>
          )}
        </Card>
      </StackItem>
    </Stack>
  );
}

function Steps() {
  return (
    <ProgressStepper aria-label="How to begin">
      {STEPS.map(({ title, words }, at) => (
        <ProgressStep
          key={title}
          id={`begin-${at}`}
          titleId={`begin-${at}-title`}
          variant={at === 0 ? "info" : "pending"}
          isCurrent={at === 0}
          description={words}
          aria-label={`step ${at + 1}`}
        >
          {title}
        </ProgressStep>
      ))}
    </ProgressStepper>
  );
}
