/** Asks a model of a backend for one short answer: what it costs, then the progress with a way to stop, then the result. */
import { MessageCircleQuestion } from "lucide-react";
import { useContext, useDeferredValue, useEffect, useId, useRef, useState } from "react";
import { Button } from "@/components/button/button";
import { Cost } from "@/components/text/cost";
import { Dialog, DialogBody, DialogFoot } from "@/components/overlay/dialog";
import { ErrorNotice } from "@/components/notice/error-notice";
import { Facts, type Fact } from "@/components/text/facts";
import { Field, TextInput } from "@/components/form/field";
import { Notice } from "@/components/notice/notice";
import { PanelLink } from "@/components/layout/panel-link";
import { Reading } from "@/components/notice/reading";
import { Select } from "@/components/form/select";
import { SkeletonRows } from "@/components/notice/skeleton";
import { StateBadge, StateMark } from "@/components/state/state-mark";
import { useAction } from "@/ipc/actions";
import type { AskedModelView, BackendAnswerView, BackendAsk, BackendAskPriceView, BackendView } from "@/ipc/bindings";
import { useBackendAskPrice } from "@/ipc/queries";
import { ClockContext, useSeconds } from "@/lib/clock";
import { formatCount, formatDuration } from "@/lib/quantity";
import { requestsPath } from "@/lib/request-filter";
import { ASK_OUTCOME, type Sign } from "@/lib/tables";

const ASKING: Sign = { word: "Asking", shape: "turning", tone: "info" };

interface AskModelDialogProps {
  backend: BackendView;
  open: boolean;
  onClose: () => void;
}

/** Opens from the backend's drawer. */
export function AskModelDialog({ backend, open, onClose }: AskModelDialogProps) {
  // After the drawer: of two that open at once, the drawer would hide the dialog from screen readers.
  const isOpen = useDeferredValue(open, false);
  return (
    <Dialog
      open={isOpen}
      onClose={onClose}
      title={`Ask a model of ${backend.label}`}
      description="Sends one real request, to learn whether the model answers."
    >
      <AskModel backend={backend.id} onClose={onClose} />
    </Dialog>
  );
}

/** Lives as long as the dialog is open. */
function AskModel({ backend, onClose }: { backend: string; onClose: () => void }) {
  const asking = useAction("backendAsk", (call, req: BackendAsk) => call(req));
  const { mutate: stop, isPending: isStopping } = useAction("backendAskCancel", (call, id: string) => call({ id }));
  const isAsking = useRef(false);
  // However the dialog goes, nobody would see the answer.
  useEffect(() => () => void (isAsking.current && stop(backend)), [stop, backend]);
  const ask = (req: BackendAsk) => {
    isAsking.current = true;
    asking.mutate(req, { onSettled: () => void (isAsking.current = false) });
  };
  if (asking.isPending)
    return <Asking model={asking.variables.model} stopping={isStopping} onStop={() => stop(backend)} />;
  if (asking.data === undefined) return <Offer backend={backend} error={asking.error} onAsk={ask} onClose={onClose} />;
  return <Answer answer={asking.data} onAgain={() => asking.reset()} onClose={onClose} />;
}

interface OfferProps {
  backend: string;
  error: Parameters<typeof ErrorNotice>[0]["error"];
  onAsk: (req: BackendAsk) => void;
  onClose: () => void;
}

function Offer({ backend, error, onAsk, onClose }: OfferProps) {
  const [named, setNamed] = useState<string | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const price = useBackendAskPrice(backend, named);
  const models = price.data?.models ?? [];
  const model = models.find(({ id }) => id === chosen) ?? models[0];
  return (
    <>
      <DialogBody className="flex flex-col gap-4">
        <Reading of={price} skeleton={<SkeletonRows rows={3} label="Loading the price" />}>
          {(offer) => (
            <>
              {model === undefined ? (
                <NameModel onName={setNamed} />
              ) : (
                <Field label="Model" help={model.in_routes ? "Routes use it." : undefined}>
                  {(control) => (
                    <Select
                      {...control}
                      value={model.id}
                      onChange={setChosen}
                      options={models.map(({ id, price: words }) => ({ value: id, label: `${id} · ${words}` }))}
                    />
                  )}
                </Field>
              )}
              <Facts facts={offerFacts(offer, model)} />
              {model?.cost_nano_usd_max === null && (
                <Notice tone="warn" title="Its price is not known">
                  Gatehouse cannot say what this costs. Set a price of the model to know it first.
                </Notice>
              )}
            </>
          )}
        </Reading>
        <ErrorNotice error={error} />
      </DialogBody>
      <DialogFoot>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          look="primary"
          icon={MessageCircleQuestion}
          disabled={model === undefined}
          onClick={() => model && onAsk({ id: backend, model: model.id, accepted_nano_usd: model.cost_nano_usd_max })}
        >
          {askVerb(model)}
        </Button>
      </DialogFoot>
    </>
  );
}

