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

test("another machine's requests are merged after a look at what is new", async () => {
  const { user } = renderWith("busy", <LedgerPart />);
  const part = await screen.findByRole("region", { name: "Ledger" });
  expect(await within(part).findByText("1,204 requests merged")).toBeInTheDocument();
  await user.click(within(part).getByRole("button", { name: "Merge…" }));
  const dialog = await screen.findByRole("dialog");
  const file = within(dialog).getByRole("textbox", { name: "File" });
  await user.type(file, "/home/dev/picture.png");
  await user.click(within(dialog).getByRole("button", { name: "Show what is new" }));
  expect(await within(dialog).findByText(/it is not an SQLite database/)).toBeInTheDocument();
  expect(within(dialog).getByText(/Make one on the other machine/)).toBeInTheDocument();
  await user.clear(file);
  await user.type(file, "/home/dev/laptop.sqlite");
  await user.click(within(dialog).getByRole("button", { name: "Show what is new" }));
  expect(await within(dialog).findByText("96 new requests of laptop")).toBeInTheDocument();
  await user.click(within(dialog).getByRole("button", { name: "Merge" }));
  expect(await screen.findByText("Merged 96 requests of laptop")).toBeInTheDocument();
});

test("the overview leads to the ledger", async () => {
  renderWith("failing", <OverviewScreen />);
  const [link] = await screen.findAllByRole("link", { name: "Open ledger" });
  expect(link).toHaveAttribute("href", expect.stringContaining("/settings?part=Ledger"));
});
