/** One key: its state and the reason, its allowed host, its users; verify, replace, remove. */
import { ScrollText, Pencil, RefreshCw, ShieldCheck, Trash2 } from "lucide-react";
import { useRef, useState } from "react";
import { EditKeyDialog } from "@/features/keys/edit-key";
import { KeyHistory } from "@/features/keys/key-history";
import { unusedWord } from "@/features/keys/key-times";
import { useKeyUsers } from "@/features/keys/key-users";
import { KeysPage } from "@/features/keys/keys-page";
import { RetiredKey } from "@/features/keys/retired-key";
import { Button } from "@/components/button/button";
import { Confirm } from "@/components/overlay/confirm";
import { useContextualActions } from "@/components/menu/contextual-actions";
import { Dialog, DialogBody, Drawer, SubmitFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Facts, type Fact } from "@/components/text/facts";
import { Menu, type MenuEntry } from "@/components/menu/menu";
import { Moment } from "@/components/text/moment";
import { Notice } from "@/components/notice/notice";
import { PanelLink } from "@/components/layout/panel-link";
import { SecretField } from "@/components/form/secret-field";
import { Switch } from "@/components/form/switch";
import { Spend } from "@/components/text/spend";
import { StateBadge } from "@/components/state/state-mark";
import { notify } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { KeyBalanceView, KeyOAuthView, KeyVerificationView, KeyView } from "@/ipc/bindings";
import { usePresets } from "@/ipc/queries";
import { useNow } from "@/lib/clock";
import { faultElsewhere, faultOf } from "@/lib/fault";
import { routeLosses } from "@/lib/losses";
import { formatCounted } from "@/lib/quantity";
import { requestsPath } from "@/lib/request-filter";
import { KEY, VAULT_KIND_WORD } from "@/lib/tables";

type Asking = "nothing" | "replace" | "edit" | "remove";

export function KeyDrawer({ stored, onClose }: { stored: KeyView | undefined; onClose: () => void }) {
  if (stored === undefined) return null;
  return <OpenKey key={stored.id} stored={stored} onClose={onClose} />;
}

const READ_ONLY = "Set by an environment variable. Change it there.";

/** What can be done with a key, as its buttons, its menu and the palette show it. */
function keyActions({ read_only }: KeyView, onVerify: () => void, onAsk: (asking: Asking) => void) {
  const blocked = read_only ? READ_ONLY : null;
  return {
    verify: { label: "Verify", icon: ShieldCheck, onChoose: onVerify },
    replace: { label: "Replace", icon: RefreshCw, blocked, onChoose: () => onAsk("replace") },
    edit: { label: "Edit name, expiry and note", icon: Pencil, blocked, onChoose: () => onAsk("edit") },
    remove: { label: "Remove key", icon: Trash2, danger: true, blocked, onChoose: () => onAsk("remove") },
  } satisfies Record<string, MenuEntry>;
}

function OpenKey({ stored, onClose }: { stored: KeyView; onClose: () => void }) {
  const now = useNow();
  const users = useKeyUsers(stored);
  const [asking, setAsking] = useState<Asking>("nothing");
  const test = useAction("keyVerify", (call, id: string) => call({ id }));
  const { verify, replace, edit, remove } = keyActions(stored, () => test.mutate(stored.id), setAsking);
  const requests = { label: "Show requests", icon: ScrollText, path: requestsPath({ key: stored.id, within: "30d" }) };
  useContextualActions({
    kind: "Key",
    id: stored.id,
    name: stored.label,
    isOpen: true,
    actions: [verify, requests, replace, edit, remove],
  });
  return (
    <>
      <Drawer
        open
        onClose={onClose}
        title={stored.label}
        description={<StateBadge sign={KEY[stored.state]} />}
        actions={<Menu label="More for this key" entries={[edit, remove]} />}
      >
        <DialogBody className="flex flex-col gap-4">
          <KeyNotices stored={stored} />
          <div className="flex gap-2">
            <Button icon={verify.icon} busy={test.isPending} onClick={verify.onChoose}>
              {verify.label}
            </Button>
            <Button
              icon={replace.icon}
              disabled={stored.read_only}
              title={replace.blocked ?? undefined}
              onClick={replace.onChoose}
            >
              {replace.label}
            </Button>
          </div>
          <ErrorNotice error={test.error} />
          {test.data && <Verification seen={test.data} />}
          {stored.retired !== null && <RetiredKey id={stored.id} retired={stored.retired} keysUrl={stored.keys_url} />}
          <Facts facts={factsOf(stored, users, now)} />
          <KeyHistory id={stored.id} readOnly={stored.read_only} />
        </DialogBody>
      </Drawer>
      <EditKeyDialog stored={stored} open={asking === "edit"} onClose={() => setAsking("nothing")} />
      <ReplaceDialog stored={stored} open={asking === "replace"} onClose={() => setAsking("nothing")} />
      <RemoveKey stored={stored} open={asking === "remove"} onClose={() => setAsking("nothing")} onRemoved={onClose} />
    </>
  );
}

