// CodeMirror in a ShadowRoot: there its styles are adopted sheets, which the content security policy (style-src 'self') allows,
// and nothing of a cluster's text meets the page's own styles.

import { closeBrackets, closeBracketsKeymap, autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import {
  drawSelection, EditorView, highlightActiveLine, highlightSpecialChars, keymap, lineNumbers, tooltips,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";

const ink = (name: string) => `var(--pf-t--global--${name})`;

const theme = EditorView.theme({
  // What floats over the text has the theme's class as well, in a box of its own.
  "&.cm-editor": {
    color: ink("text--color--regular"),
    backgroundColor: ink("background--color--primary--default"),
    fontSize: "0.8125rem",
    border: `1px solid ${ink("border--color--default")}`,
    borderRadius: "4px",
    height: "100%",
  },
  "&.cm-focused": { outline: `2px solid ${ink("border--color--clicked")}` },
  ".cm-scroller": { fontFamily: ink("font--family--mono"), overflow: "auto", lineHeight: "1.5" },
  ".cm-gutters": {
    backgroundColor: ink("background--color--secondary--default"),
    color: ink("text--color--subtle"),
    borderInlineEnd: `1px solid ${ink("border--color--default")}`,
  },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, currentColor 6%, transparent)" },
  ".cm-content": { caretColor: ink("text--color--regular") },
  ".cm-cursor": { borderLeftColor: ink("text--color--regular") },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, #0066cc 30%, transparent)",
  },
  ".cm-tooltip": {
    backgroundColor: ink("background--color--floating--default"),
    color: ink("text--color--regular"),
    border: `1px solid ${ink("border--color--default")}`,
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "#0066cc", color: "#fff" },
  ".cm-completionInfo": { maxWidth: "24rem", whiteSpace: "pre-wrap" },
  ".cm-panels": { backgroundColor: ink("background--color--secondary--default"), color: ink("text--color--regular") },
  ".cm-panels input, .cm-panels button": { color: "inherit", background: "transparent", minHeight: "24px" },
  ".cm-deletedChunk": { backgroundColor: "color-mix(in srgb, #c9190b 14%, transparent)" },
  ".cm-changedLine, .cm-insertedLine": { backgroundColor: "color-mix(in srgb, #3e8635 14%, transparent)" },
  ".cm-changedText, .cm-insertedLine .cm-changedText": { background: "color-mix(in srgb, #3e8635 30%, transparent)" },
  ".cm-deletedChunk .cm-deletedText": { background: "color-mix(in srgb, #c9190b 30%, transparent)" },
  ".cm-collapsedLines": { background: ink("background--color--secondary--default"), color: ink("text--color--subtle") },
});

const colours = HighlightStyle.define([
  { tag: tags.definition(tags.propertyName), color: ink("text--color--link--default") },
  { tag: tags.propertyName, color: ink("text--color--link--default") },
  { tag: [tags.string, tags.special(tags.string)], color: ink("text--color--status--success--default") },
  { tag: [tags.comment, tags.lineComment], color: ink("text--color--subtle"), fontStyle: "italic" },
  { tag: [tags.meta, tags.separator, tags.punctuation], color: ink("text--color--subtle") },
  { tag: [tags.labelName, tags.typeName], color: ink("text--color--status--info--default") },
]);

/** The root of the host that CodeMirror is put into; made once. */
export function shadowOf(host: HTMLElement): ShadowRoot {
  return host.shadowRoot ?? host.attachShadow({ mode: "open" });
}

/** What every view of YAML here has. */
export function basics(label: string, root: ShadowRoot): Extension[] {
  return [
    theme,
    syntaxHighlighting(colours),
    yaml(),
    lineNumbers(),
    foldGutter(),
    // Control characters and changes of direction are shown as signs.
    highlightSpecialChars({ addSpecialChars: /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g }),
    drawSelection(),
    highlightSelectionMatches(),
    tooltips({ parent: root as unknown as HTMLElement, position: "fixed" }),
    EditorView.contentAttributes.of({ "aria-label": label }),
    keymap.of([...searchKeymap, ...foldKeymap, ...lintKeymap]),
  ];
}

/** What only an editor has. Tab indents; Escape and then Tab leaves it (WCAG 2.1.2). */
export function editing(complete: Parameters<typeof autocompletion>[0]): Extension[] {
  return [
    history(),
    indentUnit.of("  "),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    highlightActiveLine(),
    lintGutter(),
    autocompletion(complete),
    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
  ];
}

export function reading(): Extension[] {
  return [EditorState.readOnly.of(true), EditorView.editable.of(false), EditorView.contentAttributes.of({ tabindex: "0" }), keymap.of(defaultKeymap)];
}
