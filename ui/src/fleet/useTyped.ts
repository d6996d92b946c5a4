// Text of the address that is typed in: shown at once, and in the address as soon as the router gets to it.

import { useState } from "react";
import { useAsked } from "../app/place.ts";

export function useTyped(name: string): [string, (text: string) => void] {
  const [asked, setAsked] = useAsked(name);
  const [text, setText] = useState(asked);
  const [sent, setSent] = useState(asked);
  const [seen, setSeen] = useState(asked);
  if (asked !== seen) {
    setSeen(asked);
    // Somebody went back, or cleared it: what was typed here comes back as itself.
    if (asked !== sent) {
      setText(asked);
      setSent(asked);
    }
  }
  const type = (next: string) => {
    setText(next);
    setSent(next);
    setAsked(next);
  };
  return [text, type];
}
