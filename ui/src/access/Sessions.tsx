// Who is signed in, and what they have under way. Ending a session cuts it all at once.

import { Button, ExpandableSection, Label, PageSection, SearchInput, Toolbar, ToolbarContent, ToolbarItem } from "@patternfly/react-core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { rest, take, type Shapes } from "../api/client.ts";
import { useAsked } from "../app/place.ts";
import { useSession } from "../app/session.tsx";
import { Confirm } from "../parts/Confirm.tsx";
import { Count, DataTable, type DataColumn } from "../parts/DataTable.tsx";
import { Head } from "../parts/Head.tsx";
import { AllHidden, Asked, Nothing } from "../parts/states.tsx";
import { Age } from "../parts/time.tsx";

type Session = Shapes["UserSession"];
type Live = Shapes["LiveRequest"] & { session: Session };

const REFRESH_MS = 5_000;

export function Sessions() {
  const sessions = useQuery({
    queryKey: ["sessions"],
    queryFn: () => take(rest.GET("/trunkline/v1/sessions")),
    refetchInterval: REFRESH_MS,
  });
  return (
    <>
      <Head title="Sessions" about="Who is signed in, and what they have under way. Seen anew every 5 s." />
      <PageSection hasBodyWrapper={false}>
        <Asked query={sessions} of="the sessions">{(list) => <List sessions={list.items} />}</Asked>
      </PageSection>
    </>
  );
}

function List({ sessions }: { sessions: Session[] }) {
  const [text, setText] = useAsked("q");
  const [ending, setEnding] = useState<Session | null>(null);
  const { who } = useSession();
  const queries = useQueryClient();
  const fits = (parts: string[]) => parts.some((part) => part.toLowerCase().includes(text.toLowerCase()));
  const shown = sessions.filter(
    (one) => text === "" || fits([one.user, one.from, one.how, ...one.groups, ...one.requests.map(({ cluster }) => cluster ?? "")]),
  );
  const live = shown.flatMap((session) => session.requests.map((request) => ({ ...request, session })));
  const columns: DataColumn<Session>[] = [
    { key: "user", title: "User", cell: (one) => <>{one.user} {one.id === who.session && <Label isCompact color="blue">this one</Label>}</>, sort: (one) => one.user },
    { key: "how", title: "Signed in by", cell: (one) => one.how, sort: (one) => one.how },
    { key: "from", title: "From", cell: (one) => one.from, sort: (one) => one.from },
    { key: "first", title: "Since", cell: (one) => <Age of={one.first} ago />, sort: (one) => one.first },
    { key: "last", title: "Last seen", cell: (one) => <Age of={one.last} ago />, sort: (one) => one.last },
    { key: "requests", title: "Under way", width: 8, cell: (one) => one.requests.length, sort: (one) => one.requests.length },
  ];
  return (
    <>
      <Toolbar>
        <ToolbarContent>
          <ToolbarItem>
            <SearchInput aria-label="Find a session" placeholder="User, address, cluster" value={text} onChange={(_, value) => setText(value)} onClear={() => setText("")} />
          </ToolbarItem>
          <ToolbarItem><Count shown={shown.length} all={sessions.length} of="sessions" /></ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      {shown.length === 0 && text !== "" ? (
        <AllHidden hidden={sessions.length} onClear={() => setText("")} />
      ) : (
        <DataTable
          label="Sessions"
          rows={shown}
          columns={columns}
          rowKey={(one) => one.id}
          sorted="-last"
          actions={(one) => <Button variant="link" isInline onClick={() => setEnding(one)}>End</Button>}
        />
      )}
      <ExpandableSection toggleText={`Under way: ${live.length}`} isIndented>
        <UnderWay live={live} />
      </ExpandableSection>
      {ending !== null && (
        <Confirm
          title={`End the session of ${ending.user}`}
          verb="End session"
          reason
          run={async (reason) => {
            await rest.POST("/trunkline/v1/sessions/{session}/end", { params: { path: { session: ending.id } }, body: { reason } });
            await queries.invalidateQueries({ queryKey: ["sessions"] });
          }}
          onClose={() => setEnding(null)}
        >
          {ending.requests.length === 0 ? "Nothing is under way in it. " : `${ending.requests.length} requests of it are cut at once. `}
          Nobody comes in by it again; {ending.user} may sign in anew.
        </Confirm>
      )}
    </>
  );
}

function UnderWay({ live }: { live: Live[] }) {
  if (live.length === 0) return <Nothing title="Nothing is under way" />;
  const columns: DataColumn<Live>[] = [
    { key: "by", title: "User", cell: (one) => one.session.user, sort: (one) => one.session.user },
    { key: "cluster", title: "Cluster", cell: (one) => one.cluster ?? "the gateway", sort: (one) => one.cluster ?? "" },
    { key: "verb", title: "Verb", cell: (one) => one.verb, sort: (one) => one.verb },
    { key: "object", title: "Object", cell: (one) => [one.object, one.namespace, one.name].filter(Boolean).join(" / "), sort: (one) => one.object },
    { key: "kind", title: "Kind", cell: (one) => one.kind, sort: (one) => one.kind },
    { key: "rule", title: "By rule", cell: (one) => one.rule },
    { key: "since", title: "Since", cell: (one) => <Age of={one.since} ago />, sort: (one) => one.since },
  ];
  return <DataTable label="Under way" rows={live} columns={columns} rowKey={(one) => one.request} />;
}
