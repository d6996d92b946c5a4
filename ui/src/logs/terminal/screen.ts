// The terminal's screen: xterm.js, made to live under a content security policy without inline styles, and made deaf to what
// a program could do with it beyond showing text.
//
// xterm.js writes its rules into <style> elements and some looks of letters into style attributes. Both are refused by the
// policy. The elements are all made while the terminal is opened: then constructed style sheets take their place. The letters'
// spans are made for as long as it lives, by a document that it gives to a part of its own (its `documentOverride` does not
// reach there): that part is given one whose spans set their looks by CSSOM.
//
// Invariants: no element with markup or style text is made; the clipboard, titles, links, colours of the palette and
// notifications are not a program's to set; text that would be shown in another order is told by a sign; when more comes than
// can be shown, it is left out and said.

import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";

/** Title, title, colours, folder, link, notification, colours, clipboard, resets of colours, notifications and pictures. */
const DEAF = [0, 1, 2, 4, 7, 8, 9, 10, 11, 12, 13, 14, 17, 19, 52, 104, 110, 111, 112, 777, 1337];
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
/** So much may wait to be drawn. */
const MOST_WAITING = 8 * 1024 * 1024;
const SCROLLBACK = 5_000;

export interface Screen {
  write(bytes: Uint8Array): void;
  /** A line of this page's own. */
  note(words: string): void;
  fit(): void;
  focus(): void;
  selection(): string;
  paste(text: string): void;
  readAloud(on: boolean): void;
  dark(on: boolean): void;
  close(): void;
}

interface ScreenOptions {
  dark: boolean;
  readAloud: boolean;
  onType: (text: string) => void;
  onSize: (columns: number, rows: number) => void;
  /** A key that is the page's, and not the terminal's: true takes it. */
  onKey: (event: KeyboardEvent) => boolean;
}

export function openScreen(element: HTMLElement, options: ScreenOptions): Screen {
  const styles = new Styles();
  const terminal = new Terminal({
    allowProposedApi: false, cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches, scrollback: SCROLLBACK, fontSize: 14,
    fontFamily: "'Red Hat Mono', 'Liberation Mono', Menlo, Consolas, monospace", screenReaderMode: options.readAloud, theme: themeOf(options.dark),
    minimumContrastRatio: 4.5, linkHandler: { activate: () => undefined },
  });
  for (const code of DEAF) terminal.parser.registerOscHandler(code, () => true);
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  styles.during(() => terminal.open(element));
  takeSpans(terminal);
  terminal.attachCustomKeyEventHandler((event) => !options.onKey(event));
  terminal.onData(options.onType);
  terminal.onResize(({ cols, rows }) => options.onSize(cols, rows));
  const refit = () => {
    if (element.clientWidth > 0 && element.clientHeight > 0) fit.fit();
  };
  const watcher = new ResizeObserver(refit);
  watcher.observe(element);
  refit();
  options.onSize(terminal.cols, terminal.rows);

  const decoder = new TextDecoder();
  let waiting = 0;
  let leftOut = 0;
  const put = (text: string) => {
    waiting += text.length;
    terminal.write(text, () => {
      waiting -= text.length;
      if (leftOut === 0 || waiting > MOST_WAITING / 2) return;
      const words = `${Math.ceil(leftOut / 1024)} KiB came faster than they can be shown and were left out`;
      leftOut = 0;
      put(noteOf(words));
    });
  };
  return {
    write(bytes) {
      const text = decoder.decode(bytes, { stream: true }).replace(TURNS, "\ufffd");
      if (waiting + text.length > MOST_WAITING) leftOut += text.length;
      else put(text);
    },
    note: (words) => put(noteOf(words)),
    fit: refit,
    focus: () => terminal.focus(),
    selection: () => terminal.getSelection(),
    paste: (text) => terminal.paste(text),
    readAloud: (on) => { terminal.options.screenReaderMode = on; },
    dark: (on) => { terminal.options.theme = themeOf(on); },
    close() {
      watcher.disconnect();
      terminal.dispose();
      styles.close();
    },
  };
}

function noteOf(words: string): string {
  return `\u001b[0m\r\n── ${words} ──\r\n`;
}

function themeOf(dark: boolean) {
  return dark
    ? { background: "#151515", foreground: "#f2f2f2", cursor: "#f2f2f2", selectionBackground: "#4f5f7a" }
    : { background: "#ffffff", foreground: "#151515", cursor: "#151515", selectionBackground: "#b9dafc" };
}

/** Constructed style sheets in place of <style> elements. */
class Styles {
  private readonly sheets = new Set<CSSStyleSheet>();

  during(open: () => void): void {
    const create = document.createElement.bind(document);
    const createElement = (name: string, options?: ElementCreationOptions) => (name === "style" ? this.standIn(create("span")) : create(name, options));
    Object.defineProperty(document, "createElement", { value: createElement, configurable: true, writable: true });
    try {
      open();
    } finally {
      Reflect.deleteProperty(document, "createElement");
    }
  }

  close(): void {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => !this.sheets.has(sheet));
  }

  /** Stands where a <style> would; its text becomes a style sheet. */
  private standIn(stand: HTMLElement): HTMLElement {
    const sheet = new CSSStyleSheet();
    this.sheets.add(sheet);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    stand.hidden = true;
    Object.defineProperty(stand, "textContent", { get: () => "", set: (rules: string) => sheet.replaceSync(rules) });
    return stand;
  }
}

interface Insides {
  _core?: { _renderService?: { _renderer?: { value?: { _rowFactory?: { _document: Pick<Document, "createElement"> } } } } };
}

/** Looks of letters are set by CSSOM from now on. */
function takeSpans(terminal: Terminal): void {
  const rows = (terminal as unknown as Insides)._core?._renderService?._renderer?.value?._rowFactory;
  // Another version of xterm.js may look otherwise within: then some colours are missing, and the policy's reports say so.
  if (rows !== undefined) rows._document = { createElement: spanOf } as Pick<Document, "createElement">;
}

function spanOf(name: string): HTMLElement {
  const element = document.createElement(name);
  const set = element.setAttribute.bind(element);
  element.setAttribute = (attribute, value) => {
    if (attribute === "style") element.style.cssText = value;
    else set(attribute, value);
  };
  return element;
}
