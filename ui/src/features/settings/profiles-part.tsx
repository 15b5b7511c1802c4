/** Profiles: sets of backends for work, home or a demo, one of which is in use at a time. */
import { useState } from "react";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { SettingRow } from "@/features/settings/setting-row";
import { Button } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import { Confirm } from "@/components/overlay/confirm";
import { Dialog, DialogBody, SubmitFoot } from "@/components/overlay/dialog";
import { EmptyState } from "@/components/notice/empty-state";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { Menu } from "@/components/menu/menu";
import { Reading } from "@/components/notice/reading";
import { Skeleton } from "@/components/notice/skeleton";
import { Tick } from "@/components/form/tick";
import { useAction } from "@/ipc/actions";
import type { ProfilesView, ProfileView } from "@/ipc/bindings";
import { useBackends, useProfiles } from "@/ipc/queries";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { useProfileSwitch } from "@/features/settings/profile-actions";
import { Layers } from "lucide-react";

type Open = { kind: "nothing" } | { kind: "add" } | { kind: "edit" | "remove"; profile: ProfileView };

export function ProfilesPart() {
  const profiles = useProfiles();
  const [open, setOpen] = useState<Open>({ kind: "nothing" });
  const close = () => setOpen({ kind: "nothing" });
  return (
    <Card
      title="Profiles"
      note="Sets of backends to switch between"
      flush
      action={
        <Button size="small" icon={Plus} onClick={() => setOpen({ kind: "add" })}>
          Add profile
        </Button>
      }
    >
      <Reading of={profiles} skeleton={<Skeleton className="m-4 h-16" />}>
        {(data) => <Rows data={data} onOpen={setOpen} />}
      </Reading>
      {(open.kind === "add" || open.kind === "edit") && (
        <ProfileDialog profile={open.kind === "edit" ? open.profile : null} onClose={close} />
      )}
      {open.kind === "remove" && <RemoveDialog profile={open.profile} onClose={close} />}
    </Card>
  );
}

function Rows({ data, onOpen }: { data: ProfilesView; onOpen: (open: Open) => void }) {
  const change = useProfileSwitch();
  const { active, in_all: shared } = data;
  if (data.profiles.length === 0)
    return (
      <EmptyState icon={Layers} title="No profiles">
        With one for work and one for home, the same model name goes to the company's backend or to your own.
      </EmptyState>
    );
  return (
    <>
      {data.profiles.map((profile) => (
        <SettingRow
          key={profile.name}
          label={
            <>
              {profile.name}
              {profile.active && <span className="ml-2 text-11 font-normal text-good">in use</span>}
            </>
          }
          detail={profile.backends.length === 0 ? "No backends of its own" : profile.backends.join(", ")}
          changed={false}
        >
          <span className="flex items-center gap-2">
            <Button
              size="small"
              aria-label={profile.active ? `Stop using ${profile.name}` : `Use ${profile.name}`}
              onClick={() => change({ name: profile.active ? null : profile.name, before: active })}
            >
              {profile.active ? "Stop using" : "Use"}
            </Button>
            <Menu
              label={`More for ${profile.name}`}
              entries={[
                { label: "Edit", icon: Pencil, onChoose: () => onOpen({ kind: "edit", profile }) },
                { label: "Remove", icon: Trash2, danger: true, onChoose: () => onOpen({ kind: "remove", profile }) },
              ]}
            />
          </span>
        </SettingRow>
      ))}
      <p className="px-4 py-2.5 text-12 text-ink-3">
        {shared.length === 0
          ? "A backend that no profile names is in all of them."
          : `In all profiles: ${shared.join(", ")}.`}{" "}
        Routes use those of their backends that are in use.
      </p>
    </>
  );
}

function ProfileDialog({ profile, onClose }: { profile: ProfileView | null; onClose: () => void }) {
  const backends = (useBackends().data ?? []).filter(({ built_in: isBuiltIn }) => !isBuiltIn);
  const [name, setName] = useState(profile?.name ?? "");
  const [chosen, setChosen] = useState<readonly string[]>(profile?.backends ?? []);
  const save = useAction("profileSet", (call) => call({ name, backends: [...chosen] }));
  const toggle = (id: string, isOn: boolean) =>
    setChosen((before) => (isOn ? [...before, id] : before.filter((one) => one !== id)));
  return (
    <Dialog open onClose={onClose} title={profile === null ? "Add profile" : `Edit ${profile.name}`}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(undefined, { onSuccess: onClose });
        }}
      >
        <DialogBody className="flex flex-col gap-3">
          {profile === null && (
            <Field label="Name" help="Such as work, home or demo." fault={faultOf(save.error, "name")}>
              {(control) => <TextInput {...control} value={name} onChange={(event) => setName(event.target.value)} />}
            </Field>
          )}
          <fieldset className="flex flex-col gap-2.5">
            <legend className="mb-1.5 text-12 text-ink-2">Backends used only in this profile</legend>
            {backends.map(({ id, label }) => (
              <Tick
                key={id}
                type="checkbox"
                label={label}
                note={id}
                checked={chosen.includes(id)}
                onChange={(event) => toggle(id, event.target.checked)}
              />
            ))}
            {backends.length === 0 && <p className="text-12 text-ink-3">No backends yet.</p>}
          </fieldset>
          <ErrorNotice error={faultElsewhere(save.error, ["name"])} />
        </DialogBody>
        <SubmitFoot onCancel={onClose} busy={save.isPending} disabled={name.trim() === ""}>
          Save
        </SubmitFoot>
      </form>
    </Dialog>
  );
}

function RemoveDialog({ profile, onClose }: { profile: ProfileView; onClose: () => void }) {
  const remove = useAction("profileRemove", (call) => call({ name: profile.name }));
  return (
    <Confirm
      open
      title={`Remove the profile ${profile.name}?`}
      losses={[
        "Its backends stay. Those that no other profile names are used again.",
        ...(profile.active ? ["After that, no profile is active."] : []),
      ]}
      verb="Remove"
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(undefined, { onSuccess: onClose })}
      onClose={onClose}
    />
  );
}
