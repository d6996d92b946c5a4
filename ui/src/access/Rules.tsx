// Access rules: who may reach which clusters, and how. Those that are built in, or stand in the gateway's file, are shown and
// not changed here.

import { Button, PageSection, SearchInput, Toolbar, ToolbarContent, ToolbarItem } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "react-router";
import { rest, take, type Shapes } from "../api/client.ts";
import { useAsked } from "../app/place.ts";
import { Count, DataTable, type DataColumn } from "../parts/DataTable.tsx";
import { Head } from "../parts/Head.tsx";
import { AllHidden, Asked } from "../parts/states.tsx";

export type Rule = Shapes["AccessRule"];

export function useRules() {
  return useQuery({ queryKey: ["rules"], queryFn: () => take(rest.GET("/trunkline/v1/access/rules")) });
}

export function Rules() {
  const rules = useRules();
  const navigate = useNavigate();
  return (
    <>
      <Head
        title="Access"
        about="Rules only allow: who is named by none reaches nothing. What somebody may do inside a cluster, its own RBAC decides after that."
        actions={
          <>
            <Button onClick={() => void navigate("/access/rules/new")}>New rule</Button>{" "}
            <Button variant="secondary" onClick={() => void navigate("/access/test")}>Why can't I?</Button>
          </>
        }
      />
      <PageSection hasBodyWrapper={false}>
        <Asked query={rules} of="the access rules">{(list) => <List rules={list.items} />}</Asked>
      </PageSection>
    </>
  );
}

function List({ rules }: { rules: Rule[] }) {
  const [text, setText] = useAsked("q");
  const navigate = useNavigate();
  const shown = rules.filter((rule) => text === "" || JSON.stringify(rule).toLowerCase().includes(text.toLowerCase()));
  const open = (rule: Rule) => void navigate(`/access/rules/${encodeURIComponent(rule.metadata.name)}`);
  const columns: DataColumn<Rule>[] = [
    {
      key: "name", title: "Rule", sort: (rule) => rule.metadata.name,
      cell: (rule) => <Link to={`/access/rules/${encodeURIComponent(rule.metadata.name)}`}>{rule.metadata.name}</Link>,
    },
    { key: "who", title: "Who", cell: ({ spec }) => <Words words={[...(spec.subjects.users ?? []), ...(spec.subjects.groups ?? []).map((group) => `group ${group}`)]} /> },
    { key: "where", title: "Clusters", cell: ({ spec }) => <Words words={[...(spec.clusters?.names ?? []), ...(spec.clusters?.selector ? [spec.clusters.selector] : [])]} /> },
    { key: "role", title: "Role", cell: ({ spec }) => roleWords(spec), sort: ({ spec }) => spec.role ?? "viewer" },
    { key: "namespaces", title: "Namespaces", width: 8, cell: ({ spec }) => <Words words={spec.namespaces ?? []} none="all" /> },
    { key: "origin", title: "Stands in", cell: ({ metadata }) => metadata.origin ?? "registry", sort: ({ metadata }) => metadata.origin ?? "registry" },
  ];
  return (
    <>
      <Toolbar>
        <ToolbarContent>
          <ToolbarItem><SearchInput aria-label="Find a rule" placeholder="Name, user, group, cluster" value={text} onChange={(_, value) => setText(value)} onClear={() => setText("")} /></ToolbarItem>
          <ToolbarItem><Count shown={shown.length} all={rules.length} of="rules" /></ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      {shown.length === 0 ? (
        <AllHidden hidden={rules.length} onClear={() => setText("")} />
      ) : (
        <DataTable label="Access rules" rows={shown} columns={columns} rowKey={(rule) => rule.metadata.name} sorted="name" onOpen={open} />
      )}
    </>
  );
}

function Words({ words, none = "–" }: { words: string[]; none?: string }) {
  const text = words.length === 0 ? none : words.join(", ");
  return <span title={text}>{text}</span>;
}

/** What a rule lets do, in a few words. */
export function roleWords(spec: Rule["spec"]): string {
  const role = spec.role ?? "viewer";
  const within = role === "custom" ? `${(spec.verbs ?? []).join(", ")} on ${(spec.resources ?? []).join(", ") || "everything"}` : role;
  const more = [spec.fleet !== undefined && spec.fleet !== "none" ? `fleet ${spec.fleet}` : "", spec.record === true ? "terminals recorded" : ""];
  return [within, ...more].filter((part) => part !== "").join("; ");
}
