import { describe, expect, it } from "vitest";
import { pieces, plain } from "./harmless.ts";

const OBEYED = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Five hundred sequences that terminals or browsers obey, made of their parts. */
function sequences(): string[] {
  const ends = ["\u0007", "\u001b\\", "\u009c", ""];
  const strings = ["0;title", "2;title", "52;c;cm0gLXJm", "8;;javascript:alert(1)", "4;1;rgb:00/00/00", "10;?", "1337;File=:AAAA", "777;notify;a;b", "9;9;x"];
  const found: string[] = [];
  for (const begin of ["\u001b]", "\u009d"]) for (const body of strings) for (const end of ends) found.push(begin + body + end);
  for (const begin of ["\u001bP", "\u001bX", "\u001b^", "\u001b_", "\u0090", "\u0098", "\u009e", "\u009f"]) {
    for (const end of ends) found.push(`${begin}+q544e${end}`);
  }
  for (const begin of ["\u001b[", "\u009b"]) {
    for (const final of "@ABCDEFGHIJKLMPSTXZ`abcdefghilnpqrstux{|}~") found.push(`${begin}1;2${final}`);
    for (const rest of ["?25l", "?1049h", "?2004h", "6n", "c", ">c", "21t", "2J", "3J", "!p", " q", "$p", "38;5;0;48;5;0m", "8m", "0;30;40m"]) found.push(begin + rest);
  }
  for (let code = 0; code < 0x20; code++) if (code !== 9 && code !== 13 && code !== 0x1b) found.push(String.fromCharCode(code));
  for (let code = 0x7f; code < 0xa0; code++) found.push(String.fromCharCode(code));
  for (const letter of "()*+-./#%&78=>DEFGHMNOVWZclmno|}~") found.push(`\u001b${letter}B`);
  for (let code = 0x2028; code <= 0x202e; code++) found.push(String.fromCharCode(code));
  for (let code = 0x2060; code <= 0x206f; code++) found.push(String.fromCharCode(code));
  for (const letter of "\u200b\u200e\u200f\u061c\ufeff\u00ad\ud800\udfff") found.push(letter);
  for (let code = 0xe0020; code < 0xe007f; code += 2) found.push(String.fromCodePoint(code));
  for (let number = 0; number < 110; number++) found.push(`\u001b[${number}m`, `\u001b[38;5;${number * 2}m`);
  return found;
}

describe("what a cluster says", () => {
  const all = sequences();
  it("is tried with five hundred sequences and more", () => expect(all.length).toBeGreaterThanOrEqual(500));

  it("has nothing left that is obeyed, wherever it stood", () => {
    for (const sequence of all) {
      for (const line of [sequence, `a${sequence}b`, `${sequence}${sequence}x`, `a\u001b[31m${sequence}b\u001b[0mc`]) {
        expect(OBEYED.test(plain(line)), JSON.stringify(line)).toBe(false);
      }
    }
  });

  it("never loses the words around a sequence", () => {
    for (const sequence of all) {
      const text = plain(`before ${sequence}… after`);
      expect(text.startsWith("before "), JSON.stringify(sequence)).toBe(true);
      expect(text.endsWith("after"), JSON.stringify(sequence)).toBe(true);
    }
  });

  it("keeps its colours", () => {
    expect(pieces("\u001b[31mred\u001b[0m not \u001b[1;92mbright\u001b[m")).toEqual([
      { text: "red", look: { colour: 1 } },
      { text: " not ", look: null },
      { text: "bright", look: { bold: true, colour: 10 } },
    ]);
    expect(pieces("\u001b[38;2;255;0;0mx")[0]?.look).toEqual({ colour: 9 });
    expect(pieces("\u001b[38;5;2mx")[0]?.look).toEqual({ colour: 2 });
  });

  it("cannot hide text by a ground, by concealing, or by a sequence that does not end", () => {
    expect(pieces("\u001b[8;30;40mhidden")).toEqual([{ text: "hidden", look: { colour: 0 } }]);
    expect(plain("\u001b]0;all of this stays")).toBe("0;all of this stays");
    expect(plain("\u001b[999")).toBe("999");
  });

  it("tells overrides and unseen letters by their numbers", () => {
    expect(plain("a\u202eb\u2066c")).toBe("a⟨U+202E⟩b⟨U+2066⟩c");
    expect(plain("a\u0000b\u0007")).toBe("a␀b␇");
    expect(plain("done\r")).toBe("done");
  });

  it("leaves letters of all languages as they are", () => {
    const text = "Grüße שלום مرحبا 你好 👩‍💻 ~\t|";
    expect(plain(text)).toBe(text);
  });

  it("takes one pass over a line of a megabyte", () => {
    const begun = performance.now();
    plain("\u001b]".repeat(500_000));
    plain("\u001b[1;".repeat(250_000));
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});
