import { screen, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { renderPanel } from "../../../test/render-panel";

test("an old key is marked in the list and said in its drawer", async () => {
  renderPanel("busy", "/keys/openai");
  const drawer = within(await screen.findByRole("dialog"));
  expect(screen.getByTitle("It has been in use for 212 days. Replace it, and revoke this one.")).toHaveTextContent(
    /old/i,
  );
  expect(drawer.getByText("It has been in use for 212 days. Replace it, and revoke this one.")).toBeVisible();
});

test("a key leads to what uses it: backends, routes through them, and clients that may ask them", async () => {
  const { host } = renderPanel("busy", "/keys/openai");
  const drawer = within(await screen.findByRole("dialog"));
  const fact = (name: string) => drawer.getByText(name, { selector: "dt" }).nextElementSibling as HTMLElement;
  const { routes } = await host.routes();
  const through = routes.filter(({ candidates }) => candidates.some(({ backend }) => backend === "openai"));
  expect(within(fact("Backends")).getByRole("link", { name: "openai" })).toHaveAttribute("href", "#/backends/openai");
  expect(await drawer.findByText("Routes", { selector: "dt" })).toBeVisible();
  for (const { id } of through.slice(0, 8))
    expect(within(fact("Routes")).getByRole("link", { name: id })).toHaveAttribute(
      "href",
      `#/routing/${encodeURIComponent(id)}`,
    );
  expect(await within(fact("Clients")).findByRole("link", { name: "codex" })).toHaveAttribute(
    "href",
    "#/clients/codex",
  );
});

test("a key that nothing uses says so", async () => {
  renderPanel("busy", "/keys/pinecone");
  const drawer = within(await screen.findByRole("dialog"));
  expect(drawer.getByText("Used by", { selector: "dt" }).nextElementSibling).toHaveTextContent("not used");
});

test("a rejected new key replaces nothing, and the old one is checked after a replacement", async () => {
  const { host, user } = renderPanel("busy", "/keys/openai");
  const openUrl = vi.spyOn(host, "openUrl");
  const drawer = within(await screen.findByRole("dialog"));
  await user.click(drawer.getByRole("button", { name: "Replace" }));
  const form = within(await screen.findByRole("dialog", { name: /Replace the/ }));
  await user.click(form.getByRole("button", { name: /Create a new key/ }));
  expect(openUrl).toHaveBeenLastCalledWith("https://platform.openai.com/api-keys");
  await user.type(form.getByLabelText("New API key"), "sk-wrong-0001");
  await user.click(form.getByRole("button", { name: "Replace key" }));
  expect(await form.findByText(/so the old one stays/)).toBeVisible();
  await user.clear(form.getByLabelText("New API key"));
  await user.type(form.getByLabelText("New API key"), "sk-right-0002");
  await user.click(form.getByRole("button", { name: "Replace key" }));
  const old = within(await screen.findByRole("region", { name: "Old key" }));
  await user.click(old.getByRole("button", { name: "Revoke…" }));
  expect(openUrl).toHaveBeenCalledTimes(2);
  await user.click(old.getByRole("button", { name: "Check old key" }));
  expect(await old.findByText("openai still accepts the old key. Revoke it there.")).toBeVisible();
});

test("the last day of a key is the end of that day, and none is no end", async () => {
  const { host, user } = renderPanel("busy", "/keys/openai");
  const edit = vi.spyOn(host, "keyEdit");
  const openForm = async () => {
    await user.click(await screen.findByRole("button", { name: "More for this key" }));
    await user.click(await screen.findByRole("menuitem", { name: "Edit name, expiry and note" }));
    return within(await screen.findByRole("dialog", { name: /Edit the/ }));
  };
  const form = await openForm();
  await user.type(form.getByLabelText(/Last day/), "2027-03-31");
  await user.click(form.getByRole("button", { name: "Save" }));
  const end = new Date(2027, 2, 31, 23, 59, 59, 999).getTime();
  expect(edit).toHaveBeenLastCalledWith({ id: "openai", label: "OpenAI", expires_at: end, note: null });
  const again = await openForm();
  expect(again.getByLabelText(/Last day/)).toHaveValue("2027-03-31");
  await user.clear(again.getByLabelText(/Last day/));
  await user.click(again.getByRole("button", { name: "Save" }));
  expect(edit).toHaveBeenLastCalledWith({ id: "openai", label: "OpenAI", expires_at: null, note: null });
});

test("a note is kept with its key, and one that is too long says how long it may be", async () => {
  const { user } = renderPanel("busy", "/keys/openai");
  await user.click(await screen.findByRole("button", { name: "More for this key" }));
  await user.click(await screen.findByRole("menuitem", { name: "Edit name, expiry and note" }));
  const form = within(await screen.findByRole("dialog", { name: /Edit the/ }));
  const note = form.getByLabelText(/^Note/);
  await user.click(note);
  await user.paste("n".repeat(501));
  await user.click(form.getByRole("button", { name: "Save" }));
  expect(await form.findByText("the note is too long; use at most 500 characters")).toBeVisible();
  await user.clear(note);
  await user.type(note, "Shared with the search team");
  await user.click(form.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("Shared with the search team")).toBeVisible();
});

test("what happened to a key stands with its time, newest first", async () => {
  const { host } = renderPanel("failing", "/keys/openrouter");
  const { events } = await host.keyHistory({ id: "openrouter" });
  expect(events.map(({ event }) => event)).toEqual(["rejected", "added"]);
  const history = within(await screen.findByRole("region", { name: "History" }));
  const rows = await history.findAllByRole("listitem");
  expect(rows.map((row) => row.textContent)).toEqual(events.map(({ sentence }) => expect.stringContaining(sentence)));
});

test("what is left at the provider stands in the list and, with how long it lasts, in the drawer", async () => {
  renderPanel("busy", "/keys/openrouter");
  const drawer = within(await screen.findByRole("dialog"));
  const sentence = "$4.28 left of the key's limit, for 2 days at the pace of the last week";
  expect(drawer.getByText("Balance").nextElementSibling).toHaveTextContent(`${sentence} (4 min ago)`);
  expect(drawer.getByText(`${sentence}.`)).toBeVisible();
  expect(screen.getByRole("columnheader", { name: /Balance/, hidden: true })).toBeInTheDocument();
  expect(screen.getByTitle(sentence)).toHaveTextContent("$4.28");
});
