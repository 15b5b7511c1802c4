/** Chooses the address of a new backend: a provider or local server, found by typing, or a custom address. */
import { Command } from "cmdk";
import { Cloud, HardDrive, Plus, type LucideIcon } from "lucide-react";
import { kindLabel } from "@/features/backends/dialects";
import { Button } from "@/components/button/button";
import { DialogFoot } from "@/components/overlay/dialog";
import { Reading } from "@/components/notice/reading";
import { SkeletonRows } from "@/components/notice/skeleton";
import type { BackendPresetView } from "@/ipc/bindings";
import { usePresets } from "@/ipc/queries";
import { matchesFilter } from "@/lib/filter";

export function PresetChooser({ onChoose }: { onChoose: (preset: BackendPresetView | null) => void }) {
  const presets = usePresets();
  return (
    <Reading of={presets} skeleton={<SkeletonRows rows={8} label="Loading providers" />}>
      {(all) => <Chooser presets={all} onChoose={onChoose} />}
    </Reading>
  );
}

function Chooser({
  presets,
  onChoose,
}: {
  presets: BackendPresetView[];
  onChoose: (preset: BackendPresetView | null) => void;
}) {
  const row = (preset: BackendPresetView, icon: LucideIcon) => (
    <Row
      key={preset.id}
      id={preset.id}
      icon={icon}
      name={preset.label}
      kind={kindLabel(preset.kind)}
      place={new URL(preset.base_url).host}
      onChoose={() => onChoose(preset)}
    />
  );
  return (
    <>
      <Command
        label="Find a provider"
        loop
        filter={(id, search, texts = []) => (matchesFilter(search, [id, ...texts]) ? 1 : 0)}
        className="flex min-h-0 flex-1 flex-col"
      >
        <Command.Input
          ref={focusAgain}
          data-autofocus
          placeholder="Search providers and local servers…"
          className="h-11 shrink-0 border-b border-line bg-transparent px-5 text-15 text-ink-1 outline-none"
        />
        <Command.List className="min-h-0 flex-1 overflow-y-auto p-2 [&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-11 [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-ink-3">
          <Command.Group heading="Providers">
            {presets.filter((preset) => !preset.local).map((preset) => row(preset, Cloud))}
          </Command.Group>
          <Command.Group heading="Local, no key needed">
            {presets.filter((preset) => preset.local).map((preset) => row(preset, HardDrive))}
          </Command.Group>
          <Command.Empty className="px-3 py-6 text-center text-ink-2">
            No results. Use a custom address instead.
          </Command.Empty>
        </Command.List>
      </Command>
      {/* Outside of the list, which handles every Enter inside it as a choice. */}
      <DialogFoot>
        <Button look="quiet" icon={Plus} className="mr-auto -ml-3" onClick={() => onChoose(null)}>
          Custom address
        </Button>
      </DialogFoot>
    </>
  );
}

/**
 * Restores the focus on the way back from the next step, whose focused button is gone. A dialog that opens sets the
 * focus itself.
 */
function focusAgain(input: HTMLInputElement | null): void {
  if (document.activeElement === document.body) input?.focus();
}

interface RowProps {
  id: string;
  icon: LucideIcon;
  name: string;
  kind: string;
  place: string;
  onChoose: () => void;
}

function Row({ id, icon: Icon, name, kind, place, onChoose }: RowProps) {
  // Omits the usual kind, and a kind that is part of the name.
  const isSaid = kind === kindLabel("openai-compatible") || name.includes(kind);
  return (
    <Command.Item
      value={id}
      keywords={[name, kind, place]}
      onSelect={onChoose}
      className="flex h-9 items-center gap-3 rounded-control px-3 text-ink-2 data-[selected=true]:bg-surface-2 data-[selected=true]:text-ink-1"
    >
      <Icon size={16} strokeWidth={1.5} aria-hidden className="shrink-0 text-ink-3" />
      <span className="shrink-0 font-medium text-ink-1">{name}</span>
      {!isSaid && <span className="shrink-0 text-12 text-ink-3">{kind} API</span>}
      <span className="ml-auto min-w-0 truncate font-mono text-12 text-ink-3">{place}</span>
    </Command.Item>
  );
}
