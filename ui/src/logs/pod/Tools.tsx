// What can be chosen of a log: which containers, since when, what is looked for, how it is shown.

import { Button, FormSelect, FormSelectOption, TextInputGroup, TextInputGroupMain, TextInputGroupUtilities, ToggleGroup, ToggleGroupItem } from "@patternfly/react-core";
import { SearchIcon, TimesIcon } from "@patternfly/react-icons";
import { useRef } from "react";
import { useKeys } from "../../app/keys.ts";
import { SINCE, TAIL, type LogAsked } from "./asked.ts";

interface ToolsProps {
  asked: LogAsked;
  ask: (patch: Partial<LogAsked>) => void;
  containers: string[];
  error: string;
  unfolded: boolean;
  onUnfold: (unfolded: boolean) => void;
}

export function Tools({ asked, ask, containers, error, unfolded, onUnfold }: ToolsProps) {
  const input = useRef<HTMLInputElement>(null);
  useKeys([{ keys: "/", words: "Look for something in the log", run: () => input.current?.focus() }]);
  const known = asked.container === "" || containers.includes(asked.container) ? containers : [asked.container, ...containers];
  return (
    <div className="tl-pod-tools">
      <FormSelect aria-label="Container" value={asked.container} onChange={(_, container) => ask({ container })} className="tl-pod-select">
        <FormSelectOption value="" label="all containers" />
        {known.map((name) => <FormSelectOption key={name} value={name} label={name} />)}
      </FormSelect>
      <FormSelect aria-label="Since" value={asked.since} onChange={(_, since) => ask({ since: Number(since) })} className="tl-pod-select">
        {SINCE.map(([value, label]) => <FormSelectOption key={value} value={value} label={label} />)}
      </FormSelect>
      <FormSelect aria-label="How many lines of each container" value={asked.tail} onChange={(_, tail) => ask({ tail: Number(tail) })} className="tl-pod-select">
        {TAIL.map(([value, label]) => <FormSelectOption key={value} value={value} label={label} />)}
      </FormSelect>
      <TextInputGroup className="tl-pod-find" validated={error === "" ? "default" : "error"}>
        <TextInputGroupMain
          ref={input}
          icon={<SearchIcon />}
          value={asked.find}
          placeholder={asked.isExpression ? "Regular expression" : "Look for"}
          aria-label={asked.isExpression ? "Regular expression to look for" : "Text to look for"}
          inputProps={{ "aria-invalid": error !== "", spellCheck: false, autoCapitalize: "off", autoComplete: "off" }}
          onChange={(_, find) => ask({ find })}
        />
        <TextInputGroupUtilities>
          {asked.find !== "" && <Button variant="plain" icon={<TimesIcon />} aria-label="Look for nothing" onClick={() => { ask({ find: "" }); input.current?.focus(); }} />}
        </TextInputGroupUtilities>
      </TextInputGroup>
      <ToggleGroup aria-label="How it is looked for and shown" isCompact>
        <ToggleGroupItem text=".*" aria-label="Regular expression" isSelected={asked.isExpression} onChange={() => ask({ isExpression: !asked.isExpression })} />
        <ToggleGroupItem text="Only these" isSelected={asked.only} onChange={() => ask({ only: !asked.only })} />
        <ToggleGroupItem text="Wrap" isSelected={asked.wrap} onChange={() => ask({ wrap: !asked.wrap })} />
        <ToggleGroupItem text="Times" isSelected={asked.times} onChange={() => ask({ times: !asked.times })} />
        <ToggleGroupItem text="JSON" isSelected={unfolded} onChange={() => onUnfold(!unfolded)} />
        <ToggleGroupItem text="Previous" isSelected={asked.previous} onChange={() => ask({ previous: !asked.previous })} />
      </ToggleGroup>
    </div>
  );
}
