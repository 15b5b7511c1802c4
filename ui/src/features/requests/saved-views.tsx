/** Saved views: filters under a name, kept in the settings file, where the command line finds them too. */
import * as Radix from "@radix-ui/react-dropdown-menu";
import { Bookmark, BookmarkPlus, Trash2 } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/button/button";
import { Dialog, DialogBody, SubmitFoot } from "@/components/overlay/dialog";
import { Field, TextInput } from "@/components/form/field";
import { MenuContent } from "@/components/menu/menu-content";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { RequestsQuery, SavedView } from "@/ipc/bindings";
import { useSavedViews } from "@/ipc/request-queries";
import { parseRequestFilter, type RequestFilter } from "@/lib/request-filter";

const ITEM =
  "flex min-h-7 items-center gap-2 rounded-[4px] px-2 py-1 text-12 text-ink-1 outline-none data-[disabled]:text-ink-3 data-[highlighted]:bg-surface-2";

/** The filters of a view, without those that are not set. */
function filterOfView({ query }: SavedView): RequestFilter {
  return parseRequestFilter({ ...query });
}

function wordsOf(filter: RequestFilter): string {
  return JSON.stringify(Object.entries(filter).toSorted());
}

interface SavedViewsProps {
  filter: RequestFilter;
  onChoose: (filter: RequestFilter) => void;
}

export function SavedViews({ filter, onChoose }: SavedViewsProps) {
  const views = useSavedViews().data ?? [];
  const [isNaming, setNaming] = useState(false);
  const current = views.find((view) => wordsOf(filterOfView(view)) === wordsOf(filter));
  const remove = useAction("savedViewRemove", (call, name: string) => call({ name }));
  const restore = useAction("savedViewSet", (call, view: SavedView) => call(view));
  const removeCurrent = (view: SavedView) =>
    remove.mutate(view.name, {
      onSuccess: () => notify({ title: `Removed the view ${view.name}`, undo: () => restore.mutate(view) }),
      onError: notifyError,
    });
  return (
    <>
      <Radix.Root modal={false}>
        <Radix.Trigger asChild>
          <Button icon={Bookmark}>{current?.name ?? "Views"}</Button>
        </Radix.Trigger>
        <MenuContent align="end" className="max-h-96 min-w-48 overflow-y-auto">
          {views.length === 0 && <p className="px-2 py-1.5 text-12 text-ink-3">No saved views yet</p>}
          {views.map((view) => (
            <Radix.Item key={view.name} className={ITEM} onSelect={() => onChoose(filterOfView(view))}>
              {view.name}
            </Radix.Item>
          ))}
          <Radix.Separator className="my-1 h-px bg-line" />
          <Radix.Item
            className={ITEM}
            disabled={Object.keys(filter).length === 0 || current !== undefined}
            onSelect={() => setNaming(true)}
          >
            <BookmarkPlus size={14} strokeWidth={1.5} aria-hidden />
            Save these filters…
          </Radix.Item>
          {current !== undefined && (
            <Radix.Item className={ITEM} onSelect={() => removeCurrent(current)}>
              <Trash2 size={14} strokeWidth={1.5} aria-hidden />
              Remove {current.name}
            </Radix.Item>
          )}
        </MenuContent>
      </Radix.Root>
      {isNaming && <NameView filter={filter} onClose={() => setNaming(false)} />}
    </>
  );
}

function NameView({ filter, onClose }: { filter: RequestFilter; onClose: () => void }) {
  const [name, setName] = useState("");
  const save = useAction("savedViewSet", (call, query: RequestsQuery) => call({ name: name.trim(), query }));
  return (
    <Dialog open onClose={onClose} title="Save these filters">
      <form
        className="contents"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(filter, {
            onSuccess: () => {
              notify({ title: `Saved the view ${name.trim()}` });
              onClose();
            },
          });
        }}
      >
        <DialogBody>
          <Field
            label="Name"
            help="`gatehouse requests --view NAME` shows it too. A name that exists is replaced."
            fault={save.error?.message}
          >
            {(control) => (
              <TextInput
                {...control}
                data-autofocus
                placeholder="slow-agent"
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
        </DialogBody>
        <SubmitFoot onCancel={onClose} busy={save.isPending} disabled={name.trim() === ""}>
          Save
        </SubmitFoot>
      </form>
    </Dialog>
  );
}
