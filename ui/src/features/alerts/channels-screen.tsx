/** The channels that alerts are sent through: whether each works, a test that asks whether it arrived, and its secret. */
import { Check, KeyRound, Minus, Send } from "lucide-react";
import { useRef, useState } from "react";
import { AlertsPage } from "@/features/alerts/alerts-page";
import { Ladder } from "@/features/alerts/ladder";
import { Button } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import { Dialog, DialogBody, SubmitFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Field, TextInput } from "@/components/form/field";
import { Moment } from "@/components/text/moment";
import { Notice } from "@/components/notice/notice";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { LoadingCard } from "@/components/notice/skeleton";
import { StateMark } from "@/components/state/state-mark";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import { useAlertChannels } from "@/ipc/alert-queries";
import { ALERT_CHANNEL_STATE } from "@/lib/tables";
import type { AlertChannel, AlertChannelView, DesktopAbility, DesktopServiceView } from "@/ipc/bindings";
import { faultElsewhere, faultOf } from "@/lib/fault";

const CHANNELS: Record<AlertChannel, { title: string; part: string; secret: string | null }> = {
  desktop: { title: "Desktop", part: "Notifications", secret: null },
  webhook: { title: "Webhook", part: "Webhook", secret: "Address" },
  mail: { title: "Mail", part: "Mail", secret: "Password" },
};

export function ChannelsScreen() {
  const channels = useAlertChannels();
  return (
    <AlertsPage current="channels" lead={channels.data && leadOf(channels.data)}>
      <Reading of={channels} skeleton={<LoadingCard label="Loading channels" className="h-[300px]" />}>
        {(all) => (
          <>
            <Ladder />
            {all.map((channel) => (
              <Channel key={channel.channel} view={channel} />
            ))}
            <p className="text-12 text-ink-3">
              Settings: <PanelLink path="/settings?part=Quiet+hours">quiet hours</PanelLink>,{" "}
              <PanelLink path="/settings?part=Digest">digest</PanelLink>.
            </p>
          </>
        )}
      </Reading>
    </AlertsPage>
  );
}

function Channel({ view }: { view: AlertChannelView }) {
  const { channel, detail, host } = view;
  const { title, part, secret } = CHANNELS[channel];
  const [isStoring, setStoring] = useState(false);
  const test = useAction("alertChannelTest", (call) => call({ channel }));
  const sign = ALERT_CHANNEL_STATE[view.state];
  return (
    <Card title={title} flush>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2.5">
        <StateMark sign={sign} size={14} />
        <div className="min-w-[240px] flex-1">
          <p className="font-medium text-ink-1">{sign.word}</p>
          <p className="text-12 text-pretty text-ink-2">{detail}</p>
          {(host !== null || view.last_sent_at !== null || view.waiting > 0) && (
            <p className="text-12 text-ink-3">
              {host !== null && `Sends to ${host}. `}
              {view.last_sent_at !== null && (
                <>
                  Last sent <Moment at={view.last_sent_at} />.{" "}
                </>
              )}
              {view.waiting > 0 && `${view.waiting} waiting.`}
            </p>
          )}
        </div>
        <PanelLink path={`/settings?part=${part}`}>Settings</PanelLink>
        {secret !== null && (
          <Button icon={KeyRound} onClick={() => setStoring(true)}>
            {view.has_secret && host !== null ? `Replace ${secret.toLowerCase()}` : `Store ${secret.toLowerCase()}`}
          </Button>
        )}
        <Button
          icon={Send}
          busy={test.isPending}
          aria-label={`Send test: ${title}`}
          onClick={() => test.mutate(undefined, { onError: notifyError })}
        >
          Send test
        </Button>
      </div>
      {view.service !== null && <Service service={view.service} />}
      <TestResult view={view} />
      {secret !== null && isStoring && (
        <StoreSecret channel={channel} label={secret} onClose={() => setStoring(false)} />
      )}
    </Card>
  );
}

