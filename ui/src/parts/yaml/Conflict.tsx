// Somebody else changed the object since it was read: what it was, what they made of it, what I made of it. What only one of us
// changed goes together by itself; for the rest somebody chooses.

import { Alert, Radio } from "@patternfly/react-core";
import { asText } from "../text.ts";
import type { Change, Conflict, Side } from "./changes.ts";

export type Choices = ReadonlyMap<string, Side>;

interface ConflictPartProps {
  conflicts: Conflict[];
  /** What they changed and I did not. */
  theirs: Change[];
  choices: Choices;
  onChoose: (path: string, side: Side) => void;
}

const NOTHING = "(not set)";

function Value({ of }: { of: unknown }) {
  if (of === undefined) return <em>{NOTHING}</em>;
  return <code className="tl-code">{asText(of)}</code>;
}

export function ConflictPart({ conflicts, theirs, choices, onChoose }: ConflictPartProps) {
  return (
    <>
      <Alert isInline variant="warning" title="It was changed by somebody else meanwhile" role="alert">
        {conflicts.length === 0
          ? "Your changes and theirs touch different fields: they go together. Look at the result once more."
          : `${conflicts.length === 1 ? "One field was" : `${conflicts.length} fields were`} changed by both. Choose for each; nothing is written before.`}
      </Alert>
      {conflicts.length > 0 && (
        <div className="tl-scroll" role="region" aria-label="Fields that both changed" tabIndex={0}>
          <table className="pf-v6-c-table pf-m-compact">
            <caption className="pf-v6-screen-reader">Fields that both changed</caption>
            <thead className="pf-v6-c-table__thead">
              <tr className="pf-v6-c-table__tr">
                {["Field", "Before", "Theirs", "Mine"].map((title) => <th key={title} scope="col" className="pf-v6-c-table__th">{title}</th>)}
              </tr>
            </thead>
            <tbody className="pf-v6-c-table__tbody">
              {conflicts.map(({ path, base, theirs: their, mine }) => (
                <tr key={path} className="pf-v6-c-table__tr">
                  <th scope="row" className="pf-v6-c-table__td"><code>{asText(path)}</code></th>
                  <td className="pf-v6-c-table__td"><Value of={base} /></td>
                  {([["theirs", their], ["mine", mine]] as const).map(([side, value]) => (
                    <td key={side} className="pf-v6-c-table__td">
                      <Radio
                        id={`${side} ${path}`}
                        name={path}
                        label={<><span className="pf-v6-screen-reader">{side} for {asText(path)}: </span><Value of={value} /></>}
                        isChecked={choices.get(path) === side}
                        onChange={() => onChoose(path, side)}
                      />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {theirs.length > 0 && (
        <details>
          <summary>Changed by them alone: {theirs.length}</summary>
          <ul>
            {theirs.map(({ path, before, after }) => (
              <li key={path}><code>{asText(path)}</code>: <Value of={before} /> → <Value of={after} /></li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