function KeyNotices({ stored: { reason, state, notices } }: { stored: KeyView }) {
  return (
    <>
      {reason !== null && <Notice tone={state === "rejected" || state === "expired" ? "bad" : "warn"} title={reason} />}
      {notices.map(({ notice, sentence }) => (
        <Notice
          key={notice}
          tone={notice === "expired" ? "bad" : notice === "unused" ? "info" : "warn"}
          title={sentence}
        />
      ))}
    </>
  );
}

interface RemoveKeyProps {
  stored: KeyView;
  open: boolean;
  onClose: () => void;
  onRemoved: () => void;
}

function RemoveKey({ stored, open, onClose, onRemoved }: RemoveKeyProps) {
  const { id, label, used_by: backends, dependents } = stored;
  const remove = useAction("keyRemove", (call) => call({ id }));
  return (
    <Confirm
      open={open}
      title={`Remove the ${label} key?`}
      losses={[
        "It is deleted from the vault and cannot be restored. You can create a new key at the provider.",
        backends.length === 0 ? "No backend uses it." : `These backends lose their key: ${backends.join(", ")}.`,
        ...routeLosses(dependents.routes, dependents.broken_routes),
        ...dependents.clients.map((client) => `Requests of ${client}, switched there, are refused.`),
        ...dependents.services.map((service) => `The service ${service} is checked without it.`),
        ...(dependents.cache_server ? ["The shared cache loses its password."] : []),
        "Its past requests and costs stay in the ledger.",
      ]}
      verb="Remove key"
      busy={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onConfirm={() =>
        remove.mutate(undefined, {
          onSuccess: () => {
            onRemoved();
            notify({ title: `Removed the ${label} key` });
          },
        })
      }
    />
  );
}

function Verification({ seen }: { seen: KeyVerificationView }) {
  const tone = seen.state === "valid" ? "info" : seen.state === "rejected" ? "bad" : "warn";
  return (
    <Notice tone={tone} urgent title={seen.detail}>
      {seen.fix}
    </Notice>
  );
}

/** What is put in when the key is replaced. */
function newSecretLabel(oauth: KeyOAuthView | null): string {
  if (oauth === null) return "New API key";
  return oauth.grant === "refresh_token" ? "New refresh token" : "New client secret";
}

function oauthFacts(oauth: KeyOAuthView | null): Fact[] {
  if (oauth === null) return [];
  return [
    {
      name: "Access token",
      value:
        oauth.access_expires_at === null || oauth.refreshed_at === null ? (
          "none yet"
        ) : (
          <>
            expires <Moment at={oauth.access_expires_at} focusable />, refreshed{" "}
            <Moment at={oauth.refreshed_at} focusable />
          </>
        ),
    },
    { name: "Token endpoint", value: <code className="font-mono text-12">{oauth.token_url}</code> },
    { name: "Client ID", value: <code className="font-mono text-12">{oauth.client_id}</code> },
    { name: "Grant", value: oauth.grant === "refresh_token" ? "refresh token" : "client credentials" },
    ...(oauth.scope === null ? [] : [{ name: "Scope", value: oauth.scope }]),
  ];
}

function balanceFacts(balance: KeyBalanceView | null): Fact[] {
  if (balance === null) return [];
  return [
    {
      name: "Balance",
      value: (
        <>
          {balance.sentence}
          {balance.read_at !== null && (
            <span className="text-ink-3">
              {" "}
              (<Moment at={balance.read_at} focusable />)
            </span>
          )}
        </>
      ),
    },
  ];
}

function factsOf(stored: KeyView, users: Fact[], now: number): Fact[] {
  return [
    ...oauthFacts(stored.oauth),
    {
      name: "Ends in",
      value:
        stored.tail === null ? (
          "hidden (the key is too short)"
        ) : (
          <code className="font-mono text-12">…{stored.tail}</code>
        ),
    },
    {
      name: "Allowed host",
      value:
        stored.origin === null ? (
          "any, until the first backend uses it"
        ) : (
          <code className="font-mono text-12">{stored.origin}</code>
        ),
    },
    ...users,
    { name: "Added", value: stored.created_at === null ? "unknown" : <Moment at={stored.created_at} focusable /> },
    { name: "Replaced", value: stored.replaced_at === null ? "never" : <Moment at={stored.replaced_at} focusable /> },
    {
      name: "Expires",
      value: stored.expires_at === null ? "not known" : <Moment at={stored.expires_at} focusable />,
    },
    {
      name: "Last verified",
      value: stored.verified_at === null ? "never" : <Moment at={stored.verified_at} focusable />,
    },
    {
      name: "Last used",
      value: stored.used_at === null ? unusedWord(stored, now) : <Moment at={stored.used_at} focusable />,
    },
    ...balanceFacts(stored.balance),
    ...(stored.permissions === null ? [] : [{ name: "Permissions", value: stored.permissions.sentence }]),
    { name: "Stored in", value: VAULT_KIND_WORD[stored.storage] },
    ...(stored.note === null
      ? []
      : [{ name: "Note", value: <span className="break-words whitespace-pre-wrap">{stored.note}</span> }]),
    {
      name: "30 days",
      value: (
        <>
          <Spend spend={stored.last_month} /> for{" "}
          <PanelLink path={requestsPath({ key: stored.id, within: "30d" })}>
            {formatCounted(stored.last_month.requests, "request", "requests")}
          </PanelLink>
        </>
      ),
    },
  ];
}

function ReplaceDialog({ stored, open, onClose }: { stored: KeyView; open: boolean; onClose: () => void }) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={`Replace the ${stored.label} key`}
      description={
        stored.oauth === null
          ? "The new key is checked first, at no cost. Then the backends that use this key switch to it."
          : "An access token is got with it first. If that is refused, the old one stays."
      }
    >
      <ReplaceForm stored={stored} onClose={onClose} />
    </Dialog>
  );
}

