// A shell by itself: /c/<cluster>/shell?ns=&pod=&container=

import { Title } from "@patternfly/react-core";
import { useSearchParams } from "react-router";
import { useCluster } from "../../app/place.ts";
import { usePageTitle } from "../../parts/Head.tsx";
import { Nothing } from "../../parts/states.tsx";
import { Terminal } from "../Terminal.tsx";

export function ShellPage() {
  const cluster = useCluster() ?? "";
  const [query] = useSearchParams();
  const namespace = query.get("ns") ?? "";
  const pod = query.get("pod") ?? "";
  const container = query.get("container") ?? "";
  usePageTitle(`Shell in ${pod || "a pod"}`);
  if (namespace === "" || pod === "") return <Nothing title="No container was asked for">The address names a namespace and a pod, as in ?ns=shop&amp;pod=web-0.</Nothing>;
  return (
    <div className="tl-logs">
      <Title headingLevel="h1" size="xl">Shell in {pod}</Title>
      <Terminal key={`${cluster} ${namespace} ${pod} ${container}`} cluster={cluster} namespace={namespace} pod={pod} {...(container === "" ? {} : { container })} />
    </div>
  );
}
