// Which time is searched: in words, from a list, or from two moments; in this browser's zone or in UTC.

import { Button, FormGroup, FormHelperText, HelperText, HelperTextItem, MenuToggle, Popover, TextInput, ToggleGroup, ToggleGroupItem } from "@patternfly/react-core";
import { ClockIcon } from "@patternfly/react-icons";
import { useState, type FormEvent } from "react";
import { clockTime, inWords, PRESETS, resolve, understand, type Range, type Zone } from "./moments.ts";

interface TimePickerProps {
  range: Range;
  zone: Zone;
  onRange: (range: Range) => void;
  onZone: (zone: Zone) => void;
}

export function TimePicker({ range, zone, onRange, onZone }: TimePickerProps) {
  const [open, setOpen] = useState(false);
  const take = (next: Range) => {
    setOpen(false);
    onRange(next);
  };
  return (
    <Popover
      isVisible={open}
      shouldOpen={() => setOpen(true)}
      shouldClose={() => setOpen(false)}
      aria-label="Time"
      showClose
      position="bottom-end"
      minWidth="18rem"
      headerContent="Time"
      bodyContent={<Panel range={range} zone={zone} onRange={take} onZone={onZone} />}
    >
      <MenuToggle icon={<ClockIcon />} isExpanded={open} aria-label={`Time: ${inWords(range, zone)}`} className="tl-log-time">
        {inWords(range, zone)}{zone === "utc" ? " UTC" : ""}
      </MenuToggle>
    </Popover>
  );
}

function Panel({ range, zone, onRange, onZone }: TimePickerProps) {
  const [words, setWords] = useState(inWords(range, zone));
  const [error, setError] = useState("");
  const [ends, setEnds] = useState(() => {
    const { from, to } = resolve(range, Date.now());
    const field = (at: number) => clockTime(at, zone, "seconds").replace(" ", "T");
    return { from: field(from), to: field(to) };
  });
  const submit = (event: FormEvent, text: string) => {
    event.preventDefault();
    const read = understand(text, Date.now(), zone);
    if ("error" in read) setError(read.error);
    else onRange(read);
  };
  return (
    <div className="tl-log-times" data-keys="own">
      <form onSubmit={(event) => submit(event, words)}>
        <FormGroup label="In words" fieldId="time-words">
          <TextInput id="time-words" value={words} onChange={(_, value) => { setWords(value); setError(""); }} validated={error === "" ? "default" : "error"} aria-describedby="time-told" />
          <FormHelperText>
            <HelperText id="time-told" aria-live="polite">
              <HelperTextItem variant={error === "" ? "default" : "error"}>{error || "last 2h · yesterday · 14:00 to 15:00 · 2026-11-27 06:00 to now"}</HelperTextItem>
            </HelperText>
          </FormHelperText>
        </FormGroup>
      </form>
      <div className="tl-log-presets">
        {PRESETS.map((preset) => (
          <Button key={preset.words} variant="secondary" size="sm" onClick={() => onRange(preset.range)}>{preset.words}</Button>
        ))}
      </div>
      <form onSubmit={(event) => submit(event, `${ends.from} to ${ends.to}`)}>
        <FormGroup label="From" fieldId="time-from">
          <TextInput id="time-from" type="datetime-local" step="1" value={ends.from} onChange={(_, from) => setEnds({ ...ends, from })} />
        </FormGroup>
        <FormGroup label="To" fieldId="time-to">
          <TextInput id="time-to" type="datetime-local" step="1" value={ends.to} onChange={(_, to) => setEnds({ ...ends, to })} />
        </FormGroup>
        <Button type="submit" variant="primary" size="sm">Use these</Button>
      </form>
      <ToggleGroup aria-label="Zone" isCompact>
        <ToggleGroupItem text="Local" isSelected={zone === "local"} onChange={() => onZone("local")} />
        <ToggleGroupItem text="UTC" isSelected={zone === "utc"} onChange={() => onZone("utc")} />
      </ToggleGroup>
    </div>
  );
}
