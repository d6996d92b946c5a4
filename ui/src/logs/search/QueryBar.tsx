// The line of words and fields. Mistakes are shown where they are, while somebody types; fields are suggested by their names.

import { Alert, Button, Popover, TextInputGroup, TextInputGroupMain, TextInputGroupUtilities } from "@patternfly/react-core";
import { HelpIcon, SearchIcon, TimesIcon } from "@patternfly/react-icons";
import { useId, useRef, useState, type KeyboardEvent } from "react";
import { useKeys } from "../../app/keys.ts";
import { fieldBeingTyped, mistakeIn, type Mistake } from "./grammar.ts";

const MOST_SUGGESTED = 8;

interface QueryBarProps {
  value: string;
  /** What the gateway said of it. */
  refusal: string;
  fields: string[];
  onAsk: (q: string) => void;
}

export function QueryBar({ value, refusal, fields, onAsk }: QueryBarProps) {
  const [draft, setDraft] = useState(value);
  const [before, setBefore] = useState(value);
  // Somebody else changed the line: a click on a value, or Back.
  if (before !== value) {
    setBefore(value);
    setDraft(value);
  }
  const [caret, setCaret] = useState(0);
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  useKeys([{ keys: "/", words: "Search", run: () => input.current?.focus() }]);

  const typing = open ? fieldBeingTyped(draft, caret) : null;
  const typed = typing?.typed.toLowerCase() ?? "";
  const suggested = typing === null ? [] : fields.filter((field) => field.toLowerCase().startsWith(typed)).slice(0, MOST_SUGGESTED);
  const mistake = mistakeIn(draft);
  const isTold = mistake !== null && (draft === value || !open);

  const take = (field: string) => {
    if (typing === null) return;
    const next = `${draft.slice(0, typing.from)}${field}:${draft.slice(caret)}`;
    setDraft(next);
    setChosen(-1);
    setOpen(false);
    const to = typing.from + field.length + 1;
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(to, to);
    });
  };
  const onKey = (event: KeyboardEvent) => {
    const listed = suggested.length > 0;
    if (event.key === "ArrowDown" && listed) setChosen((chosen + 1) % suggested.length);
    else if (event.key === "ArrowUp" && listed) setChosen((chosen + suggested.length) % (suggested.length + 1) - 1);
    else if ((event.key === "Enter" || event.key === "Tab") && listed && suggested[chosen] !== undefined) take(suggested[chosen]);
    else if (event.key === "Escape" && listed) setOpen(false);
    else if (event.key === "Enter") {
      setOpen(false);
      if (mistake === null) onAsk(draft.trim());
    } else return;
    event.preventDefault();
  };

  return (
    <div className="tl-log-query">
      <TextInputGroup validated={isTold || refusal !== "" ? "error" : "default"}>
        <TextInputGroupMain
          icon={<SearchIcon />}
          ref={input}
          value={draft}
          placeholder="error app:web -level:debug"
          aria-label="Words and fields"
          role="combobox"
          isExpanded={suggested.length > 0}
          aria-controls={`${id}-fields`}
          {...(suggested[chosen] === undefined ? {} : { "aria-activedescendant": `${id}-${chosen}` })}
          inputProps={{ "aria-describedby": `${id}-told`, "aria-invalid": isTold || refusal !== "", spellCheck: false, autoCapitalize: "off", autoComplete: "off" }}
          onChange={(event, next) => {
            setDraft(next);
            setCaret(event.currentTarget.selectionStart ?? next.length);
            setOpen(true);
            setChosen(-1);
          }}
          onKeyDown={onKey}
          onBlur={() => setOpen(false)}
        />
        <TextInputGroupUtilities>
          {draft !== "" && (
            <Button variant="plain" icon={<TimesIcon />} aria-label="Clear the words" onClick={() => { setDraft(""); onAsk(""); input.current?.focus(); }} />
          )}
          <Popover headerContent="What can be asked" bodyContent={<Help />} minWidth="20rem" maxWidth="34rem">
            <Button variant="plain" icon={<HelpIcon />} aria-label="What can be asked" />
          </Popover>
        </TextInputGroupUtilities>
      </TextInputGroup>
      {suggested.length > 0 && (
        <ul id={`${id}-fields`} className="tl-log-suggestions" role="listbox" aria-label="Fields">
          {suggested.map((field, at) => (
            <li key={field} id={`${id}-${at}`} role="option" aria-selected={at === chosen} onPointerDown={(event) => { event.preventDefault(); take(field); }}>
              {field}:
            </li>
          ))}
        </ul>
      )}
      <div id={`${id}-told`} aria-live="polite">
        {isTold && <Place draft={draft} mistake={mistake} />}
        {!isTold && refusal !== "" && <Alert isInline component="p" isPlain variant="danger" title={refusal} />}
      </div>
    </div>
  );
}

/** What is wrong, and where. */
function Place({ draft, mistake }: { draft: string; mistake: Mistake }) {
  const from = Math.max(0, mistake.from - 24);
  return (
    <p className="tl-log-mistake">
      <span>{mistake.words}: </span>
      <code>
        {from > 0 ? "…" : ""}{draft.slice(from, mistake.from)}
        <mark>{draft.slice(mistake.from, mistake.to)}</mark>
        {draft.slice(mistake.to, mistake.to + 24)}
      </code>
    </p>
  );
}

const ROWS: [string, string][] = [
  ["error timeout", "both words, in any order, in any letter case"],
  ['"connection refused"', "these words beside each other"],
  ["conn*", "a word that begins so; three letters at least"],
  ["app:web", "the field app says web, exactly"],
  ["pod:web-*  http.status:*", "the field begins so; there is such a field"],
  ["a OR b   -a   (a OR b) c", "what it looks like"],
];

function Help() {
  return (
    <>
      <table className="tl-log-help">
        <thead><tr><th scope="col">Written</th><th scope="col">Means</th></tr></thead>
        <tbody>{ROWS.map(([written, means]) => <tr key={written}><td><code>{written}</code></td><td>{means}</td></tr>)}</tbody>
      </table>
      <p>
        <code>app</code>, <code>level</code>, <code>namespace</code>, <code>pod</code>, <code>container</code> and <code>node</code> are the same in every record; any other
        name is the path of a field of the shipper's.
      </p>
    </>
  );
}
