// Who may not list a kind everywhere may perhaps do so in some namespaces: those are offered, or one is typed.

import { Button, Form, FormGroup, List, ListItem, Stack, StackItem, TextInput } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { Link } from "react-router";
import type { Fault } from "../../api/fault.ts";
import { kube, NAMESPACES, resourcePath, type KubeObject } from "../../api/kube.ts";
import { useNamespace } from "../../app/place.ts";
import { Failed } from "../../parts/states.tsx";
import { groupResource, type Named } from "../places.ts";

const REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
/** So many namespaces are asked about. */
const MOST_ASKED = 60;
const AT_ONCE = 6;

async function mayList(cluster: string, of: Named, namespace: string, signal: AbortSignal): Promise<boolean> {
  const resourceAttributes = { verb: "list", group: of.group, resource: of.resource, namespace };
  const body = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec: { resourceAttributes } };
  const answer = await kube<{ status?: { allowed?: boolean } }>(cluster, REVIEW, { method: "POST", body, signal });
  return answer.status?.allowed === true;
}

/** The namespaces in which a kind may be listed, among the first there are. */
async function where(cluster: string, of: Named, signal: AbortSignal): Promise<string[]> {
  const list = await kube<{ items: KubeObject[] }>(cluster, resourcePath(NAMESPACES), { query: { limit: MOST_ASKED }, signal });
  const names = list.items.map(({ metadata }) => metadata.name);
  const found: string[] = [];
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const some = names.slice(at, at + AT_ONCE);
    const answers = await Promise.all(some.map((name) => mayList(cluster, of, name, signal)));
    found.push(...some.filter((_, index) => answers[index]));
  }
  return found;
}

export function ForbiddenEverywhere({ cluster, of, fault, onRetry }: { cluster: string; of: Named; fault: Fault; onRetry: () => void }) {
  const [, choose] = useNamespace();
  const [text, setText] = useState("");
  const id = useId();
  const places = useQuery({
    queryKey: ["may list", cluster, groupResource(of)],
    queryFn: ({ signal }) => where(cluster, of, signal),
    retry: false,
  });
  return (
    <Stack hasGutter>
      <StackItem><Failed error={fault} cluster={cluster} onRetry={onRetry} /></StackItem>
      <StackItem>
        <h3>{places.data === undefined || places.data.length === 0 ? "Perhaps in one namespace" : `You may list ${of.resource} in`}</h3>
        {places.data !== undefined && places.data.length > 0 && (
          <List isPlain>
            {places.data.map((name) => <ListItem key={name}><Link to={{ search: `ns=${encodeURIComponent(name)}` }}>{name}</Link></ListItem>)}
          </List>
        )}
      </StackItem>
      <StackItem>
        <Form isHorizontal onSubmit={(event) => { event.preventDefault(); if (text.trim() !== "") choose(text.trim()); }}>
          <FormGroup label="Namespace" fieldId={id}>
            <TextInput id={id} value={text} onChange={(_, value) => setText(value)} spellCheck={false} />
            <Button type="submit" variant="secondary" isDisabled={text.trim() === ""}>Look there</Button>
          </FormGroup>
        </Form>
      </StackItem>
    </Stack>
  );
}
