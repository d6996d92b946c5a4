// The terminal's screen: xterm.js, made to live under a content security policy without inline styles, and made deaf to what
// a program could do with it beyond showing text.
//
// xterm.js writes its rules into <style> elements and some looks of letters into style attributes. Both are refused by the
// policy, so it is given a document whose <style> elements are constructed style sheets, and whose spans set their looks by
// CSSOM.
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
  const own = ownDocument();
  const terminal = new Terminal({
    // Not in xterm's types, though it is an option of its own for such documents.
    ...({ documentOverride: own.document } as object),
    allowProposedApi: false, cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches, scrollback: SCROLLBACK, fontSize: 14,
    fontFamily: "'Red Hat Mono', 'Liberation Mono', Menlo, Consolas, monospace", screenReaderMode: options.readAloud, theme: themeOf(options.dark),
    minimumContrastRatio: 4.5, linkHandler: { activate: () => undefined },
  });
  for (const code of DEAF) terminal.parser.registerOscHandler(code, () => true);
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  own.during(() => terminal.open(element));
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
      own.close();
    },
  };
}

function noteOf(words: string): string {
  return `\u001b[0m\r\n\u001b[7m ${words} \u001b[0m\r\n`;
}

function themeOf(dark: boolean) {
  return dark
    ? { background: "#151515", foreground: "#f2f2f2", cursor: "#f2f2f2", selectionBackground: "#4f5f7a" }
    : { background: "#ffffff", foreground: "#151515", cursor: "#151515", selectionBackground: "#b9dafc" };
}

/** A document whose styles the policy allows. */
function ownDocument() {
  const sheets = new Set<CSSStyleSheet>();
  const create = document.createElement.bind(document);
  const createElement = (name: string, options?: ElementCreationOptions): HTMLElement => {
    if (name === "style") return styleSheet(sheets);
    const element = create(name, options);
    if (name === "span") {
      const set = element.setAttribute.bind(element);
      element.setAttribute = (attribute, value) => {
        if (attribute === "style") element.style.cssText = value;
        else set(attribute, value);
      };
    }
    return element;
  };
  const own = new Proxy(document, {
    get(target, name) {
      if (name === "createElement") return createElement;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value as (...rest: unknown[]) => unknown).bind(target) : value;
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
  return {
    document: own,
    /** While the terminal is opened it makes one more <style> by the page's document itself. */
    during(run: () => void) {
      Object.defineProperty(document, "createElement", { value: createElement, configurable: true, writable: true });
      try {
        run();
      } finally {
        Reflect.deleteProperty(document, "createElement");
      }
    },
    close() {
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => !sheets.has(sheet));
    },
  };
}

/** An element that stands where a <style> would, and whose text becomes a constructed style sheet. */
function styleSheet(sheets: Set<CSSStyleSheet>): HTMLElement {
  const sheet = new CSSStyleSheet();
  sheets.add(sheet);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const stand = document.createElementNS("http://www.w3.org/1999/xhtml", "span");
  stand.hidden = true;
  Object.defineProperty(stand, "textContent", { get: () => "", set: (rules: string) => sheet.replaceSync(rules) });
  const remove = stand.remove.bind(stand);
  stand.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
    sheets.delete(sheet);
    remove();
  };
  return stand;
}
