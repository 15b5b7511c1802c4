/** Finds keys in plain text on this machine, imports the chosen ones and removes their copies. No key is shown or leaves the core. */
import { SearchCheck } from "lucide-react";
import { useState, type ReactNode } from "react";
import { Button } from "@/components/button/button";
import { Dialog, DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { EmptyState } from "@/components/notice/empty-state";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { Notice } from "@/components/notice/notice";
import { SkeletonRows } from "@/components/notice/skeleton";
import { StateMark } from "@/components/state/state-mark";
import { Tick } from "@/components/form/tick";
import { RemoveCopies } from "@/features/keys/remove-copies";
import { RemovedCopyList } from "@/features/keys/removed-copies";
import { useAction } from "@/ipc/actions";
import type { KeyImportView, KeysScan, KeysScanView, PlainKeyPlaceView, PlainKeyView } from "@/ipc/bindings";
import { useKeysScan } from "@/ipc/queries";
import { formatCounted } from "@/lib/quantity";

export function FindKeysDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      width="wide"
      steady
      title="Find keys"
      description="Keys in plain text in shell profiles, the files of coding tools and the environment. No file changes before you have seen how."
    >
      <FindKeys onClose={onClose} />
    </Dialog>
  );
}

function FindKeys({ onClose }: { onClose: () => void }) {
  const [path, setPath] = useState("");
  const [scan, setScan] = useState<KeysScan>({ known_files: true, paths: [] });
  const [dropped, setDropped] = useState<readonly string[]>([]);
  const [withBackends, setWithBackends] = useState(true);
  const [removing, setRemoving] = useState<readonly string[] | null>(null);
  const found = useKeysScan(scan);
  const imports = useAction("keysImport", (call, chosen: PlainKeyView[]) =>
    call({
      scan,
      keys: chosen.map((key) => ({
        fingerprint: key.fingerprint,
        name: key.name,
        add_backend: withBackends && key.preset !== null,
      })),
    }),
  );
  const keys = found.data?.keys ?? [];
  const chosen = keys.filter((key) => key.stored_as === null && !dropped.includes(key.fingerprint));
  const endRemoval = () => {
    imports.reset();
    setRemoving(null);
  };
  if (removing !== null) return <RemoveCopies scan={scan} keys={removing} onBack={endRemoval} />;
  if (imports.data && found.data)
    return <ImportedKeys outcomes={imports.data} found={found.data} onRemove={setRemoving} onClose={onClose} />;
  const toggle = (fingerprint: string, isChosen: boolean) =>
    setDropped((before) => (isChosen ? before.filter((id) => id !== fingerprint) : [...before, fingerprint]));
  const search = () => setScan({ known_files: true, paths: path.trim() === "" ? [] : [path.trim()] });
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        imports.mutate(chosen);
      }}
      className="flex min-h-0 grow flex-col"
    >
      <DialogBody className="flex grow flex-col gap-4">
        <SearchPlace path={path} onPath={setPath} busy={found.isFetching && !found.isPending} onSearch={search} />
        <ErrorNotice error={found.error ?? imports.error} />
        {found.isPending && <SkeletonRows rows={4} label="Looking for keys" />}
        {found.data && (
          <FoundKeys found={found.data} dropped={dropped} onToggle={toggle} onRemove={(key) => setRemoving([key])} />
        )}
        <RemovedCopyList />
      </DialogBody>
      <DialogFoot>
        {chosen.some((key) => key.preset !== null) && (
          <div className="mr-auto">
            <Tick
              type="checkbox"
              label="Add backends too"
              note="For each provider that is known"
              checked={withBackends}
              onChange={(event) => setWithBackends(event.target.checked)}
            />
          </div>
        )}
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" disabled={chosen.length === 0} busy={imports.isPending}>
          {chosen.length === 0 ? "Import" : `Import ${formatCounted(chosen.length, "key", "keys")}`}
        </Button>
      </DialogFoot>
    </form>
  );
}

interface SearchPlaceProps {
  path: string;
  onPath: (path: string) => void;
  busy: boolean;
  onSearch: () => void;
}

function SearchPlace({ path, onPath, busy, onSearch }: SearchPlaceProps) {
  return (
    <div className="flex items-start gap-2">
      <div className="grow">
        <Field label="Also look into" optional help="The whole path of a file, or of a folder with .env files.">
          {(control) => (
            <TextInput
              {...control}
              mono
              value={path}
              placeholder="/home/me/work"
              onChange={(event) => onPath(event.target.value)}
              onKeyDown={(event) => {
                if (event.key !== "Enter") return;
                event.preventDefault();
                onSearch();
              }}
            />
          )}
        </Field>
      </div>
      <div className="pt-5.5">
        <Button onClick={onSearch} busy={busy}>
          Search
        </Button>
      </div>
    </div>
  );
}

function FoundKeys({
  found,
  dropped,
  onToggle,
  onRemove,
}: {
  found: KeysScanView;
  dropped: readonly string[];
  onToggle: (fingerprint: string, isChosen: boolean) => void;
  onRemove: (fingerprint: string) => void;
}) {
  return (
    <>
      {!found.vault_was_read && found.keys.length > 0 && (
        <Notice tone="warn" title="The vault is not open">
          It is not known which of these keys it already holds.
        </Notice>
      )}
      {found.keys.length === 0 ? (
        <EmptyState icon={SearchCheck} title="No keys in plain text">
          {`${formatCounted(found.files, "file was", "files were")} read.`}
        </EmptyState>
      ) : (
        <ul aria-label="Keys in plain text" className="flex flex-col rounded-card border border-line">
          {found.keys.map((key) => (
            <li key={key.fingerprint} className="border-b border-line px-3 py-2.5 last:border-0">
              <FoundKey
                found={key}
                isChosen={key.stored_as === null && !dropped.includes(key.fingerprint)}
                onToggle={(isChosen) => onToggle(key.fingerprint, isChosen)}
                onRemove={() => onRemove(key.fingerprint)}
              />
            </li>
          ))}
        </ul>
      )}
      {found.is_truncated && <Notice tone="warn" title="There are more keys or places than this list has" />}
      {found.problems.length > 0 && (
        <Notice tone="warn" title="Some places could not be read">
          <ul className="flex flex-col">
            {found.problems.map((problem) => (
              <li key={problem} className="break-all">
                {problem}
              </li>
            ))}
          </ul>
        </Notice>
      )}
    </>
  );
}

