// Signing in: by an issuer, as a local user, or with the code of the first run. Whoever was cut off hears why.

import {
  Alert, Button, Divider, Form, FormAlert, FormGroup, LoginMainBody, LoginMainHeader, Stack, StackItem, TextInput,
} from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { rest, take, type Shapes } from "../api/client.ts";
import { asFault } from "../api/fault.ts";
import { Asked } from "../parts/states.tsx";

export function SignIn({ why, onSignedIn }: { why: string; onSignedIn: () => void }) {
  const methods = useQuery({
    queryKey: ["sign-in methods"],
    queryFn: () => take(rest.GET("/trunkline/v1/auth/methods")),
    staleTime: 0,
  });
  return (
    <main className="tl-sign-in">
      <LoginMainHeader title="Trunkline" subtitle="Sign in to reach your clusters" />
      <LoginMainBody>
        <Stack hasGutter>
          {why !== "" && (
            <StackItem><Alert isInline variant="warning" title="Your session ended">{why}</Alert></StackItem>
          )}
          <Asked query={methods} of="the ways to sign in">
            {(ways) => <Ways ways={ways} onSignedIn={onSignedIn} />}
          </Asked>
        </Stack>
      </LoginMainBody>
    </main>
  );
}

function Ways({ ways, onSignedIn }: { ways: Shapes["SignInMethods"]; onSignedIn: () => void }) {
  // The address as it is now, within /ui/, is what comes after.
  const back = `${location.pathname}${location.search}`;
  return (
    <>
      {ways.issuers.map((issuer) => (
        <StackItem key={issuer.name}>
          <Button
            isBlock
            component="a"
            href={`/trunkline/v1/auth/login?${new URLSearchParams({ issuer: issuer.name, return: back }).toString()}`}
          >
            Sign in with {issuer.name}
          </Button>
        </StackItem>
      ))}
      {ways.issuers.length > 0 && (ways.local || ways.setup) && <Divider />}
      {(ways.local || ways.setup) && <StackItem><Local setup={ways.setup} onSignedIn={onSignedIn} /></StackItem>}
      {ways.issuers.length === 0 && !ways.local && !ways.setup && (
        <StackItem>
          <Alert isInline variant="info" title="No way to sign in with a browser is set up">
            An administrator adds an issuer or local users: docs/sign-in.md. The command line works with client certificates.
          </Alert>
        </StackItem>
      )}
    </>
  );
}

/** As a local user; as long as the first-run code was not used, by that first. */
function Local({ setup, onSignedIn }: { setup: boolean; onSignedIn: () => void }) {
  const [byCode, setByCode] = useState(setup);
  return (
    <>
      <Password key={String(byCode)} setup={byCode} onSignedIn={onSignedIn} />
      {setup && (
        <Button variant="link" isInline onClick={() => setByCode(!byCode)}>
          {byCode ? "Sign in as a local user" : "Use the first-run code"}
        </Button>
      )}
    </>
  );
}

/** A local user's name and password; at the first start the code as well, which makes the first admin. */
function Password({ setup, onSignedIn }: { setup: boolean; onSignedIn: () => void }) {
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault("");
    try {
      if (setup) await rest.POST("/trunkline/v1/auth/setup", { body: { user, password, code } });
      else await rest.POST("/trunkline/v1/auth/local", { body: { user, password } });
      onSignedIn();
    } catch (error) {
      setFault(asFault(error).detail);
      setBusy(false);
    }
  };
  return (
    <Form onSubmit={(event) => void submit(event)}>
      {fault !== "" && <FormAlert><Alert isInline variant="danger" title={fault} role="alert" /></FormAlert>}
      {setup && (
        <FormGroup label="First-run code" fieldId="code" isRequired>
          <TextInput id="code" type="password" autoComplete="one-time-code" isRequired value={code} onChange={(_, value) => setCode(value)} />
        </FormGroup>
      )}
      <FormGroup label="User" fieldId="user" isRequired>
        <TextInput id="user" autoComplete="username" isRequired value={user} onChange={(_, value) => setUser(value)} />
      </FormGroup>
      <FormGroup label="Password" fieldId="password" isRequired>
        <TextInput
          id="password"
          type="password"
          autoComplete={setup ? "new-password" : "current-password"}
          isRequired
          value={password}
          onChange={(_, value) => setPassword(value)}
        />
      </FormGroup>
      <Button type="submit" isBlock isLoading={busy} isDisabled={busy}>
        {setup ? "Make the first admin" : "Sign in"}
      </Button>
    </Form>
  );
}
