import { expect, test, vi } from "vitest";
import { createPanelCache, followTheme } from "@/app/start";
import { invalidateTags } from "@/ipc/tags";
import { makeHost } from "../../test/render-panel";

test("the colours follow the settings though no screen reads them", async () => {
  const host = makeHost("busy").host;
  const cache = createPanelCache();
  followTheme(host, cache);
  const { values } = await host.settings();
  for (const theme of ["dark", "light"] as const) {
    await host.settingsEdit({ ...values, theme });
    invalidateTags(cache, ["settings"]);
    await vi.waitFor(() => expect(document.documentElement.dataset["theme"]).toBe(theme));
  }
});
