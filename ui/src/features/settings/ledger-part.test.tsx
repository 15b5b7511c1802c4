import { expect, test } from "vitest";
import { screen, within } from "@testing-library/react";
import { OverviewScreen } from "@/features/overview/overview-screen";
import { LedgerPart } from "@/features/settings/ledger-part";
import { renderWith } from "../../../test/render-panel";

test("a damaged ledger says what is missing and comes back by a restore", async () => {
  const { user } = renderWith("failing", <LedgerPart />);
  const part = await screen.findByRole("region", { name: "Ledger" });
  expect(await within(part).findByText("The ledger file was damaged")).toBeInTheDocument();
  await user.click(within(part).getByRole("button", { name: "Restore…" }));
  const dialog = await screen.findByRole("dialog");
  expect(within(dialog).getByText("Newer records stay.")).toBeInTheDocument();
  await user.click(within(dialog).getByRole("button", { name: "Restore" }));
  expect(await within(part).findByText("Recording")).toBeInTheDocument();
  expect(within(part).queryByText("The ledger file was damaged")).not.toBeInTheDocument();
});

test("a repair says what can be read before it does anything", async () => {
  const { user } = renderWith("failing", <LedgerPart />);
  await user.click(await screen.findByRole("button", { name: "Repair…" }));
  const dialog = await screen.findByRole("dialog");
  expect(within(dialog).getByText(/4,571 of 4,636 requests/)).toBeInTheDocument();
  expect(screen.getByText("The ledger file was damaged")).toBeInTheDocument();
});

test("the overview leads to the ledger", async () => {
  renderWith("failing", <OverviewScreen />);
  const [link] = await screen.findAllByRole("link", { name: "Open ledger" });
  expect(link).toHaveAttribute("href", expect.stringContaining("/settings?part=Ledger"));
});
