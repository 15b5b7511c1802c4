/** Every setting with its default and range, the settings file and its errors. */
import { useState } from "react";
import { AgentsPart } from "@/features/settings/agents-part";
import { AuditPart } from "@/features/settings/audit-part";
import { BackupPart } from "@/features/settings/backup-part";
import { ExportPart } from "@/features/settings/export-part";
import { ProfilesPart } from "@/features/settings/profiles-part";
import { LedgerPart } from "@/features/settings/ledger-part";
import { FilePart } from "@/features/settings/file-part";
import { SharedCachePart } from "@/features/settings/cache-part";
import { numberLabel } from "@/features/settings/resilience-numbers";
import { ResiliencePart } from "@/features/settings/resilience-part";
import { SettingsForm } from "@/features/settings/settings-form";
import { SettingsProblems } from "@/features/settings/settings-problems";
import { VaultPart } from "@/features/settings/vault-part";
import { NotificationsPart, ThemePart } from "@/features/settings/desktop-parts";
import { labelOf } from "@/features/settings/setting-fields";
import { SETTINGS_PARTS, type SettingsPart } from "@/features/settings/settings-parts";
import { EmptyState } from "@/components/notice/empty-state";
import { FilterInput } from "@/components/filter/filter-input";
import { Page } from "@/components/layout/page";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import type { SettingsValues, SettingsView } from "@/ipc/bindings";
import { useSettings } from "@/ipc/queries";
import { matchesFilter } from "@/lib/filter";
import { SETTINGS } from "@/lib/form-tables";
import { SearchX } from "lucide-react";
import { SECTIONS } from "@/features/settings/setting-fields";

interface SettingsScreenProps {
  /** The title of the section to scroll to. */
  part?: string | null;
}

export function SettingsScreen({ part = null }: SettingsScreenProps) {
  const settings = useSettings();
  const [filter, setFilter] = useState("");
  return (
    <Page
      title="Settings"
      lead={settings.data && leadOf(settings.data)}
      actions={<FilterInput label="Search settings" value={filter} onChange={setFilter} />}
    >
      <Reading of={settings} skeleton={<SettingsSkeleton />}>
        {(data) => <Body key={part} part={part} settings={data} filter={filter} />}
      </Reading>
    </Page>
  );
}

/** For comparison: some values are objects. */
function spell(values: SettingsValues, key: string): string {
  return JSON.stringify(values[key as keyof SettingsValues]);
}

function leadOf(settings: SettingsView): string {
  if (!settings.valid) return "The settings file has errors; defaults or the last valid settings are in use.";
  const keys = [...SETTINGS.flatMap(({ key, card }) => (card === null ? [] : [key])), "resilience"];
  const changed = keys.filter((key) => spell(settings.values, key) !== spell(settings.defaults, key));
  return changed.length === 0
    ? "All settings are at their defaults."
    : `Changed from default: ${changed.map((key) => labelOf(key).toLowerCase()).join(", ")}.`;
}

/** Stable functions, so that it scrolls once, when the section is mounted. */
const reveals = new Map<string, (body: HTMLElement | null) => void>();

function revealPart(part: string | null): ((body: HTMLElement | null) => void) | null {
  if (part === null) return null;
  const reveal =
    reveals.get(part) ??
    ((body: HTMLElement | null) =>
      body?.querySelector(`section[aria-label="${CSS.escape(part)}"]`)?.scrollIntoView({ block: "start" }));
  reveals.set(part, reveal);
  return reveal;
}

function Body({ part, settings, filter }: { part: string | null; settings: SettingsView; filter: string }) {
  const has = (part: SettingsPart) =>
    SETTINGS_PARTS.some(({ id, title, words }) => id === part && matchesFilter(filter, [title, words]));
  const hasNumbers = SECTIONS.some((section) =>
    section.settings.some((setting) =>
      matchesFilter(filter, [section.title, setting.label, setting.meaning, setting.key]),
    ),
  );
  const hasResilience =
    has("resilience") ||
    settings.resilience.fields.some(({ name, meaning }) => matchesFilter(filter, [numberLabel(name), name, meaning]));
  const hasNone = !hasNumbers && !hasResilience && !SETTINGS_PARTS.some(({ id }) => has(id));
  return (
    <div ref={revealPart(part)} className="grid grid-cols-1 gap-8 @min-[940px]:grid-cols-[minmax(0,760px)_160px]">
      <div className="flex min-w-0 flex-col gap-4">
        <SettingsProblems settings={settings} />
        {has("theme") && <ThemePart settings={settings} />}
        {has("profiles") && <ProfilesPart />}
        {hasNumbers && <SettingsForm settings={settings} filter={filter} />}
        {has("shared") && <SharedCachePart settings={settings} />}
        {hasResilience && <ResiliencePart settings={settings} filter={filter} />}
        {has("vault") && <VaultPart settings={settings} />}
        {has("notifications") && <NotificationsPart settings={settings} />}
        {has("agents") && <AgentsPart settings={settings} />}
        {has("audit") && <AuditPart />}
        {has("backup") && <BackupPart />}
        {has("export") && <ExportPart />}
        {has("ledger") && <LedgerPart />}
        {has("file") && <FilePart settings={settings} />}
        {hasNone && (
          <section aria-label="Nothing found" className="rounded-card border border-line bg-surface-1">
            <EmptyState icon={SearchX} title="No matching settings">
              Try part of a name, or a unit.
            </EmptyState>
          </section>
        )}
      </div>
      <OnThisPage />
    </div>
  );
}

/** Jumps to a section. Buttons, because the fragment of the address belongs to the router. */
function OnThisPage() {
  const numbers = SECTIONS.map((section) => section.title);
  const titles = [
    "Appearance",
    "Profiles",
    ...numbers,
    "Shared cache",
    "Resilience",
    "Vault",
    "Notifications",
    "Agents",
    "Audit log",
    "Backup",
    "Export",
    "Ledger",
    "Files",
  ];
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
    <div role="status" aria-label="Loading settings" className="flex max-w-[760px] flex-col gap-4">
      <Skeleton className="h-20 rounded-card" />
      <Skeleton className="h-64 rounded-card" />
      <Skeleton className="h-64 rounded-card" />
    </div>
  );
}
