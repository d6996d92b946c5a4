// "Why can't I?": asks the gateway whether somebody may do something somewhere, by which rule, and what every other rule says.
// For oneself the cluster is asked as well, since its own RBAC decides after the gateway.

import {
  ActionGroup, Alert, Button, ClipboardCopy, Form, FormGroup, Grid, GridItem, List, ListItem, PageSection, TextInput,
} from "@patternfly/react-core";
import { useMutation } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useSearchParams } from "react-router";
import { rest, take, type Shapes } from "../api/client.ts";
import { asFault } from "../api/fault.ts";
import { kube } from "../api/kube.ts";
import { useCurrentCluster } from "../app/place.ts";
import { useSession } from "../app/session.tsx";
import { Head } from "../parts/Head.tsx";

interface Answer {
  gateway: Shapes["AccessAnswer"];
  /** What the cluster says of oneself; null when somebody else is asked about. */
  cluster: { allowed: boolean; reason: string } | null;
}

interface Question {
  user: string;
  groups: string;
  cluster: string;
  verb: string;
  resource: string;
  namespace: string;
  name: string;
}

const LABELS: Record<keyof Question, string> = {
  user: "User", groups: "Groups, separated by commas", cluster: "Cluster", verb: "Verb", resource: "Resource", namespace: "Namespace", name: "Name",
};

async function ask(question: Question, oneself: boolean): Promise<Answer> {
  const groups = question.groups.split(",").map((group) => group.trim()).filter((group) => group !== "");
  const gateway = await take(rest.POST("/trunkline/v1/access/test", { body: { ...question, groups } }));
  if (!oneself || !gateway.allowed) return { gateway, cluster: null };
  const [resourceAndGroup = "", subresource] = question.resource.split("/");
  const [resource = "", ...group] = resourceAndGroup.split(".");
  const { verb, namespace, name } = question;
  const review = await kube<{ status?: { allowed?: boolean; reason?: string } }>(
    question.cluster,
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    {
      method: "POST",
      body: {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes: { verb, resource, group: group.join("."), subresource, namespace, name } },
      },
    },
  );
  return { gateway, cluster: { allowed: review.status?.allowed ?? false, reason: review.status?.reason ?? "" } };
}

export function Test() {
  const [query] = useSearchParams();
  const { who } = useSession();
  const current = useCurrentCluster();
  const [question, setQuestion] = useState<Question>({
    user: query.get("user") ?? who.user,
    groups: query.get("groups") ?? who.groups.join(", "),
    cluster: query.get("cluster") ?? current,
    verb: query.get("verb") ?? "get",
    resource: query.get("resource") ?? "pods",
    namespace: query.get("namespace") ?? "",
    name: query.get("name") ?? "",
  });
  const test = useMutation({ mutationFn: () => ask(question, question.user === who.user) });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    test.mutate();
  };
  const command = ["trunkline access test", question.user, question.cluster, question.verb, question.resource, question.name]
    .concat(question.namespace === "" ? [] : ["-n", question.namespace])
    .filter((word) => word !== "")
    .join(" ");
  return (
    <>
      <Head title="Why can't I?" about="Asks the gateway's rules, and for yourself the cluster's own RBAC as well. Nothing is done." />
      <PageSection hasBodyWrapper={false}>
        <Form onSubmit={submit} isWidthLimited>
          <Grid hasGutter md={6}>
          {(Object.keys(LABELS) as (keyof Question)[]).map((key) => (
            <GridItem key={key}>
              <FormGroup label={LABELS[key]} fieldId={`test-${key}`}>
                <TextInput id={`test-${key}`} value={question[key]} onChange={(_, value) => setQuestion({ ...question, [key]: value })} />
              </FormGroup>
            </GridItem>
          ))}
          </Grid>
          <ActionGroup><Button type="submit" isLoading={test.isPending} isDisabled={test.isPending}>Ask</Button></ActionGroup>
          <FormGroup label="The same on the command line">
            <ClipboardCopy isReadOnly isCode hoverTip="Copy" clickTip="Copied">{command}</ClipboardCopy>
          </FormGroup>
        </Form>
        <div role="status">
          {test.isError && <Alert isInline variant="danger" title="Not answered">{asFault(test.error).words}</Alert>}
          {test.data !== undefined && <Verdict answer={test.data} cluster={question.cluster} />}
        </div>
      </PageSection>
    </>
  );
}

function Verdict({ answer: { gateway, cluster }, cluster: name }: { answer: Answer; cluster: string }) {
  return (
    <>
      <Alert isInline variant={gateway.allowed ? "success" : "danger"} title={gateway.allowed ? `The gateway says yes, by the rule ${gateway.rule ?? ""}` : "The gateway says no"}>
        {gateway.why}
        {gateway.user !== null && gateway.user !== undefined && <p>It goes on as {gateway.user}{(gateway.groups ?? []).length > 0 ? `, in ${(gateway.groups ?? []).join(", ")}` : ""}.</p>}
      </Alert>
      {cluster !== null && (
        <Alert isInline variant={cluster.allowed ? "success" : "danger"} title={cluster.allowed ? `${name} says yes` : `${name} says no: its own RBAC`}>
          {cluster.reason || (cluster.allowed ? "" : "No Role or ClusterRole that is bound to you there allows it.")}
        </Alert>
      )}
      {(gateway.considered ?? []).length > 0 && (
        <List isPlain>
          {(gateway.considered ?? []).map((one) => (
            <ListItem key={one.rule}><strong>{one.rule}</strong>: {one.allows ? "allows" : (one.why ?? "does not fit")}</ListItem>
          ))}
        </List>
      )}
    </>
  );
}
