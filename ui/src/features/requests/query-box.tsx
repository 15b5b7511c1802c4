/**
 * Filters as one line of text: a word alone is a part of the model's name and filters at once; `status:5xx cost>0.1`
 * turns into chips with Enter. The core reads the text and says what is wrong with it and where.
 */
import * as Radix from "@radix-ui/react-dropdown-menu";
import { CircleHelp } from "lucide-react";
import { useRef, useState } from "react";
import { IconButton } from "@/components/button/button";
import { FilterInput } from "@/components/filter/filter-input";
import { MenuContent } from "@/components/menu/menu-content";
import { useAction } from "@/ipc/actions";
import { useRequestWords } from "@/ipc/request-queries";
import { parseRequestFilter, type RequestFilter } from "@/lib/request-filter";

/** What a text has that is more than a part of a model's name. */
const MORE = /[:<>"\s]/;

interface QueryBoxProps {
  filter: RequestFilter;
  onChange: (filter: RequestFilter) => void;
}

export function QueryBox({ filter, onChange }: QueryBoxProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const box = useRef<HTMLFormElement>(null);
  const { model, ...others } = filter;
  const read = useAction("requestQuery", (call, text: string) => call({ text }));
  const shown = draft ?? model?.replaceAll(/^\*|\*$/g, "") ?? "";
  const type = (text: string) => {
    read.reset();
    const isModel = !MORE.test(text);
    setDraft(isModel ? null : text);
    if (isModel) onChange(text === "" ? others : { ...others, model: `*${text}*` });
    // What was typed so far was taken for a model.
    else if (draft === null && model !== undefined) onChange(others);
  };
  const submit = () => {
    if (draft === null) return;
    read.mutate(draft, {
      onSuccess: ({ query }) => {
        setDraft(null);
        onChange({ ...others, ...parseRequestFilter({ ...query }) });
      },
    });
  };
  const add = (example: string) => type([shown.trim(), example].filter((part) => part !== "").join(" "));
  const { error } = read;
  return (
    <>
      <form
        ref={box}
        className="flex items-center"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <FilterInput
          label="Filter requests by model, or by words such as status:5xx"
          placeholder="Model, or status:5xx cost>0.1"
          className="w-72"
          fault={error === null ? undefined : "query-fault"}
          value={shown}
          onChange={type}
        />
        <WordsMenu onChoose={add} onClose={() => box.current?.querySelector("input")?.focus()} />
      </form>
      {error !== null && (
        <p id="query-fault" role="alert" className="order-last basis-full text-12 text-bad">
          {/* The core says what is wrong with the text without a full stop. */}
          {error.message}
          {error.field === "text" && "."}
          {error.hint !== null && <span className="text-ink-2"> {error.hint}</span>}
        </p>
      )}
      {draft !== null && error === null && (
        <p className="order-last basis-full text-12 text-ink-3">Enter turns this into filters.</p>
      )}
    </>
  );
}

/** Every word that the box understands, with an example that it is filled with. */
function WordsMenu({ onChoose, onClose }: { onChoose: (example: string) => void; onClose: () => void }) {
  const words = useRequestWords().data?.words ?? [];
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>
        <IconButton icon={CircleHelp} label="Words for filters" />
      </Radix.Trigger>
      <MenuContent
        align="start"
        className="max-h-96 max-w-[30rem] overflow-y-auto"
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          onClose();
        }}
      >
        {words.map(({ word, example, means }) => (
          <Radix.Item
            key={word}
            onSelect={() => onChoose(example)}
            className="flex min-h-7 items-baseline gap-3 rounded-[4px] px-2 py-1 text-12 text-ink-1 outline-none data-[highlighted]:bg-surface-2"
          >
            <code className="w-36 shrink-0">{example}</code>
            <span className="text-ink-2">{means}</span>
          </Radix.Item>
        ))}
      </MenuContent>
    </Radix.Root>
  );
}
