// A line that a cluster said, in its colours, with what is looked for marked. Text and nothing else.

import { memo, useMemo, type ReactNode } from "react";
import { pieces, type Look } from "./harmless.ts";

/** More of one line is not drawn. */
const MOST_DRAWN = 8_192;

export type Places = (text: string) => [number, number][];

export const Line = memo(function Line({ text, places }: { text: string; places?: Places | undefined }) {
  const shown = useMemo(() => drawn(text, places), [text, places]);
  return <bdi dir="ltr" className="tl-line">{shown}</bdi>;
});

function drawn(text: string, places: Places | undefined): ReactNode[] {
  const all = pieces(text.slice(0, MOST_DRAWN));
  const marks = places?.(all.map((piece) => piece.text).join("")) ?? [];
  const out: ReactNode[] = [];
  let at = 0;
  for (const piece of all) {
    const end = at + piece.text.length;
    let from = at;
    const put = (to: number, mark: boolean) => {
      if (to <= from) return;
      const part = piece.text.slice(from - at, to - at);
      const name = className(piece.look);
      if (mark) out.push(<mark key={from} className={name}>{part}</mark>);
      else out.push(name === undefined ? part : <span key={from} className={name}>{part}</span>);
      from = to;
    };
    for (const [begin, stop] of marks) {
      if (stop <= at || begin >= end) continue;
      put(Math.max(begin, at), false);
      put(Math.min(stop, end), true);
    }
    put(end, false);
    at = end;
  }
  if (text.length > MOST_DRAWN) out.push(<em key="more"> … {text.length - MOST_DRAWN} more letters</em>);
  return out;
}

function className(look: Look | null): string | undefined {
  if (look === null) return undefined;
  const names = [
    look.colour === undefined ? "" : `tl-colour-${look.colour}`, look.bold ? "tl-bold" : "", look.dim ? "tl-dim" : "",
    look.italic ? "tl-italic" : "", look.underline ? "tl-underline" : "",
  ];
  return names.filter((name) => name !== "").join(" ") || undefined;
}
