/**
 * The browser's session with the real program, and what another server on 127.0.0.1 gets of it: nothing (S26).
 * `cargo xtask test` builds the program and says where it is.
 */
import { expect, test, type Page } from "@playwright/test";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const GIVEN = process.env["GATEHOUSE_PROGRAM"];
const PROGRAM = GIVEN ?? join(import.meta.dirname, "../../../target/debug/gatehouse");

interface Gatehouse {
  process: ChildProcess;
  home: string;
  /** Opens the panel once. */
  link: string;
  origin: string;
}

async function startGatehouse(): Promise<Gatehouse> {
  const home = mkdtempSync(join(tmpdir(), "gatehouse-browser-"));
  const env = { PATH: process.env["PATH"] ?? "", GATEHOUSE_HOME: home, GATEHOUSE_VAULT: "memory" };
  const program = spawn(PROGRAM, ["serve", "--panel", "--port", "0"], { env, stdio: ["ignore", "pipe", "inherit"] });
  const link = await new Promise<string>((resolve, reject) => {
    let said = "";
    program.on("exit", (code) => reject(new Error(`gatehouse ended with ${code}: ${said}`)));
    program.stdout.on("data", (piece: Buffer) => {
      said += piece.toString();
      const [found] = /http:\/\/\S+#one-time=\S+(?=\s)/.exec(said) ?? [];
      if (found !== undefined) resolve(found);
    });
  });
  return { process: program, home, link, origin: new URL(link).origin };
}

/** A page that tries to act as the panel, and says when it has tried everything. */
function hostilePage(panel: string): string {
  return `<!doctype html><title>trying</title>
    <iframe src="${panel}/"></iframe>
    <form method="post" enctype="text/plain" action="${panel}/control/v1/client_add" target="frame">
      <input name='{"id":"by-form","expires_in_days":null,"x":"' value='"}'></form>
    <iframe name="frame"></iframe>
    <script>
      const call = (mode, type) => fetch("${panel}/control/v1/client_add", { method: "POST", mode, credentials: "include",
        headers: { "content-type": type }, body: JSON.stringify({ id: "by-" + mode, expires_in_days: null }) });
      const read = () => fetch("${panel}/control/v1/status", { method: "POST", credentials: "include",
        headers: { "content-type": "application/json" }, body: "null" }).then((answer) => answer.text());
      const listen = () => new Promise((resolve, reject) => {
        const source = new EventSource("${panel}/control/v1/events", { withCredentials: true });
        source.onopen = resolve; source.onerror = reject; });
      document.forms[0].submit();
      Promise.allSettled([call("cors", "application/json"), call("no-cors", "text/plain"), read(), listen()])
        .then(([, , status, events]) => { document.title = [status.status, events.status, document.cookie,
          Object.keys(sessionStorage).length + Object.keys(localStorage).length].join(" "); });
    </script>`;
}

async function startOther(panel: string): Promise<{ server: Server; url: string; seen: IncomingHttpHeaders[] }> {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((request, answer) => {
    seen.push(request.headers);
    answer.setHeader("content-type", "text/html").end(hostilePage(panel));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

/** The status of a call with these headers, as a program of the other server's would send it. */
async function callWith(origin: string, headers: Record<string, string>): Promise<number> {
  const answer = await fetch(`${origin}/control/v1/status`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: "null",
  });
  return answer.status;
}

function storedSession(page: Page): Promise<string | null> {
  return page.evaluate(() => sessionStorage.getItem("gatehouse.session"));
}

test.describe("with the real program", () => {
  test.skip(GIVEN === undefined && !existsSync(PROGRAM), "gatehouse is not built; cargo xtask test builds it");
  let gatehouse: Gatehouse;
  test.beforeEach(async () => {
    gatehouse = await startGatehouse();
  });
  test.afterEach(async () => {
    const ended = once(gatehouse.process, "exit");
    gatehouse.process.kill("SIGTERM");
    await ended;
    rmSync(gatehouse.home, { recursive: true, force: true });
  });

  test("another server on 127.0.0.1 gets no credential and can call nothing", async ({ page, context }) => {
    const { link, origin } = gatehouse;
    await page.goto(link);
    await expect(page.locator("main h1")).toBeVisible();
    const session = await storedSession(page);
    expect(await callWith(origin, { authorization: `Bearer ${session}` })).toBe(200);
    expect(await context.cookies()).toEqual([]);

    const other = await startOther(origin);
    try {
      const hostile = await context.newPage();
      await hostile.goto(other.url);
      await expect(hostile).toHaveTitle("rejected rejected  0");
      // The panel itself leads there, as a link in a model's answer could.
      await page.evaluate((url) => window.location.assign(url), other.url);
      await expect(page).toHaveTitle("rejected rejected  0");
      await page.goBack();
      await expect(page.locator("main h1")).toBeVisible();
      expect(other.seen.length).toBeGreaterThanOrEqual(2);
      for (const headers of other.seen) {
        expect(headers.cookie).toBeUndefined();
        expect(headers.authorization).toBeUndefined();
        expect(headers.referer ?? "").not.toContain("one-time");
        expect(JSON.stringify(headers)).not.toContain(session);
        // What it saw opens nothing, however it is sent.
        const shown = Object.entries(headers).flatMap(([name, value]) =>
          ["host", "connection", "content-length"].includes(name) ? [] : [[name, String(value)]],
        );
        expect([401, 403]).toContain(await callWith(origin, Object.fromEntries(shown) as Record<string, string>));
      }
    } finally {
      other.server.closeAllConnections();
      other.server.close();
    }
    await page.goto(`${origin}/#/clients`);
    await expect(page.getByText("No clients yet", { exact: true })).toBeVisible();
  });

  test("a link works once; a reload keeps the session, another tab has none, signing out ends it", async ({
    page,
    context,
  }) => {
    const { link, origin } = gatehouse;
    await page.goto(link);
    await expect(page.locator("main h1")).toBeVisible();
    const { entries } = await (await context.newCDPSession(page)).send("Page.getNavigationHistory");
    expect(entries.map((entry) => entry.url).filter((url) => url.includes("one-time"))).toEqual([]);
    await page.reload();
    await expect(page.getByRole("region", { name: "Verdict" })).toBeVisible();

    const second = await context.newPage();
    await second.goto(`${origin}/`);
    await expect(second.getByRole("heading", { name: "Sign in to Gatehouse" })).toBeVisible();
    await expect(second.getByText("gatehouse panel", { exact: true })).toBeVisible();
    await second.goto(link);
    await expect(second.getByRole("heading", { name: /already used or has expired/ })).toBeVisible();
    expect(second.url()).toBe(`${origin}/#/`);

    const session = await storedSession(page);
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page.getByRole("heading", { name: "You are signed out" })).toBeVisible();
    expect(await storedSession(page)).toBeNull();
    expect(await callWith(origin, { authorization: `Bearer ${session}` })).toBe(401);
    // A used link, pasted into the same tab.
    await page.goto(link);
    await expect(page.getByRole("heading", { name: /already used or has expired/ })).toBeVisible();
  });
});
