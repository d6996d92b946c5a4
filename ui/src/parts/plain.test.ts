import { expect, it } from "vitest";
import { plain } from "./plain.ts";

it("shows what would move the cursor or turn the text around as what it is", () => {
  expect(plain("\u001b[31mred")).toBe("\\u001b[31mred");
  expect(plain("a\u202egnp.exe")).toBe("a\\u202egnp.exe");
  expect(plain("a\u200bb\ufeff")).toBe("a\\u200bb\\ufeff");
});

it("leaves what people write as it is", () => {
  expect(plain("prod-eu: “größer”, 東京\n\tsecond line")).toBe("prod-eu: “größer”, 東京\n\tsecond line");
});
