import { expect, test, vi } from "vitest";
import { screen, within } from "@testing-library/react";
import { NowScreen } from "@/features/health/now-screen";
import { choose } from "../../../test/choose";
import { renderWith } from "../../../test/render-panel";

const SECRET = "hunter2-marked-51c2";

test("services are listed with their state, need and account", async () => {
  renderWith("failing", <NowScreen />);
  const card = await screen.findByRole("region", { name: "Services" });
  expect(within(card).getByText("1 of 3 services is down")).toBeVisible();
  expect(within(card).getByText(/it answers with status 503/i)).toBeVisible();
  expect(within(card).getByText(/signs in as octo-dev/)).toBeVisible();
  expect(within(card).getAllByText(/required/)).toHaveLength(1);
});

test("a service has its days, with how much of the time was observed", async () => {
  const { user } = renderWith("failing", <NowScreen />);
  const card = await screen.findByRole("region", { name: "Services" });
  expect(within(card).getByRole("slider", { name: /^Vector store, last 90 days/ })).toBeVisible();
  await user.click(within(card).getByText("of Vector store"));
  expect(within(card).getByText(/^24 h: 88.70 % of 9 h observed/)).toBeVisible();
  expect(within(card).getByText("(38 % of the time)")).toBeVisible();
});

test("a database is asked for its password, and its address is sent as typed", async () => {
  const { user, host } = renderWith("fresh", <NowScreen />);
  const set = vi.spyOn(host, "serviceSet");
  await user.click(await screen.findByRole("button", { name: "Add service" }));
  const dialog = await screen.findByRole("dialog");
  await user.type(within(dialog).getByLabelText("Name"), "db");
  await choose(user, within(dialog).getByLabelText("Kind"), "PostgreSQL");
  await user.type(within(dialog).getByLabelText(/^Address/), "postgres://app@localhost/main");
  await user.click(within(dialog).getByRole("radio", { name: "New key" }));
  await user.type(within(dialog).getByLabelText("Password"), SECRET);
  await user.click(within(dialog).getByRole("button", { name: "Add and check" }));
  await screen.findByRole("button", { name: "Test db" });
  expect(set).toHaveBeenLastCalledWith(
    expect.objectContaining({
      kind: "postgres",
      address: "postgres://app@localhost/main",
      key: { kind: "new", secret: SECRET },
    }),
  );
});

test("a new service goes in with its key; a metadata address is refused at its field", async () => {
  const { user, host } = renderWith("fresh", <NowScreen />);
  const set = vi.spyOn(host, "serviceSet");
  await user.click(await screen.findByRole("button", { name: "Add service" }));
  const dialog = await screen.findByRole("dialog");
  await user.type(within(dialog).getByLabelText("Name"), "store");
  const address = within(dialog).getByLabelText(/^Address/);
  await user.type(address, "http://169.254.169.254/x");
  await user.click(within(dialog).getByRole("radio", { name: "New key" }));
  await user.type(within(dialog).getByLabelText("API key"), SECRET);
  await user.type(within(dialog).getByLabelText("Status"), "204");
  await user.click(within(dialog).getByRole("checkbox", { name: "Required" }));
  await user.click(within(dialog).getByRole("button", { name: "Add and check" }));
  expect(await within(dialog).findByText(/metadata service/)).toBeVisible();
  expect(address).toBeInvalid();
  await user.clear(address);
  await user.type(address, "https://store.test/health");
  await user.click(within(dialog).getByRole("button", { name: "Add and check" }));
  expect(await screen.findByRole("button", { name: "Test store" })).toBeVisible();
  expect(set).toHaveBeenLastCalledWith({
    id: "store",
    label: "",
    kind: "http",
    address: "https://store.test/health",
    key: { kind: "new", secret: SECRET },
    required: true,
    enabled: true,
    private_network: false,
    expects: { method: "GET", status: 204, contains: "", key_header: "", scopes: [] },
  });
  expect(document.documentElement.outerHTML).not.toContain(SECRET);
});

test("a port takes no key, and what was typed for another kind is not sent", async () => {
  const { user, host } = renderWith("fresh", <NowScreen />);
  const set = vi.spyOn(host, "serviceSet");
  await user.click(await screen.findByRole("button", { name: "Add service" }));
  const dialog = await screen.findByRole("dialog");
  await user.type(within(dialog).getByLabelText("Name"), "db");
  await user.type(within(dialog).getByLabelText("Status"), "204");
  await choose(user, within(dialog).getByLabelText("Kind"), "TCP port");
  await user.type(within(dialog).getByLabelText(/^Address/), "localhost:5432");
  expect(within(dialog).queryByLabelText("Key source")).toBeNull();
  await user.click(within(dialog).getByRole("button", { name: "Add and check" }));
  await screen.findByRole("button", { name: "Test db" });
  expect(set).toHaveBeenLastCalledWith(
    expect.objectContaining({ kind: "tcp", key: { kind: "none" }, expects: expect.objectContaining({ status: null }) }),
  );
});

test("a service is paused and removed, and its key is told to stay", async () => {
  const { user } = renderWith("busy", <NowScreen />);
  await user.click(await screen.findByRole("button", { name: "More for Vector store" }));
  await user.click(await screen.findByRole("menuitem", { name: "Pause" }));
  expect(await screen.findByText("switched off")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "More for Vector store" }));
  await user.click(await screen.findByRole("menuitem", { name: "Remove" }));
  const dialog = await screen.findByRole("dialog");
  expect(within(dialog).getByText("Its key vectors stays in the vault.")).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "Remove" }));
  expect(await screen.findByText("all 2 services work")).toBeVisible();
});
