import { expect, test, vi } from "vitest";
import { createLoader } from "@/lib/loader";

test("a part is loaded once, and who follows is told", async () => {
  const fetchPart = vi.fn(() => Promise.resolve("part"));
  const loader = createLoader(fetchPart);
  const told = vi.fn();
  const stop = loader.follow(told);
  expect(loader.read()).toEqual({ kind: "loading" });
  await loader.load();
  expect(loader.read()).toEqual({ kind: "loaded", part: "part" });
  expect(told).toHaveBeenCalledTimes(2);
  stop();
  loader.follow(told);
  expect(fetchPart).toHaveBeenCalledTimes(1);
});

test("what fails while someone waits has failed, and can be tried again", async () => {
  const fetchPart = vi.fn(() => Promise.resolve("part")).mockRejectedValueOnce(new TypeError("gone"));
  const loader = createLoader(fetchPart);
  loader.follow(() => {});
  await loader.load();
  expect(loader.read()).toEqual({ kind: "failed" });
  await loader.load();
  expect(loader.read()).toEqual({ kind: "loaded", part: "part" });
});

test("what fails while it is loaded ahead is only not there yet", async () => {
  const loader = createLoader(() => Promise.reject(new TypeError("gone")));
  loader.followWhenIdle(() => {});
  await loader.load();
  expect(loader.read()).toEqual({ kind: "unloaded" });
});
