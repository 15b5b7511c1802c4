import type { InvoiceView, LineItemView, RequestView } from "@/ipc/bindings";
import { MODELS } from "@/ipc/fake/catalogue";

export const NO_INVOICE: InvoiceView = {
  lines: [],
  computed_nano_usd: null,
  stated_nano_usd: null,
  price: null,
  unpriced: null,
};

function line(meter: string, quantity: number, rate: number | null | undefined): LineItemView {
  return {
    meter,
    quantity,
    unit: "tokens",
    rate_nano_usd: rate ?? null,
    quoted_for: 1_000_000,
    amount_nano_usd: rate === null || rate === undefined ? null : Math.round((quantity * rate) / 1_000_000),
  };
}

export function invoiceOf(request: RequestView): InvoiceView {
  const { input_tokens: input, cache_read_tokens: cached, output_tokens: output, model_billed, backend } = request;
  if (input === null || output === null || backend === "mock") return NO_INVOICE;
  const price = (MODELS[backend ?? ""] ?? []).find((model) => model.id === model_billed)?.price ?? null;
  const kept = price?.cache_read_nano_usd === null ? 0 : (cached ?? 0);
  const lines = [
    line("Input", input - kept, price?.input_nano_usd),
    line("Cache read", kept, price?.cache_read_nano_usd),
    line("Output", output, price?.output_nano_usd),
  ].filter(({ quantity }) => quantity > 0);
  return {
    lines,
    computed_nano_usd: price && lines.reduce((sum, { amount_nano_usd }) => sum + (amount_nano_usd ?? 0), 0),
    stated_nano_usd: request.cost_basis === "reported" ? request.cost_nano_usd : null,
    price: price && { id: `${backend}/${model_billed}@${price.valid_from}`, ...price },
    unpriced: request.unpriced,
  };
}