/** The price stands on the button that spends it. */
function askVerb(model: AskedModelView | undefined): string {
  if (model === undefined || model.cost_nano_usd_max === 0) return "Ask";
  if (model.cost_nano_usd_max === null) return "Ask at an unknown price";
  return `Ask for ${model.price.charAt(0).toLowerCase()}${model.price.slice(1)}`;
}

function offerFacts(offer: BackendAskPriceView, model: AskedModelView | undefined): Fact[] {
  return [
    { name: "Price", value: <span className="font-semibold">{model?.price ?? "–"}</span> },
    { name: "Sends", value: `“${offer.prompt}”` },
    {
      name: "Takes back",
      value: `At most ${formatCount(offer.output_tokens_max)} tokens, for at most ${offer.time_limit_secs} s`,
    },
    { name: "Booked", value: "In the request log, as a health measurement. No budget counts it." },
  ];
}

function NameModel({ onName }: { onName: (name: string | null) => void }) {
  return (
    <Field label="Model" help="No model of this backend is known. Test the backend to fetch its list, or name one.">
      {(control) => (
        <TextInput
          {...control}
          mono
          onBlur={(event) => onName(event.target.value.trim() || null)}
          onKeyDown={(event) => event.key === "Enter" && onName(event.currentTarget.value.trim() || null)}
        />
      )}
    </Field>
  );
}

function Asking({ model, stopping, onStop }: { model: string; stopping: boolean; onStop: () => void }) {
  const { exact } = useContext(ClockContext);
  const [begun] = useState(exact);
  const seconds = Math.max(0, Math.round((useSeconds() - begun) / 1_000));
  return (
    <>
      <DialogBody>
        <p className="flex h-11 items-center gap-2.5 rounded-control border border-line px-3 text-ink-2">
          <StateMark sign={ASKING} />
          <span role="status" className="min-w-0 flex-1 truncate">
            Asking {model}…
          </span>
          <span className="numeric text-12 text-ink-3">{seconds} s</span>
        </p>
      </DialogBody>
      <DialogFoot>
        <Button data-autofocus busy={stopping} onClick={onStop}>
          Stop
        </Button>
      </DialogFoot>
    </>
  );
}

interface AnswerProps {
  answer: BackendAnswerView;
  onAgain: () => void;
  onClose: () => void;
}

function Answer({ answer, onAgain, onClose }: AnswerProps) {
  const heading = useId();
  return (
    <>
      <DialogBody className="flex flex-col gap-4">
        <div role="status" className="flex flex-col gap-2">
          <StateBadge sign={ASK_OUTCOME[answer.outcome]} />
          <p className="font-medium [overflow-wrap:anywhere]">{answer.finding}</p>
        </div>
        {answer.failure !== null && (
          <Notice tone={answer.outcome === "cancelled" ? "info" : "bad"} title={answer.failure.cause}>
            {answer.failure.next_step}
          </Notice>
        )}
        {answer.text !== "" && (
          <section aria-labelledby={heading}>
            <h3 id={heading} className="text-12 text-ink-3">
              What the model wrote
            </h3>
            <p className="mt-1 max-h-40 overflow-y-auto rounded-control border border-line bg-surface-2 px-3 py-2 whitespace-pre-wrap [overflow-wrap:anywhere]">
              {answer.text}
            </p>
          </section>
        )}
        <Facts facts={answerFacts(answer)} />
      </DialogBody>
      <DialogFoot>
        <Button onClick={onAgain}>Ask again…</Button>
        <Button look="primary" data-autofocus onClick={onClose}>
          Close
        </Button>
      </DialogFoot>
    </>
  );
}

function answerFacts(answer: BackendAnswerView): Fact[] {
  const { input_tokens: input, output_tokens: output } = answer;
  const log =
    answer.request === null
      ? { path: requestsPath({ waste: "health" }), label: "Health measurements in the log" }
      : { path: requestsPath({ request: answer.request }), label: "Open the request" };
  return [
    { name: "First token", value: answer.first_token_ms === null ? "–" : formatDuration(answer.first_token_ms) },
    { name: "Total time", value: formatDuration(answer.elapsed_ms) },
    {
      name: "Tokens",
      value:
        input === null || output === null ? "not reported" : `${formatCount(input)} in, ${formatCount(output)} out`,
    },
    {
      name: "Cost",
      value:
        answer.cost_basis === null ? "not known yet" : <Cost cost={answer.cost_nano_usd} basis={answer.cost_basis} />,
    },
    { name: "Record", value: <PanelLink path={log.path}>{log.label}</PanelLink> },
  ];
}
