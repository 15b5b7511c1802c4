import { render } from "@testing-library/react";
import { expect, test } from "vitest";
import { WithCode } from "@/components/text/with-code";

function htmlOf(text: string): string {
  const { container } = render(<WithCode>{text}</WithCode>);
  for (const code of container.querySelectorAll("code")) code.removeAttribute("class");
  return container.innerHTML;
}

test("what stands between backticks is code, and everything else stays text", () => {
  expect(htmlOf("Run `gatehouse check`, then `gatehouse ask`.")).toBe(
    "Run <code>gatehouse check</code>, then <code>gatehouse ask</code>.",
  );
  expect(htmlOf("`whole`")).toBe("<code>whole</code>");
  expect(htmlOf("a ` alone, and `` empty, and <b>no</b> markup")).toBe(
    "a ` alone, and `` empty, and &lt;b&gt;no&lt;/b&gt; markup",
  );
});
