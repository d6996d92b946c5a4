// Ways to sign in, as the gateway's file has them, and the local users, who are made and removed here.

import { Alert, Button, Form, FormGroup, Label, PageSection, TextInput } from "@patternfly/react-core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { rest, take, type Shapes } from "../api/client.ts";
import { asFault } from "../api/fault.ts";
import { Confirm } from "../parts/Confirm.tsx";
import { DataTable, type DataColumn } from "../parts/DataTable.tsx";
import { Facts } from "../parts/Facts.tsx";
import { Asked } from "../parts/states.tsx";
import { Age } from "../parts/time.tsx";

type User = Shapes["LocalUser"];

export function SignIns() {
  const methods = useQuery({ queryKey: ["sign-in methods"], queryFn: () => take(rest.GET("/trunkline/v1/auth/methods")) });
  return (
    <Asked query={methods} of="the ways to sign in">
      {(ways) => (
        <>
          <Facts
            facts={[
              ["Issuers", ways.issuers.length === 0 ? "none" : ways.issuers.map((issuer) => <div key={issuer.name}>{issuer.name}: <code>{issuer.url}</code></div>)],
              ["Service accounts", ways.serviceAccounts ? "of the management cluster" : "no"],
              ["Local users", ways.local ? "yes" : "no"],
            ]}
          />
          {ways.local && <Users />}
        </>
      )}
    </Asked>
  );
}

function Users() {
  const [removing, setRemoving] = useState<User | null>(null);
  const queries = useQueryClient();
  const users = useQuery({ queryKey: ["users"], queryFn: () => take(rest.GET("/trunkline/v1/auth/users")) });
  const columns: DataColumn<User>[] = [
    { key: "name", title: "Name", cell: (user) => user.name, sort: (user) => user.name },
    { key: "groups", title: "Groups", cell: (user) => user.groups.map((group) => <Label key={group} isCompact>{group}</Label>) },
    { key: "created", title: "Made", cell: (user) => <Age of={user.created} ago />, sort: (user) => user.created },
  ];
  return (
    <PageSection hasBodyWrapper={false}>
      <h2>Local users</h2>
      <p>For a trial, and for when the issuer is away.</p>
      <Asked query={users} of="the local users">
        {({ items }) => (
          <DataTable
            label="Local users"
            rows={items}
            columns={columns}
            rowKey={(user) => user.name}
            sorted="name"
            actions={(user) => <Button variant="link" isInline onClick={() => setRemoving(user)}>Remove</Button>}
          />
        )}
      </Asked>
      <NewUser />
      {removing !== null && (
        <Confirm
          title={`Remove ${removing.name}`}
          verb="Remove"
          typed={removing.name}
          run={async () => {
            await rest.DELETE("/trunkline/v1/auth/users/{name}", { params: { path: { name: removing.name } } });
            await queries.invalidateQueries({ queryKey: ["users"] });
          }}
          onClose={() => setRemoving(null)}
        >
          All sessions of {removing.name} end at once.
        </Confirm>
      )}
    </PageSection>
  );
}

function NewUser() {
  const [name, setName] = useState("");
  const [groups, setGroups] = useState("trunkline:viewers");
  const [password, setPassword] = useState("");
  const [fault, setFault] = useState("");
  const queries = useQueryClient();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setFault("");
    try {
      const of = groups.split(",").map((group) => group.trim()).filter((group) => group !== "");
      await rest.POST("/trunkline/v1/auth/users", { body: { name, groups: of, password } });
      setName("");
      setPassword("");
      await queries.invalidateQueries({ queryKey: ["users"] });
    } catch (error) {
      setFault(asFault(error).detail);
    }
  };
  return (
    <Form onSubmit={(event) => void submit(event)} isWidthLimited>
      {fault !== "" && <Alert isInline variant="danger" title={fault} role="alert" />}
      <FormGroup label="New user" fieldId="new-user"><TextInput id="new-user" isRequired value={name} onChange={(_, value) => setName(value)} /></FormGroup>
      <FormGroup label="Groups" fieldId="new-groups"><TextInput id="new-groups" value={groups} onChange={(_, value) => setGroups(value)} /></FormGroup>
      <FormGroup label="Password, 12 characters and more" fieldId="new-password">
        <TextInput id="new-password" type="password" autoComplete="new-password" minLength={12} isRequired value={password} onChange={(_, value) => setPassword(value)} />
      </FormGroup>
      <Button type="submit" variant="secondary">Add user</Button>
    </Form>
  );
}
