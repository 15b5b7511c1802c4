import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { HOUR_MS } from "@/lib/time";
import { choose } from "../../../test/choose";
import { undo } from "../../../test/undo";
import { NOW, renderPanel } from "../../../test/render-panel";

test("what fires is told with the worst first, and is acknowledged", async () => {
  const { host, user } = renderPanel("failing", "/alerts");
  const acknowledge = vi.spyOn(host, "alertAcknowledge");
  expect(await screen.findByText("2 alerts are firing, the worst is critical.")).toBeVisible();
  const firing = within(screen.getByRole("region", { name: "Firing" }));
  const [first] = firing.getAllByRole("listitem");
  expect(first).toHaveTextContent(/^Critical: Ollama is down.*no other backend/);
  expect(within(first!).getByRole("link", { name: "Open" })).toHaveAttribute("href", "#/backends/ollama");
  await user.click(within(first!).getByRole("button", { name: "Acknowledge" }));
  expect(acknowledge).toHaveBeenCalledWith({ number: 4 });
  await waitFor(() => expect(firing.getAllByRole("listitem")[0]).toHaveTextContent(/acknowledged/));
  expect(firing.getAllByRole("button", { name: "Acknowledge" })).toHaveLength(1);
});

test("what is about to fire, and what is part of another alert, is kept apart", async () => {
  renderPanel("failing", "/alerts");
  expect(await screen.findByRole("region", { name: "Pending" })).toHaveTextContent(
    "Budget agents will be used up early",
  );
  expect(screen.getByRole("region", { name: "Part of another alert" })).toHaveTextContent(
    "Route local has no backendPart of backend-down/ollama",
  );
});

test("an alert is silenced for a time, which is told beside it and can be taken back", async () => {
  const { host, user } = renderPanel("failing", "/alerts");
  const silence = vi.spyOn(host, "alertSilence");
  await user.click(await screen.findByRole("button", { name: "More for Ollama is down" }));
  await user.click(await screen.findByRole("menuitem", { name: "Silence for 8 hours" }));
  expect(silence).toHaveBeenCalledWith({
    rule: "backend-down",
    scope: "ollama",
    reason: "Ollama is down",
    until: NOW + 8 * HOUR_MS,
  });
  expect(await screen.findByText(/silenced \(ends/)).toBeVisible();
  await undo(user);
  await waitFor(() => expect(screen.queryByText(/silenced \(ends/)).not.toBeInTheDocument());
});

test("a silence is added with its reason, and removed", async () => {
  const { host, user } = renderPanel("failing", "/alerts/silences");
  expect(await screen.findByText("No silences")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Add silence" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Add silence" }));
  await choose(user, dialog.getByRole("combobox", { name: "Rule" }), "Backend failing");
  await user.type(dialog.getByLabelText(/^Name/), "groq");
  await user.type(dialog.getByLabelText(/^Reason/), "moving");
  const silence = vi.spyOn(host, "alertSilence");
  const late = { code: "invalid_input" as const, message: "name a time in the future", hint: null, field: "until" };
  silence.mockRejectedValueOnce(late);
  await user.click(dialog.getByRole("button", { name: "Add silence" }));
  expect(await dialog.findByText(late.message)).toBeVisible();
  await user.click(dialog.getByRole("button", { name: "Add silence" }));
  expect(silence).toHaveBeenLastCalledWith({
    rule: "breaker-open",
    scope: "groq",
    reason: "moving",
    until: NOW + HOUR_MS,
  });
  await user.click(await screen.findByRole("button", { name: "Remove the silence of Backend failing of groq" }));
  expect(await screen.findByText("No silences")).toBeVisible();
});

test("an alert is silenced until the next morning", async () => {
  const { host, user } = renderPanel("failing", "/alerts");
  const silence = vi.spyOn(host, "alertSilence");
  await user.click(await screen.findByRole("button", { name: "More for Ollama is down" }));
  await user.click(await screen.findByRole("menuitem", { name: "Silence until tomorrow, 08:00" }));
  const until = new Date(silence.mock.calls[0]![0].until);
  const today = new Date(NOW);
  expect([until.getDate() - today.getDate(), until.getHours(), until.getMinutes()]).toEqual([1, 8, 0]);
});