function ReplaceForm({ stored, onClose }: { stored: KeyView; onClose: () => void }) {
  const secret = useRef<HTMLInputElement>(null);
  const presets = usePresets().data ?? [];
  const [isUntested, setUntested] = useState(false);
  const replace = useAction("keyReplace", (call, id: string) =>
    call({ id, secret: secret.current?.value.trim() ?? "", untested: isUntested }),
  );
  const submit = () =>
    replace.mutate(stored.id, {
      onSuccess: (key) => {
        if (secret.current) secret.current.value = "";
        onClose();
        notify({
          title: `Replaced the ${stored.label} key`,
          detail: key.tail === null ? null : `It now ends in …${key.tail}.`,
        });
      },
    });
  return (
    <form
      noValidate
      className="flex min-h-0 flex-col"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <DialogBody className="flex flex-col gap-4">
        {stored.oauth === null && stored.keys_url !== null && (
          <div>
            <KeysPage url={stored.keys_url}>Create a new key at the provider…</KeysPage>
          </div>
        )}
        <SecretField
          label={newSecretLabel(stored.oauth)}
          ref={secret}
          presets={stored.oauth === null ? presets : null}
          fault={faultOf(replace.error, "secret")}
        />
        {stored.oauth === null && stored.used_by.length > 0 && (
          <Switch label="Store it even if the provider rejects it" checked={isUntested} onChange={setUntested} />
        )}
        <ErrorNotice error={faultElsewhere(replace.error, ["secret"])} />
      </DialogBody>
      <SubmitFoot onCancel={onClose} busy={replace.isPending}>
        Replace key
      </SubmitFoot>
    </form>
  );
}