function FoundKey({
  found,
  isChosen,
  onToggle,
  onRemove,
}: {
  found: PlainKeyView;
  isChosen: boolean;
  onToggle: (isChosen: boolean) => void;
  onRemove: () => void;
}) {
  const label = found.provider ?? "Unknown provider";
  const tail = found.tail === null ? "" : ` …${found.tail}`;
  const note = found.stored_as === null ? `Stored as ${found.name}` : `In the vault as ${found.stored_as}`;
  return (
    <div className="grid grid-cols-[minmax(0,13rem)_minmax(0,1fr)] gap-3">
      {found.stored_as === null ? (
        <Tick
          type="checkbox"
          label={`${label}${tail}`}
          note={note}
          checked={isChosen}
          onChange={(event) => onToggle(event.target.checked)}
        />
      ) : (
        <div className="flex flex-col items-start gap-1.5 pl-6.5">
          <div>
            <p className="text-13 text-ink-1">{`${label}${tail}`}</p>
            <p className="text-12 text-ink-3">{note}</p>
          </div>
          {found.places.length > 0 && (
            <Button size="small" onClick={onRemove} aria-label={`Remove copies of ${label}${tail}`}>
              {found.places.length === 1 ? "Remove copy…" : "Remove copies…"}
            </Button>
          )}
        </div>
      )}
      <div className="flex min-w-0 flex-col gap-0.5">
        {found.variable !== null && (
          <p className="text-12 text-ink-2">
            <span className="font-mono">{found.variable}</span> in the environment of Gatehouse
          </p>
        )}
        <Places places={found.places} />
      </div>
    </div>
  );
}

function Places({ places }: { places: PlainKeyPlaceView[] }): ReactNode {
  return (
    <ul aria-label="Places" className="flex min-w-0 flex-col gap-0.5 text-12">
      {places.map((place) => (
        <li key={`${place.path}:${place.line}`} className="flex min-w-0 gap-2">
          <span className="truncate font-mono text-ink-2" title={`${place.path}:${place.line}`}>
            {`${place.path}:${place.line}`}
          </span>
          {place.reader !== null && <span className="ml-auto shrink-0 text-ink-3">{place.reader}</span>}
        </li>
      ))}
    </ul>
  );
}

/** What came of the import, and the lines that still hold the keys. */
function ImportedKeys({
  outcomes,
  found,
  onRemove,
  onClose,
}: {
  outcomes: KeyImportView[];
  found: KeysScanView;
  onRemove: (fingerprints: readonly string[]) => void;
  onClose: () => void;
}) {
  const stored = outcomes.filter((outcome) => outcome.error === null).map((outcome) => outcome.fingerprint);
  const left = found.keys.filter((key) => stored.includes(key.fingerprint)).flatMap((key) => key.places);
  return (
    <>
      <DialogBody className="flex grow flex-col gap-4">
        <ul aria-label="Imported keys" className="flex flex-col rounded-card border border-line">
          {outcomes.map((outcome) => (
            <li key={outcome.fingerprint} className="flex gap-2.5 border-b border-line px-3 py-2.5 last:border-0">
              <span className="pt-1">
                <ImportSign outcome={outcome} />
              </span>
              <div className="min-w-0">
                <p className="text-13 text-ink-1">{outcome.name}</p>
                <p className="text-12 text-ink-2">{describeOutcome(outcome)}</p>
              </div>
            </li>
          ))}
        </ul>
        {left.length > 0 && (
          <Notice
            tone="info"
            title="These lines still hold the keys"
            action={<Button onClick={() => onRemove(stored)}>Remove copies…</Button>}
          >
            <p className="mb-1.5">Remove them once everything works. Nothing changes before you have seen how.</p>
            <Places places={left} />
          </Notice>
        )}
      </DialogBody>
      <DialogFoot>
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      </DialogFoot>
    </>
  );
}

function ImportSign({ outcome }: { outcome: KeyImportView }) {
  if (outcome.error !== null) return <StateMark sign={{ shape: "triangle", tone: "bad", word: "Not imported" }} />;
  const isRejected = outcome.verification?.state === "rejected";
  return isRejected ? (
    <StateMark sign={{ shape: "triangle", tone: "warn", word: "Rejected" }} />
  ) : (
    <StateMark sign={{ shape: "disc", tone: "ok", word: "Imported" }} />
  );
}

function describeOutcome(outcome: KeyImportView): string {
  if (outcome.error !== null) return `Not imported: ${outcome.error}.`;
  const parts = ["Stored in the vault."];
  if (outcome.backend !== null) parts.push(`Added the backend ${outcome.backend}.`);
  if (outcome.backend_error !== null) parts.push(`No backend was added: ${outcome.backend_error}.`);
  if (outcome.verification !== null) parts.push(`Its provider says: ${outcome.verification.detail}`);
  return parts.join(" ");
}
