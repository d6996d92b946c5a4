// All policies in one table, in the order in which they are evaluated: the first column says where.

import { useMemo } from "react";
import { useNavigate } from "react-router";
import { DataTable, type DataColumn } from "../parts/DataTable.tsx";
import { asText } from "../parts/text.ts";
import { Age } from "../parts/time.tsx";
import type { ViewProps } from "./Board.tsx";
import { kindTitle } from "./kinds.ts";
import { forWords, PolicyLink, rulesWords, StagedLabel } from "./looks.tsx";
import { placeWords, tierTitle } from "./order.ts";
import type { Policy } from "./policy.ts";
import { pageOf } from "./usePolicies.ts";

interface Row {
  place: number;
  tier: string;
  policy: Policy;
  isCalicos: boolean;
}

export function PolicyList({ cluster, tiers, picked, onPicked }: ViewProps) {
  const navigate = useNavigate();
  const rows = useMemo(() => {
    const all = tiers.flatMap((tier) => tier.policies.map((policy) => ({ tier: tierTitle(tier), policy, isCalicos: tier.object !== null })));
    return all.map((row, at): Row => ({ ...row, place: at + 1 }));
  }, [tiers]);
  const columns: DataColumn<Row>[] = [
    { key: "place", title: "#", cell: ({ place }) => place, sort: ({ place }) => place, width: 5 },
    { key: "tier", title: "Tier", cell: ({ tier }) => asText(tier), sort: ({ tier }) => tier },
    { key: "name", title: "Policy", cell: ({ policy }) => <><PolicyLink cluster={cluster} policy={policy} /> <StagedLabel policy={policy} /></>, sort: ({ policy }) => policy.name },
    { key: "for", title: "For", cell: ({ policy }) => <code className="tl-for" title={forWords(policy)}>{policy.subject.unreadable === "" ? forWords(policy) : asText(policy.subject.unreadable)}</code> },
    { key: "ingress", title: "Ingress", cell: ({ policy }) => rulesWords(policy, "ingress") },
    { key: "egress", title: "Egress", cell: ({ policy }) => rulesWords(policy, "egress") },
    { key: "kind", title: "Kind", cell: ({ policy }) => kindTitle(policy.kind.kind), sort: ({ policy }) => policy.kind.kind },
    { key: "namespace", title: "Namespace", cell: ({ policy }) => asText(policy.namespace) || "–", sort: ({ policy }) => policy.namespace },
    { key: "order", title: "Order", cell: ({ policy, isCalicos }) => placeWords(policy, isCalicos) || "–", sort: ({ policy }) => policy.order ?? Infinity },
    {
      key: "age", title: "Age", cell: ({ policy }) => <Age of={policy.object.metadata.creationTimestamp} />,
      sort: ({ policy }) => -Date.parse(policy.object.metadata.creationTimestamp ?? ""),
    },
  ];
  return (
    <DataTable
      label="Policies in the order in which they are evaluated"
      rows={rows}
      columns={columns}
      rowKey={({ policy }) => policy.key}
      onOpen={({ policy }) => void navigate(pageOf(cluster, policy.kind, policy.object))}
      chosen={picked}
      onChoose={onPicked}
    />
  );
}
