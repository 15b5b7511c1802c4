import { expect, test } from "vitest";
import { toCsv } from "@/lib/csv";

test.each([
  ["=1+1", "'=1+1"],
  ["+1", "'+1"],
  ["-1", "'-1"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["\tx", "'\tx"],
  ["\nx", '"\'\nx"'],
  ['=HYPERLINK("http://evil.test","x")', `"'=HYPERLINK(""http://evil.test"",""x"")"`],
])("the formula %s is defused", (cell, written) => {
  expect(toCsv(["h"], [[cell]])).toBe(`h\r\n${written}\r\n`);
});

test("plain cells stay, numbers stay negative, absent values are empty, quotes and line breaks are quoted", () => {
  expect(
    toCsv(
      ["a", "b", "c"],
      [
        ["gpt", -5, null],
        ['say "hi"', "x\ny", "a,b"],
      ],
    ),
  ).toBe('a,b,c\r\ngpt,-5,\r\n"say ""hi""","x\ny","a,b"\r\n');
});