test("a rule that tells often for nothing is made quieter, which can be taken back", async () => {
  const { host, user } = renderPanel("busy", "/alerts/rules");
  const set = vi.spyOn(host, "alertRuleSet");
  const noisy = within(await screen.findByRole("region", { name: "Nobody acted on these" }));
  expect(noisy.getByRole("listitem")).toHaveTextContent(/^Unusual costFired 9 times in 7 days, and nobody acted/);
  await user.click(noisy.getByRole("button", { name: "Hold for 15 min: Unusual cost" }));
  const others = { threshold: null, minimum: null };
  expect(set).toHaveBeenCalledWith({
    rule: "spend-anomaly",
    delivery: null,
    hold_secs: 900,
    severity: null,
    ...others,
  });
  await waitFor(() => expect(screen.queryByRole("region", { name: "Nobody acted on these" })).toBeNull());
  await undo(user);
  expect(set).toHaveBeenLastCalledWith({
    rule: "spend-anomaly",
    delivery: "notification",
    hold_secs: 300,
    severity: "high",
    ...others,
  });
});

test("the editor of a rule draws what it compares beside its threshold, with a table behind it", async () => {
  const { user } = renderPanel("busy", "/alerts/rules");
  await user.click(await screen.findByRole("button", { name: "Edit the rule Requests to a backend fail" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Requests to a backend fail" }));
  const figure = within(await dialog.findByRole("figure", { name: "At most 4 %; fires from 1 % on." }));
  expect(figure.getByText(/^groq, what came closest to the threshold in each 2 h$/)).toBeVisible();
  const chart = figure.getByRole("slider", { name: /^What the rule compares/ });
  chart.focus();
  await user.keyboard("{ArrowLeft}");
  expect(chart).toHaveAttribute("aria-valuetext", expect.stringMatching(/^\d+ Nov, \d\d:\d\d–\d\d:\d\d: /));
  await user.click(figure.getByRole("button", { name: "Show as table" }));
  const table = within(figure.getByRole("region", { name: "What the rule compares" }));
  expect(table.getByRole("columnheader", { name: "groq" })).toBeVisible();
  expect(table.getAllByRole("row")).toHaveLength(85);
  expect(table.getAllByText("–").length).toBeGreaterThan(0);
});

test("a rule says when it fires, how often it did, and what becomes of its alerts", async () => {
  const { host, user } = renderPanel("failing", "/alerts/rules");
  const set = vi.spyOn(host, "alertRuleSet");
  const down = (await screen.findByRole("heading", { name: "Backend down" })).closest("li") as HTMLElement;
  expect(down).toHaveTextContent(/three times in a row.*2 times in 7 days/);
  await choose(user, within(down).getByRole("combobox"), "Inbox only");
  const others = { hold_secs: null, threshold: null, minimum: null, severity: null };
  expect(set).toHaveBeenCalledWith({ rule: "backend-down", delivery: "inbox", ...others });
  await waitFor(() => expect(within(down).getByRole("combobox")).toHaveTextContent("Inbox only"));
});

test("a rule that is not severe enough for the desktop says so", async () => {
  const { user } = renderPanel("busy", "/alerts/rules");
  const unknown = (await screen.findByRole("heading", { name: "Unknown cost" })).closest("li") as HTMLElement;
  expect(within(unknown).queryByText("· inbox only")).not.toBeInTheDocument();
  await choose(user, within(unknown).getByRole("combobox"), "Notify me");
  expect(await within(unknown).findByText("· inbox only")).toBeVisible();
  await user.click(within(unknown).getByRole("button", { name: "Edit the rule Unknown cost" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Unknown cost" }));
  const note = "In the inbox only: the desktop shows alerts from medium.";
  expect(dialog.getByText(note)).toBeVisible();
  await choose(user, dialog.getByLabelText("Severity"), "Medium");
  expect(dialog.queryByText(note)).not.toBeInTheDocument();
});

test("the numbers of a rule are changed with a preview, within their limits", async () => {
  const { host, user } = renderPanel("failing", "/alerts/rules");
  const set = vi.spyOn(host, "alertRuleSet");
  await user.click(await screen.findByRole("button", { name: "Edit the rule Disk almost full" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Disk almost full" }));
  const threshold = dialog.getByLabelText("Threshold");
  expect(threshold).toHaveValue("500");
  expect(dialog.queryByLabelText("Least number of requests")).toBeNull();
  await user.clear(threshold);
  await user.type(threshold, "900");
  expect(await dialog.findByText(/Fires when less than 900 MB are free/)).toBeVisible();
  await user.clear(threshold);
  await user.type(threshold, "9");
  expect(await dialog.findByText("a number from 50 to 100000 MB")).toBeVisible();
  await user.click(dialog.getByRole("button", { name: "Defaults" }));
  expect(threshold).toHaveValue("500");
  await user.clear(threshold);
  await user.type(threshold, "900");
  await user.click(dialog.getByRole("button", { name: "Save" }));
  expect(set).toHaveBeenLastCalledWith({
    rule: "disk-space",
    delivery: "notification",
    hold_secs: 300,
    threshold: 900,
    minimum: null,
    severity: "medium",
  });
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(await screen.findByText(/^less than 900 MB are free/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Disk almost full" }));
  expect(screen.getByText(/^Fires when less than 900 MB are free.* Ends when/)).toBeVisible();
  expect(screen.getByRole("button", { name: "Edit the rule Digest" })).toBeDisabled();
});

test("the history leads to an alert's time line, where a note is added", async () => {
  const { host, user } = renderPanel("failing", "/alerts/history");
  await user.click(await screen.findByRole("button", { name: "Budget openai is used up" }));
  expect(await screen.findByRole("heading", { level: 1, name: "Budget openai is used up" })).toBeVisible();
  const line = await screen.findByRole("list", { name: "Time line" });
  expect(
    within(line)
      .getAllByRole("listitem")
      .map((item) => item.textContent),
  ).toEqual([
    expect.stringContaining("The alert fired."),
    expect.stringContaining("A notification was shown."),
    expect.stringContaining("The alert was resolved"),
  ]);
  await user.click(screen.getByRole("button", { name: "Add note" }));
  expect(await screen.findByText("write something")).toBeVisible();
  await user.type(screen.getByLabelText("Note"), "The agent looped.");
  await user.click(screen.getByRole("button", { name: "Add note" }));
  expect(await within(line).findByText("The agent looped.")).toBeVisible();
  expect(screen.getByLabelText("Note")).toHaveValue("");
  const { markdown } = await host.incident({ number: 2 });
  await user.click(screen.getByRole("button", { name: "Copy as Markdown" }));
  expect(await navigator.clipboard.readText()).toBe(markdown);
});

test("an alert that is gone says so", async () => {
  renderPanel("busy", "/alerts/99");
  expect(await screen.findByText("there is no alert 99")).toBeVisible();
});

test("the inbox counts what was not looked at; an entry opens its alert and is read", async () => {
  const { user } = renderPanel("failing", "/");
  await user.click(await screen.findByRole("button", { name: "Inbox, 3 unread entries" }));
  const inbox = within(await screen.findByRole("dialog", { name: "Inbox" }));
  const entries = await inbox.findByRole("list", { name: "Entries" });
  expect(within(entries).getAllByRole("listitem")).toHaveLength(5);
  const entry = inbox.getByRole("link", { name: /^Unread, High: OpenRouter rejected its key/ });
  expect(entry).toHaveAttribute("href", "#/alerts/5");
  await user.click(entry);
  await user.click(await screen.findByRole("button", { name: "Inbox, 2 unread entries" }));
  await user.click(await screen.findByRole("button", { name: "Mark all read" }));
  expect(await screen.findByText("Nothing unread.")).toBeVisible();
});

test.each([
  ["/alerts", "No alerts are firing"],
  ["/alerts/history", "No alert has fired yet"],
  ["/alerts/silences", "No silences"],
])("without alerts %s says why it is empty", async (path, title) => {
  renderPanel("fresh", path);
  expect(await screen.findByText(title)).toBeVisible();
});

test("a channel that fails says so, and a test asks whether it arrived", async () => {
  const { host, user } = renderPanel("failing", "/alerts/channels");
  expect(await screen.findByText("Webhook does not work.")).toBeVisible();
  expect(screen.getByText("It answered with status 503.")).toBeVisible();
  const answer = vi.spyOn(host, "alertTestAnswer");
  await user.click(screen.getByRole("button", { name: "Send test: Webhook" }));
  expect(await screen.findByText("The test was sent. Did it arrive?")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "No" }));
  expect(answer).toHaveBeenCalledWith({ channel: "webhook", is_seen: false });
  expect(await screen.findByText("The test did not arrive")).toBeVisible();
});

test("the address of a webhook is stored, with the core's word on a wrong one", async () => {
  const { host, user } = renderPanel("failing", "/alerts/channels");
  const store = vi.spyOn(host, "alertChannelSecret");
  await user.click(await screen.findByRole("button", { name: "Replace address" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Address of webhook" }));
  await user.type(dialog.getByLabelText("Address"), "http://hooks.example.com/x");
  await user.click(dialog.getByRole("button", { name: "Store" }));
  expect(await dialog.findByText(/must begin with https/)).toBeVisible();
  await user.clear(dialog.getByLabelText("Address"));
  await user.type(dialog.getByLabelText("Address"), "https://other.example.com/x");
  await user.click(dialog.getByRole("button", { name: "Store" }));
  expect(store).toHaveBeenLastCalledWith({ channel: "webhook", secret: "https://other.example.com/x" });
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
});

test("a rule is tried on the past with the numbers that are typed, beside the saved ones and what fired", async () => {
  const { host, user } = renderPanel("failing", "/alerts/rules");
  const tried = vi.spyOn(host, "alertRuleBacktest");
  await user.click(await screen.findByRole("button", { name: "Edit the rule Requests to a backend fail" }));
  const test = within(await screen.findByRole("region", { name: "Back-test" }));
  expect(await test.findByText(/^Would have fired 3 times in 7 days, for .* in all\. In fact/)).toBeVisible();
  await user.clear(screen.getByLabelText(/^Threshold/));
  await user.type(screen.getByLabelText(/^Threshold/), "3");
  expect(await test.findByText(/^Would have fired once in 7 days.*with the saved numbers: 3 times/)).toBeVisible();
  expect(tried).toHaveBeenLastCalledWith({
    numbers: expect.objectContaining({ rule: "error-rate", threshold: 3 }),
    days: 7,
  });
  await user.click(test.getByRole("radio", { name: "30 days" }));
  expect(await test.findByText(/^Would have fired twice in 30 days/)).toBeVisible();
  const slider = test.getByRole("slider", { name: /^Alerts of the past/ });
  slider.focus();
  await user.keyboard("{ArrowRight}");
  expect(slider).toHaveAttribute("aria-valuetext", expect.stringMatching(/^Would fire: Requests to a backend fail, /));
});

test("a rule without recorded facts says so, and not that it would never have fired", async () => {
  const { user } = renderPanel("failing", "/alerts/rules");
  await user.click(await screen.findByRole("button", { name: "Edit the rule Keys cannot be read" }));
  const test = within(await screen.findByRole("region", { name: "Back-test" }));
  expect(await test.findByText(/^Too little is recorded to try this rule\./)).toBeVisible();
  expect(test.queryByText(/Would/)).not.toBeInTheDocument();
});

test("what only the samples since the start tell is tried on the time that they cover", async () => {
  const { user } = renderPanel("failing", "/alerts/rules");
  await user.click(await screen.findByRole("button", { name: "Edit the rule Disk almost full" }));
  const test = within(await screen.findByRole("region", { name: "Back-test" }));
  expect(await test.findByText(/^Would not have fired in the 6 h that are known\. In fact/)).toBeVisible();
  expect(test.getByText(/of six hours at most; older ones are not kept\.$/)).toBeVisible();
});

test("a rehearsal shows what would be told and when, marked as one", async () => {
  const { user } = renderPanel("failing", "/alerts/rules");
  await user.click(await screen.findByRole("button", { name: "Edit the rule Disk almost full" }));
  await user.click(await screen.findByRole("button", { name: "Rehearse" }));
  const steps = within(await screen.findByRole("list", { name: "Steps of the rehearsal" }));
  const all = steps.getAllByRole("listitem").map((item) => item.textContent);
  expect(all[0]).toBe("at onceThe condition holds.");
  expect(all[2]).toMatch(/^5 min 30 sThe desktop shows a notification\.Rehearsal: Disk almost full/);
  expect(all.at(-1)).toMatch(/The alert ends/);
  await user.click(screen.getByRole("button", { name: "Hide rehearsal" }));
  expect(screen.queryByRole("list", { name: "Steps of the rehearsal" })).not.toBeInTheDocument();
});

const ladderOrder = (wait: string) => [
  /^at onceInbox/,
  /^30 sNotification/,
  new RegExp(`^${wait}Notification with a sound`),
];

test("the ladder says who is told when, and its waits and severities are set in place", async () => {
  const { host, user } = renderPanel("failing", "/alerts/channels");
  const set = vi.spyOn(host, "alertLadderSet");
  const steps = within(await screen.findByRole("list", { name: "Steps of the ladder" }));
  const texts = () => steps.getAllByRole("listitem").map((step) => step.textContent);
  expect(texts().slice(0, 3)).toEqual(ladderOrder("10 min").map((step) => expect.stringMatching(step)));
  await choose(user, screen.getByRole("combobox", { name: "Notification with a sound: wait" }), "After 1 min");
  expect(set).toHaveBeenCalledWith({ step: "sound", wait_secs: 60, from_severity: null });
  await waitFor(() =>
    expect(texts().slice(0, 3)).toEqual(ladderOrder("1 min").map((step) => expect.stringMatching(step))),
  );
  await choose(user, screen.getByRole("combobox", { name: "Notification with a sound: from severity" }), "From high");
  expect(set).toHaveBeenLastCalledWith({ step: "sound", wait_secs: null, from_severity: "high" });
  expect(steps.getAllByRole("listitem").at(-1)).toHaveTextContent(/^offMailOff\. Switch it on/);
});
