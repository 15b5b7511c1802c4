/** Every setting with its default and its range, the file behind them and what is wrong with it. */
import { useState } from "react";
import { FilePart } from "@/features/settings/file-part";
import { SharedCachePart } from "@/features/settings/cache-part";
import { numberLabel } from "@/features/settings/resilience-numbers";
import { ResiliencePart } from "@/features/settings/resilience-part";
import { SettingsForm } from "@/features/settings/settings-form";
import { SettingsProblems } from "@/features/settings/settings-problems";
import { VaultPart } from "@/features/settings/vault-part";
import { NotificationsPart, ThemePart } from "@/features/settings/desktop-parts";
import { labelOf } from "@/features/settings/setting-fields";
import { EmptyState } from "@/components/empty-state";
import { FilterInput } from "@/components/filter-input";
import { Notice } from "@/components/notice";
import { Page } from "@/components/page";
import { Reading } from "@/components/reading";
import { Skeleton } from "@/components/skeleton";
import type { SettingsValues, SettingsView } from "@/ipc/bindings";
import { useSettings } from "@/ipc/queries";
import { matchesFilter } from "@/lib/filter";
import { SearchX } from "lucide-react";
import { SECTIONS } from "@/features/settings/setting-fields";

export function SettingsScreen() {
  const settings = useSettings();
  const [filter, setFilter] = useState("");
  return (
    <Page
      title="Settings"
      lead={settings.data && leadOf(settings.data)}
      actions={<FilterInput label="Find a setting" value={filter} onChange={setFilter} />}
    >
      <Reading of={settings} skeleton={<SettingsSkeleton />}>
        {(data) => <Body settings={data} filter={filter} />}
      </Reading>
    </Page>
  );
}

/** For comparing: one of the values is more than a word or a number. */
function spell(values: SettingsValues, key: string): string {
  return JSON.stringify(values[key as keyof SettingsValues]);
}

function leadOf(settings: SettingsView): string {
  if (!settings.valid) return "The file has errors: defaults are in force.";
  const changed = Object.keys(settings.values).filter(
    (key) => spell(settings.values, key) !== spell(settings.defaults, key),
  );
  return changed.length === 0
    ? "Everything is at its default."
    : `Changed from the default: ${changed.map((key) => labelOf(key).toLowerCase()).join(", ")}.`;
}

/** Which parts the words of the search leave. */
const PARTS = {
  theme: "colours theme dark light system appearance",
  notifications: "desktop notifications test alert",
  shared: "shared cache redis valkey server address password",
  resilience: "resilience breaker failures retries cooldown careful balanced eager numbers",
  vault: "vault keys keychain encrypted file passphrase environment memory where kept",
  file: "folders file ledger size logs data config path",
};

function Body({ settings, filter }: { settings: SettingsView; filter: string }) {
  const has = (part: keyof typeof PARTS) => matchesFilter(filter, [PARTS[part]]);
  const hasNumbers = SECTIONS.some((section) =>
    section.settings.some((setting) =>
      matchesFilter(filter, [section.title, setting.label, setting.detail, setting.key]),
    ),
  );
  const hasResilience =
    has("resilience") ||
    settings.resilience.fields.some(({ name, meaning }) => matchesFilter(filter, [numberLabel(name), name, meaning]));
  const parts = Object.keys(PARTS) as (keyof typeof PARTS)[];
  const hasNone = !hasNumbers && !hasResilience && !parts.some(has);
  return (
    <div className="grid grid-cols-1 gap-8 @min-[940px]:grid-cols-[minmax(0,760px)_160px]">
      <div className="flex min-w-0 flex-col gap-4">
        <SettingsProblems settings={settings} />
        {settings.restart_needed_for.length > 0 && (
          <Notice
            tone="warn"
            title={`Restart Gatehouse for: ${settings.restart_needed_for.map((key) => labelOf(key).toLowerCase()).join(", ")}.`}
          >
            Saved, and in force from the next start.
          </Notice>
        )}
        {has("theme") && <ThemePart settings={settings} />}
        {hasNumbers && <SettingsForm settings={settings} filter={filter} />}
        {has("shared") && <SharedCachePart settings={settings} />}
        {hasResilience && <ResiliencePart settings={settings} filter={filter} />}
        {has("vault") && <VaultPart settings={settings} />}
        {has("notifications") && <NotificationsPart settings={settings} />}
        {has("file") && <FilePart settings={settings} />}
        {hasNone && (
          <section aria-label="Nothing found" className="rounded-card border border-line bg-surface-1">
            <EmptyState icon={SearchX} title="No setting matches">
              Try a part of its name, or a unit.
            </EmptyState>
          </section>
        )}
      </div>
      <OnThisPage />
    </div>
  );
}

/** Jumps to a part. The fragment of the address is the router's, so these are buttons. */
function OnThisPage() {
  const numbers = SECTIONS.map((section) => section.title);
  const titles = ["Appearance", ...numbers, "Shared cache", "Resilience", "Vault", "Notifications", "On the disk"];
  return (
    <nav aria-label="On this page" className="sticky top-5 hidden self-start @min-[940px]:block">
      <ul className="flex flex-col border-l border-line">
        {titles.map((title) => (
          <li key={title}>
            <button
              type="button"
              onClick={() =>
                document.querySelector(`section[aria-label="${title}"]`)?.scrollIntoView({ block: "start" })
              }
              className="block w-full rounded-mark px-3 py-1 text-left text-12 text-ink-2 hover:text-ink-1"
            >
              {title}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function SettingsSkeleton() {
  return (
    <div role="status" aria-label="Reading the settings" className="flex max-w-[760px] flex-col gap-4">
      <Skeleton className="h-20 rounded-card" />
      <Skeleton className="h-64 rounded-card" />
      <Skeleton className="h-64 rounded-card" />
    </div>
  );
}
