// What people have under way in a cluster.

import { Stack, StackItem } from "@patternfly/react-core";
import { Link } from "react-router";
import { harmless } from "../../parts/text.ts";
import { Asked } from "../../parts/states.tsx";
import { Age } from "../../parts/time.tsx";
import { useFleetRole } from "../role.ts";
import { useUnderWay } from "../sessions.ts";
import { SmallTable } from "./SmallTable.tsx";

export function SessionsIn({ name }: { name: string }) {
  const role = useFleetRole();
  return (
    <Stack hasGutter>
      {role === "none" && <StackItem><p className="tl-subtle">Only your own are shown: others' are for who sees all of the fleet.</p></StackItem>}
      <StackItem>
        <Asked query={useUnderWay(name)} of={`what is under way in ${name}`}>
          {(underWay) => (
            <SmallTable
              label={`under way in ${name}`}
              rows={underWay}
              rowKey={({ request }) => request.request}
              none="Nobody has anything under way here."
              columns={[
                { title: "User", cell: ({ user }) => harmless(user) },
                { title: "Does", cell: ({ request }) => `${request.verb} ${harmless(request.object)}` },
                { title: "What", cell: ({ request }) => harmless([request.namespace, request.name].filter((part) => part !== "").join("/")) || "–" },
                { title: "Kind", cell: ({ request }) => request.kind },
                { title: "Since", cell: ({ request }) => <Age of={request.since} ago /> },
                { title: "By the rule", cell: ({ request }) => request.rule },
                { title: "As", cell: ({ request }) => harmless(request.actingAs) },
                { title: "From", cell: ({ from, how }) => `${from}, ${how}` },
              ]}
            />
          )}
        </Asked>
      </StackItem>
      <StackItem><Link to="/sessions">All sessions, and ending one</Link></StackItem>
    </Stack>
  );
}
