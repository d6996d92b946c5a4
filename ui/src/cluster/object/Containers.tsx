// The containers of a pod: which image, how it is, how often it was started again, how it ended last.

import { Title } from "@patternfly/react-core";
import { asText } from "../../parts/text.ts";
import { Age } from "../../parts/time.tsx";
import { healthOf } from "../list/rows.ts";
import { Status } from "../Status.tsx";
import type { ContainerStatus, Pod } from "../workloads/pod.ts";

interface Line {
  name: string;
  init: boolean;
  image: string;
  status: ContainerStatus | undefined;
}

export function Containers({ pod }: { pod: Pod }) {
  const line = (init: boolean, statuses: ContainerStatus[] | undefined) => ({ name, image }: { name: string; image?: string }): Line => ({
    name, init, image: image ?? "", status: statuses?.find((one) => one.name === name),
  });
  const lines = [
    ...(pod.spec?.initContainers ?? []).map(line(true, pod.status?.initContainerStatuses)),
    ...(pod.spec?.containers ?? []).map(line(false, pod.status?.containerStatuses)),
  ];
  if (lines.length === 0) return null;
  return (
    <>
      <Title headingLevel="h2" size="md">Containers</Title>
      <div className="tl-scroll" role="region" aria-label="Containers" tabIndex={0}>
        <table className="pf-v6-c-table pf-m-compact">
          <thead className="pf-v6-c-table__thead">
            <tr className="pf-v6-c-table__tr">
              {["Name", "State", "Restarts", "Image", "Last end"].map((title) => <th key={title} scope="col" className="pf-v6-c-table__th">{title}</th>)}
            </tr>
          </thead>
          <tbody className="pf-v6-c-table__tbody">
            {lines.map(({ name, init, image, status }) => {
              const { word, since } = stateOf(status);
              const last = status?.lastState?.terminated;
              return (
                <tr key={name} className="pf-v6-c-table__tr">
                  <th scope="row" className="pf-v6-c-table__td">{asText(name)}{init && " (init)"}</th>
                  <td className="pf-v6-c-table__td"><Status health={word === "Running" && status?.ready !== true && !init ? "busy" : healthOf(word)} words={word} /> {since !== undefined && <Age of={since} />}</td>
                  <td className="pf-v6-c-table__td">{status?.restartCount ?? 0}</td>
                  <td className="pf-v6-c-table__td"><code className="tl-code">{asText(image)}</code></td>
                  <td className="pf-v6-c-table__td">{last !== undefined && <>{asText(last.reason ?? "")} exit code {last.exitCode ?? "unknown"}, <Age of={last.finishedAt} ago /></>}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}

function stateOf(status: ContainerStatus | undefined): { word: string; since?: string | undefined } {
  const { waiting, running, terminated } = status?.state ?? {};
  if (running !== undefined) return { word: "Running", since: running.startedAt };
  if (terminated !== undefined) return { word: terminated.reason ?? "Ended", since: terminated.finishedAt };
  return { word: waiting?.reason ?? "Waiting" };
}
