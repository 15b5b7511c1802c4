/** Imports a price list from a file, from pasted text or from an address. Shows the differences before they apply. */
import { FileUp } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/button/button";
import { Choice } from "@/components/form/choice";
import { Dialog, DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { CONTROL, Field, TextInput } from "@/components/form/field";
import { FileButton } from "@/components/form/file-button";
import { Notice } from "@/components/notice/notice";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { ApiError, PriceImport, PriceImportView } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { formatCount } from "@/lib/quantity";
import { classNames } from "@/lib/class-names";

type From = "file" | "paste" | "address";

const FROM = [
  { value: "file", label: "File" },
  { value: "paste", label: "Paste" },
  { value: "address", label: "Address" },
] as const;

interface Source {
  from: From;
  file: File | null;
  text: string;
  url: string;
}

export function ImportPrices() {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button icon={FileUp} onClick={() => setOpen(true)}>
        Import
      </Button>
      {isOpen && <ImportDialog onClose={() => setOpen(false)} />}
    </>
  );
}

function ImportDialog({ onClose }: { onClose: () => void }) {
  const [source, setSource] = useState<Source>({ from: "file", file: null, text: "", url: "" });
  const preview = useAction("priceImport", (call, list: PriceImport) => call(list));
  const apply = useAction("priceImportApply", (call, id: number) => call({ id }));
  const look = async () => {
    const { from, file, text, url } = source;
    if (from === "address") return preview.mutate({ kind: "address", url });
    if (from === "paste") return preview.mutate({ kind: "text", name: "pasted", text });
    if (file) preview.mutate({ kind: "text", name: file.name, text: await file.text() });
  };
  const seen = preview.data;
  const changes = seen === undefined ? 0 : seen.changed + seen.new;
  return (
    <Dialog
      open
      onClose={onClose}
      width="wide"
      title="Import prices"
      description="Gatehouse's own format, LiteLLM's or models.dev's. Nothing changes before you have seen what would."
    >
      <DialogBody className="flex flex-col gap-4">
        {seen === undefined ? (
          <ListFields source={source} change={(part) => setSource({ ...source, ...part })} error={preview.error} />
        ) : (
          <Preview seen={seen} />
        )}
        <ErrorNotice error={faultElsewhere(preview.error, ["url"]) ?? apply.error} />
      </DialogBody>
      <DialogFoot>
        <Button onClick={seen === undefined ? onClose : preview.reset}>{seen === undefined ? "Cancel" : "Back"}</Button>
        {seen === undefined ? (
          <Button look="primary" busy={preview.isPending} onClick={() => void look()}>
            Show differences
          </Button>
        ) : (
          <Button
            look="primary"
            busy={apply.isPending}
            disabled={changes === 0}
            onClick={() =>
              apply.mutate(seen.id, {
                onSuccess: ({ sentence }) => {
                  notify({ title: sentence });
                  onClose();
                },
              })
            }
          >
            Import {formatCount(changes)}
          </Button>
        )}
      </DialogFoot>
    </Dialog>
  );
}

interface ListFieldsProps {
  source: Source;
  change: (part: Partial<Source>) => void;
  error: ApiError | null;
}

/** Where the list comes from. */
function ListFields({ source: { from, file, text, url }, change, error }: ListFieldsProps) {
  return (
    <>
      <Choice label="Import from" options={FROM} value={from} onChange={(next) => change({ from: next })} />
      {from === "file" && (
        <Field label="Price list">
          {(control) => (
            <span className="flex min-w-0 items-center gap-3">
              <FileButton
                {...control}
                label="Price list file"
                accept=".json,application/json"
                onChoose={(chosen) => change({ file: chosen })}
              >
                Choose a file
              </FileButton>
              <span className="min-w-0 truncate text-13 text-ink-3">{file?.name ?? "A JSON file"}</span>
            </span>
          )}
        </Field>
      )}
      {from === "paste" && (
        <Field label="Price list">
          {(control) => (
            <textarea
              {...control}
              rows={8}
              spellCheck={false}
              value={text}
              onChange={(event) => change({ text: event.target.value })}
              className={classNames(CONTROL, "h-auto w-full py-2 font-mono text-12")}
            />
          )}
        </Field>
      )}
      {from === "address" && (
        <Field label="Address" fault={faultOf(error, "url")}>
          {(control) => (
            <TextInput
              {...control}
              mono
              placeholder="https://"
              value={url}
              onChange={(event) => change({ url: event.target.value })}
            />
          )}
        </Field>
      )}
    </>
  );
}

function Preview({ seen }: { seen: PriceImportView }) {
  const left = seen.changed + seen.new - seen.differences.length;
  return (
    <>
      <p>{seen.sentence}</p>
      {seen.problems.length > 0 && (
        <Notice tone="warn" title={`${formatCount(seen.problems_found)} rows or fields were not read.`}>
          <ul className="flex max-h-40 flex-col gap-1 overflow-y-auto">
            {seen.problems.map((problem) => (
              <li key={`${problem.line}${problem.row}${problem.field}`}>
                Line {formatCount(problem.line)}, {problem.row}, <code className="font-mono">{problem.field}</code>:{" "}
                {problem.problem}
              </li>
            ))}
          </ul>
        </Notice>
      )}
      <ul aria-label="Differences" className="flex max-h-72 flex-col overflow-y-auto">
        {seen.differences.map((difference) => (
          <li key={`${difference.owner}/${difference.model}`} className="border-t border-line py-1.5">
            <span className="font-medium">{difference.model}</span>{" "}
            <span className="text-ink-3">{difference.owner}</span>
            {difference.is_new && <span className="text-ink-3">, new</span>}
            <span className="block text-12 text-ink-2">{difference.changes.join(", ")}</span>
          </li>
        ))}
      </ul>
      {left > 0 && <p className="text-12 text-ink-3">and {formatCount(left)} more</p>}
    </>
  );
}