/** What shows notifications on this machine, and what it can do. */
function Service({ service: { name, problem, abilities } }: { service: DesktopServiceView }) {
  if (problem !== null) return <p className="border-t border-line px-4 py-2.5 text-12 text-ink-2">{problem}</p>;
  return (
    <div className="border-t border-line px-4 py-2.5">
      <p className="text-12 text-ink-3">
        Shown by <span className="text-ink-2">{name}</span>, which reports these abilities:
      </p>
      <ul className="mt-1.5 grid gap-x-6 gap-y-1.5 min-[1100px]:grid-cols-2" aria-label="What it can do">
        {abilities.map(({ ability, is_there: isThere, detail }) => (
          <li key={ability} className="flex items-start gap-2 text-12">
            <span className="mt-0.5">
              {isThere ? (
                <Check size={14} aria-hidden="true" className="text-ok" />
              ) : (
                <Minus size={14} aria-hidden="true" className="text-ink-3" />
              )}
            </span>
            <span className="w-[92px] shrink-0 font-medium text-ink-1">
              {DESKTOP_ABILITY[ability]}
              <span className="sr-only">{isThere ? ": yes." : ": no."}</span>
            </span>
            <span className="min-w-0 text-pretty text-ink-2">{detail}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

const DESKTOP_ABILITY: Record<DesktopAbility, string> = {
  text: "Text",
  actions: "Buttons",
  replace: "Replace",
  sound: "Sound",
  persistence: "Kept",
};

/** How the last test ended, and the question whether it arrived. */
function TestResult({ view }: { view: AlertChannelView }) {
  const { channel } = view;
  const answer = useAction("alertTestAnswer", (call, isSeen: boolean) => call({ channel, is_seen: isSeen }));
  if (view.tested_at === null) return null;
  const say = (isSeen: boolean) => answer.mutate(isSeen, { onError: notifyError });
  return (
    <div className="border-t border-line p-3">
      {view.test_failure !== null ? (
        <Notice tone="bad" urgent title="The test was not sent">
          {view.test_failure}
        </Notice>
      ) : view.test_seen === null ? (
        <Notice
          tone="info"
          urgent
          title="The test was sent. Did it arrive?"
          action={
            <span className="flex gap-2">
              <Button onClick={() => say(true)}>Yes</Button>
              <Button onClick={() => say(false)}>No</Button>
            </span>
          }
        />
      ) : (
        <Notice
          tone={view.test_seen ? "info" : "warn"}
          title={view.test_seen ? "The test arrived" : "The test did not arrive"}
        >
          {view.test_seen ? (
            <>
              Sent <Moment at={view.tested_at} />.
            </>
          ) : (
            "It was sent. Check the address, and what filters messages there."
          )}
        </Notice>
      )}
    </div>
  );
}

interface StoreSecretProps {
  channel: AlertChannel;
  label: string;
  onClose: () => void;
}

/** The input is uncontrolled, as that for keys: React never holds its text. */
function StoreSecret({ channel, label, onClose }: StoreSecretProps) {
  const input = useRef<HTMLInputElement>(null);
  const store = useAction("alertChannelSecret", (call) => call({ channel, secret: input.current?.value.trim() ?? "" }));
  const submit = () =>
    store.mutate(undefined, {
      onSuccess: ({ host }) => {
        if (input.current) input.current.value = "";
        onClose();
        notify({ title: `${label} stored`, detail: host === null ? null : `It goes to ${host} alone.` });
      },
    });
  return (
    <Dialog open onClose={onClose} title={`${label} of ${CHANNELS[channel].title.toLowerCase()}`}>
      <form
        noValidate
        className="flex min-h-0 flex-col"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <DialogBody className="flex flex-col gap-4">
          <Field
            label={label}
            fault={faultOf(store.error, "secret")}
            help="Stored in the vault. You can replace or remove it, but not read it back."
          >
            {(control) => (
              <TextInput {...control} ref={input} type="password" mono autoComplete="new-password" data-1p-ignore />
            )}
          </Field>
          <ErrorNotice error={faultElsewhere(store.error, ["secret"])} />
        </DialogBody>
        <SubmitFoot onCancel={onClose} busy={store.isPending}>
          Store
        </SubmitFoot>
      </form>
    </Dialog>
  );
}

function names(some: AlertChannelView[]): string {
  return some.map(({ channel }) => CHANNELS[channel].title).join(" and ");
}

function leadOf(channels: AlertChannelView[]): string {
  const failing = channels.filter(({ state }) => state === "failing" || state === "not-set-up");
  const on = channels.filter(({ state }) => state !== "off");
  if (failing.length > 0) return `${names(failing)} ${failing.length === 1 ? "does" : "do"} not work.`;
  return on.length === 0 ? "Alerts are in the inbox alone." : `Alerts are sent by ${names(on).toLowerCase()}.`;
}
