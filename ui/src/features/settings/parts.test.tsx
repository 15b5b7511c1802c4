import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { SettingsScreen } from "@/features/settings/settings-screen";
import { renderWith } from "../../../test/render-panel";

test("a set of numbers is chosen by its word, and the numbers show it", async () => {
  const { user, host } = renderWith("busy", <SettingsScreen />);
  const edit = vi.spyOn(host, "settingsEdit");
  const card = await screen.findByRole("region", { name: "Resilience" });
  await user.click(within(card).getByRole("radio", { name: "Careful" }));
  await waitFor(() => expect(within(card).getByLabelText("Failures in a row")).toHaveValue("2"));
  expect(edit.mock.calls[0]?.[0].resilience).toMatchObject({ preset: "careful", custom: { failures_in_a_row: 3 } });
  expect(card).toHaveTextContent("4 changed from default");
  expect(screen.getByText(/^Changed from default:/)).toHaveTextContent("resilience");
});

test("a number of one's own is checked at its field, saved over the set in force and marked", async () => {
  const { user, host } = renderWith("busy", <SettingsScreen />);
  const edit = vi.spyOn(host, "settingsEdit");
  await user.click(await screen.findByText("All thresholds"));
  const row = screen.getByLabelText("Failures in a row");
  expect(row).toHaveAccessibleDescription(/1 to 20, default 3\./);
  await user.clear(row);
  await user.type(row, "40");
  await user.click(screen.getByRole("button", { name: "Save as custom" }));
  await waitFor(() => expect(row).toBeInvalid());
  expect(row).toHaveAccessibleDescription(/Enter 1 to 20\./);
  expect(edit).not.toHaveBeenCalled();

  await user.clear(row);
  await user.type(row, "7{Enter}");
  await waitFor(() => expect(screen.queryByRole("button", { name: "Save as custom" })).not.toBeInTheDocument());
  expect(edit.mock.calls[0]?.[0].resilience).toMatchObject({
    preset: "custom",
    custom: { failures_in_a_row: 7, failure_percent: 50 },
  });
  expect(screen.getByRole("radio", { name: "Custom" })).toBeChecked();
});

test("a number the core refuses is marked with the core's words", async () => {
  const { user } = renderWith("busy", <SettingsScreen />);
  await user.click(await screen.findByText("All thresholds"));
  const row = screen.getByLabelText("First trip");
  await user.clear(row);
  await user.type(row, "70000{Enter}");
  await waitFor(() => expect(row).toHaveAccessibleDescription(/must not be larger than open_ms_max, which is 60000/));
  expect(row).toHaveValue("70000");
});

test("the cache is switched at once, and its numbers are saved with the others", async () => {
  const { user, host } = renderWith("busy", <SettingsScreen />);
  const edit = vi.spyOn(host, "settingsEdit");
  await user.click(await screen.findByRole("switch", { name: "Keep on disk" }));
  expect(edit).toHaveBeenLastCalledWith(expect.objectContaining({ cache_disk: false, cache_enabled: true }));
  const memory = screen.getByLabelText("Memory limit");
  expect(memory).toHaveValue("64");
  await user.clear(memory);
  await user.type(memory, "128{Enter}");
  await waitFor(() =>
    expect(edit).toHaveBeenLastCalledWith(expect.objectContaining({ cache_memory_bytes_max: 134_217_728 })),
  );
});

test("the shared server is saved with its password, which is a key that is bound to no provider", async () => {
  const { user, host } = renderWith("busy", <SettingsScreen />);
  const edit = vi.spyOn(host, "settingsEdit");
  const form = await screen.findByRole("form", { name: "Shared cache" });
  const server = within(form).getByLabelText(/^Server/);
  const bound = (await host.keys()).filter((key) => key.origin !== null);
  await waitFor(async () => {
    await user.click(within(form).getByRole("combobox", { name: /^Password/ }));
    expect(screen.getByRole("option", { name: "Pinecone" })).toBeVisible();
  });
  for (const { label } of bound) expect(screen.queryByRole("option", { name: label })).not.toBeInTheDocument();
  await user.keyboard("{Escape}");
  await user.type(server, "https://x.test{Enter}");
  await waitFor(() => expect(server).toBeInvalid());
  expect(server).toHaveAccessibleDescription(/rediss:\/\//);
  await user.clear(server);
  await user.type(server, "rediss://x.test:6379/0");
  await user.click(within(form).getByRole("button", { name: "Save server" }));
  await waitFor(() => expect(within(form).queryByRole("button", { name: "Save server" })).not.toBeInTheDocument());
  expect(edit).toHaveBeenLastCalledWith(expect.objectContaining({ cache_redis_url: "rediss://x.test:6379/0" }));
});
