// The tunnel's roots, and how far a rotation has come: old and new are both trusted until the last agent has moved.

import { Alert, Button, Label, List, ListItem, Progress } from "@patternfly/react-core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { rest, take, type Shapes } from "../api/client.ts";
import { Confirm } from "../parts/Confirm.tsx";
import { Asked } from "../parts/states.tsx";

export function Papers() {
  const papers = useQuery({
    queryKey: ["pki"],
    queryFn: () => take(rest.GET("/trunkline/v1/pki")),
    refetchInterval: ({ state }) => (state.data?.rotating === true ? 5_000 : false),
  });
  return <Asked query={papers} of="the certificates">{(status) => <Rotation status={status} />}</Asked>;
}

type Asking = "rotate" | "finish" | null;

function Rotation({ status }: { status: Shapes["RotationStatus"] }) {
  const [asking, setAsking] = useState<Asking>(null);
  const queries = useQueryClient();
  const behind = status.clusters.filter(({ moved }) => !moved);
  const moved = status.clusters.length - behind.length;
  const run = async (what: "rotate" | "finish") => {
    if (what === "rotate") await rest.POST("/trunkline/v1/pki/rotate");
    else await rest.POST("/trunkline/v1/pki/finish");
    await queries.invalidateQueries({ queryKey: ["pki"] });
  };
  return (
    <>
      <h2>Roots of the tunnel</h2>
      <List isPlain>
        {status.roots.map((root) => (
          <ListItem key={root.pin}>
            <Label isCompact color={root.role === "issuing" ? "green" : "orange"}>{root.role}</Label> <code className="tl-code">{root.pin}</code>, until{" "}
            <time dateTime={root.notAfter}>{new Date(root.notAfter).toLocaleDateString()}</time>
          </ListItem>
        ))}
      </List>
      {status.rotating ? (
        <>
          <Progress value={moved} min={0} max={Math.max(1, status.clusters.length)} title="Agents that have moved to the new root" label={`${moved} of ${status.clusters.length}`} />
          {behind.length > 0 && (
            <Alert isInline variant="info" title={`${behind.length} have not moved yet`}>
              <List isPlain>{behind.slice(0, 50).map(({ name, detail }) => <ListItem key={name}>{name}: {detail}</ListItem>)}</List>
            </Alert>
          )}
          <Button variant="danger" onClick={() => setAsking("finish")}>Drop the old root now</Button>
        </>
      ) : (
        <Button variant="secondary" onClick={() => setAsking("rotate")}>Rotate the root</Button>
      )}
      {asking === "rotate" && (
        <Confirm title="Rotate the tunnel's root" verb="Rotate" run={() => run("rotate")} onClose={() => setAsking(null)}>
          A new root is made, and every agent moves to it by itself; no link is dropped. Both roots are trusted until the last agent has moved.
        </Confirm>
      )}
      {asking === "finish" && (
        <Confirm title="Drop the old root" verb="Drop it" typed="drop" run={() => run("finish")} onClose={() => setAsking(null)}>
          {behind.length === 0 ? "All agents have moved." : `${behind.length} agents have not moved: they are cut, and must be told the new pin by hand.`}
        </Confirm>
      )}
    </>
  );
}
