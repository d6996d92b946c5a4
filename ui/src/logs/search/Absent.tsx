// Nothing was found: why that may be, and what to do about it.

import { Button } from "@patternfly/react-core";
import { SearchIcon } from "@patternfly/react-icons";
import { useQuery } from "@tanstack/react-query";
import { Nothing } from "../../parts/states.tsx";
import { Age } from "../../parts/time.tsx";
import type { Asked } from "./asked.ts";
import { findPage, type Question } from "./find.ts";
import { inWords, type Range } from "./moments.ts";
import type { Standing } from "./standing.ts";

const DAY = 24 * 60 * 60 * 1_000;

interface AbsentProps {
  asked: Asked;
  question: Question;
  /** Of the clusters that are searched. */
  standing: Standing[];
  oldestDay: string | null;
  onClear: () => void;
  onRange: (range: Range) => void;
  onWider: () => void;
}

export function Absent({ asked, question, standing, oldestDay, onClear, onRange, onWider }: AbsentProps) {
  const whole = useQuery({
    queryKey: ["logs", "newest", question.clusters, question.selector, question.to],
    queryFn: async ({ signal }) => {
      const to = Date.parse(question.to);
      const from = oldestDay === null ? to - 14 * DAY : Date.parse(`${oldestDay}T00:00:00Z`);
      if (from >= to) return null;
      const page = await findPage({ ...question, q: "", from: new Date(from).toISOString() }, "newest", "", 1, signal);
      return page.items[0]?.time ?? null;
    },
    staleTime: Infinity,
  });
  const silent = question.clusters !== "" && standing.every(({ sends }) => !sends) && (whole.data ?? null) === null;
  if (silent && !whole.isPending) {
    const [name = ""] = question.clusters.split(",");
    return (
      <Nothing title={`No records have come from ${question.clusters.replaceAll(",", ", ")}`}>
        <p>Collecting is probably not on there. An agent takes records when it was registered so:</p>
        <p className="tl-code">trunkline clusters register {name} --logs --log-tail</p>
        <p>For an agent that is there, set <code>logs.enabled</code> in its chart.</p>
      </Nothing>
    );
  }
  const last = whole.data;
  const goThere = last === null || last === undefined ? null : Date.parse(last);
  return (
    <Nothing
      title="Nothing was found"
      icon={SearchIcon}
      action={
        <>
          <Button variant="primary" onClick={onWider}>Search twice the time</Button>
          {asked.q !== "" && <Button variant="link" onClick={onClear}>Clear the words</Button>}
          {goThere !== null && goThere < Date.parse(question.from) && (
            <Button variant="link" onClick={() => onRange({ from: new Date(goThere - DAY / 24).toISOString(), to: new Date(goThere + 1).toISOString() })}>
              Go to the last record
            </Button>
          )}
        </>
      }
    >
      <p>
        No record {asked.q === "" ? "" : "fits the words "}in the time {inWords(asked.range, asked.zone)}.
        {last !== null && last !== undefined && <> The last record of {question.clusters === "" ? "these clusters" : question.clusters} at all is of <Age of={last} ago />.</>}
      </p>
      {oldestDay !== null && Date.parse(question.from) < Date.parse(`${oldestDay}T00:00:00Z`) && <p>Records before {oldestDay} are not kept any more.</p>}
    </Nothing>
  );
}
