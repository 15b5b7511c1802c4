// Generated from the Rust views; do not edit. `cargo xtask bindings` writes it anew.
/**  Where a button leads. */
export type ActionView = 
/**  Open this backend. */
{ kind: "open_backend"; 
/**  Which. */
id: string } | 
/**  Open this key. */
{ kind: "open_key"; 
/**  Which. */
id: string } | 
/**  Start adding a backend. */
{ kind: "add_backend" } | 
/**  Connect a client tool. */
{ kind: "add_client" } | 
/**  Start a readiness run. */
{ kind: "run_checks" } | 
/**  Open the readiness screen. */
{ kind: "open_readiness" } | 
/**  Open the settings. */
{ kind: "open_settings" };

/**  What happened, and what to do. */
export type ApiError = {
	/**  What a program branches on. */
	code: ErrorCode,
	/**  What happened and why. */
	message: string,
	/**  What to do. */
	hint: string | null,
	/**  The field of the request that is wrong, for a form to mark. */
	field: string | null,
};

/**  Adds a backend, with a new key, a stored one or none. */
export type BackendAdd = {
	/**  Its name in requests. */
	id: string,
	/**  Its name for people; empty takes the id. */
	label: string,
	/**  Its protocol. */
	kind: BackendKindView,
	/**  Where requests go, with or without `/v1`. */
	base_url: string,
	/**  Its key. */
	key: BackendKey,
	/**  Models it offers; empty asks the backend. */
	models: string[],
};

/**  Backends by state. The four parts add up to `total`. */
export type BackendCountsView = {
	/**  All, the built-in mock included. */
	total: number,
	/**  Working. */
	up: number,
	/**  Not working. */
	down: number,
	/**  Not known yet. */
	unknown: number,
	/**  Switched off. */
	disabled: number,
};

/**  A backend's last 24 hours. */
export type BackendDayView = {
	/**  Spend and requests. */
	spend: SpendView,
	/**  Requests that failed. */
	failed: Count,
	/**  Requests per hour, oldest first, 24 values. */
	requests_per_hour: number[],
	/**  Mean time to the first token, in milliseconds. */
	first_token_ms: number | null,
};

/**  Changes a backend. Another origin detaches its key. */
export type BackendEdit = {
	/**  Which. */
	id: string,
	/**  Its name for people. */
	label: string,
	/**  Where requests go. */
	base_url: string,
	/**  The key it uses. */
	credential: string | null,
	/**  Models it offers; empty asks the backend. */
	models: string[],
};

/**  The key of a backend that is being added. */
export type BackendKey = 
/**  Needs none. */
{ kind: "none" } | 
/**  One that is in the vault. */
{ kind: "stored"; 
/**  Which. */
id: string } | 
/**  A new one, put into the vault under the backend's id. */
{ kind: "new"; 
/**  The key itself; travels inwards only. */
secret: string };

/**  The protocols. */
export type BackendKindView = 
/**  OpenAI itself. */
"openai" | 
/**  Another server that speaks OpenAI's protocol. */
"openai-compatible" | 
/**  The built-in mock. */
"mock";

/**  Names one backend. */
export type BackendRef = {
	/**  Which. */
	id: string,
};

/**  Switches a backend on or off. */
export type BackendSwitch = {
	/**  Which. */
	id: string,
	/**  On or off. */
	enabled: boolean,
};

/**  A test of one backend, step by step. Nothing of it is billed. */
export type BackendTestView = {
	/**  Which backend. */
	id: string,
	/**  All steps passed. */
	passed: boolean,
	/**  What was tried, in order. */
	steps: TestStepView[],
};

/**  A backend with its health, models and last day. */
export type BackendView = {
	/**  Its name in requests: `id/model`. */
	id: string,
	/**  Its name for people. */
	label: string,
	/**  Its protocol. */
	kind: BackendKindView,
	/**  Where requests go; none for the mock. */
	base_url: string | null,
	/**  Whether requests may go there. */
	enabled: boolean,
	/**  Built in, so it cannot be edited or removed. */
	built_in: boolean,
	/**  The key it uses. */
	credential: string | null,
	/**  Whether it works. */
	health: HealthView,
	/**  What it offers. */
	models: ModelView[],
	/**  The last 24 hours. */
	last_day: BackendDayView,
};

/**  A category's score. */
export type CategoryView = {
	/**  Its name. */
	name: string,
	/**  Tenths of a point, 0 to 100; none when nothing in it could be tried. */
	score_tenths: number | null,
};

/**  Sets of checks. */
export type CheckSetView = 
/**  Local parts only; under three seconds. */
"quick" | 
/**  Everything that is free. */
"full";

/**  How a check went. */
export type CheckStateView = 
/**  Waits for others. */
"waiting" | 
/**  Goes. */
"running" | 
/**  Good. */
"pass" | 
/**  Works, not well. */
"warn" | 
/**  Bad. */
"fail" | 
/**  Not tried, because a check it depends on failed. */
"skipped" | 
/**  Does not apply here. */
"not_applicable" | 
/**  The check itself broke. */
"crashed" | 
/**  Stopped by the user. */
"cancelled";

/**  One check of a run. */
export type CheckView = {
	/**  `R-05`, with a suffix for a check made once for each backend: `R-10/openai`. */
	id: string,
	/**  The question. */
	title: string,
	/**  Its category. */
	category: string,
	/**  How much it matters. */
	severity: SeverityView,
	/**  How it went. */
	state: CheckStateView,
	/**  What was seen. */
	evidence: string[],
	/**  Why it failed. */
	cause: string | null,
	/**  What to do. */
	fix: string | null,
	/**  Where the fix is made. */
	action: ActionView | null,
	/**  Checks it waits for. */
	depends_on: string[],
	/**  How long it took, in milliseconds. */
	duration_ms: number | null,
};

/**  Makes a token for a client. */
export type ClientAdd = {
	/**  Its name. */
	id: string,
	/**  Days until the token ends; none for never. */
	expires_in_days: number | null,
};

/**  Names one client. */
export type ClientRef = {
	/**  Which. */
	id: string,
};

/**  A tool that may call the gateway. */
export type ClientView = {
	/**  Its name. */
	id: string,
	/**  When its token was made. */
	created_at: UnixMs,
	/**  When its token ends. */
	expires_at: UnixMs | null,
	/**  Whether its token has ended. */
	expired: boolean,
	/**  When it was last heard of. */
	seen_at: UnixMs | null,
	/**  The last 30 days. */
	last_month: SpendView,
	/**  How to use it. */
	snippets: SnippetView[],
};

/**  How a cost is known. */
export type CostBasisView = 
/**  The provider said so. */
"reported" | 
/**  Tokens times price. */
"computed" | 
/**  No usage or no price: unknown, never zero. */
"unpriced";

/**  A number of things. */
export type Count = number;

/**  Exists for those who branch on it; everything else is `failed`. */
export type ErrorCode = 
/**  A field of the request is wrong: the form marks it, the command line exits with 2. */
"invalid_input" | 
/**  No such thing: the panel leaves the page, the command line exits with 1. */
"not_found" | 
/**  The vault does not work: the panel shows its state and what to do. */
"vault_unavailable" | 
/**  The settings file is broken: the panel shows its problems. */
"settings_invalid" | 
/**  The core cannot be reached: the panel shows that it is offline. */
"offline" | 
/**  Anything else. */
"failed";

/**  The three first steps. */
export type FirstStepsView = {
	/**  A backend other than the mock exists. */
	backend_added: boolean,
	/**  A client has a local token. */
	client_added: boolean,
	/**  A client has sent a request. */
	request_seen: boolean,
	/**  A readiness run has finished. */
	checks_run: boolean,
};

/**  Where things lie. */
export type FoldersView = {
	/**  Settings. */
	config: string,
	/**  Ledger and file vault. */
	data: string,
	/**  Logs. */
	state: string,
	/**  Size of the ledger in bytes. */
	ledger_bytes: Count,
};

/**  Whether the gateway listens. */
export type GatewayState = 
/**  Answers requests. */
"listening" | 
/**  Could not listen. */
"failed";

/**  The local gateway. */
export type GatewayView = {
	/**  Whether it listens. */
	state: GatewayState,
	/**  What clients are pointed at, for example `http://127.0.0.1:4283`. */
	address: string,
	/**  The port in the settings. */
	port: number,
	/**  Why it does not listen and what to do. */
	reason: string | null,
};

/**  Health states. */
export type HealthStateView = 
/**  Works. */
"up" | 
/**  Does not. */
"down" | 
/**  Not known. */
"unknown" | 
/**  Switched off. */
"disabled";

/**  Whether a backend works, why, and since when. */
export type HealthView = {
	/**  The word. */
	state: HealthStateView,
	/**  The reason in words. */
	reason: string,
	/**  Since when it is in this state. */
	since: UnixMs | null,
	/**  When it was last observed. */
	last_checked: UnixMs | null,
	/**  How long the last light probe took, in milliseconds. */
	probe_ms: number | null,
};

/**  Puts a key in. It can be used, replaced and removed, never read back. */
export type KeyAdd = {
	/**  Its name. */
	id: string,
	/**  Its name for people; empty takes the id. */
	label: string,
	/**  The key itself; travels inwards only. */
	secret: string,
	/**  The URL it may be sent to; without one it is bound when a backend takes it. */
	url: string | null,
};

/**  Names one key. */
export type KeyRef = {
	/**  Which. */
	id: string,
};

/**  Replaces a key in place. */
export type KeyReplace = {
	/**  Which. */
	id: string,
	/**  The new key; travels inwards only. */
	secret: string,
};

/**  Whether a key is good. */
export type KeyStateView = 
/**  Accepted at the last call. */
"valid" | 
/**  Not tried yet. */
"unverified" | 
/**  Rejected by its provider. */
"rejected" | 
/**  Named in the settings and not in the vault. */
"missing";

/**  What a provider said of a key. The call is not billed. */
export type KeyVerificationView = {
	/**  Which. */
	id: string,
	/**  Whether it is good. */
	state: KeyStateView,
	/**  What was seen, in words. */
	detail: string,
	/**  What to do. */
	fix: string | null,
};

/**  A key in the vault. */
export type KeyView = {
	/**  Its name. */
	id: string,
	/**  Its name for people. */
	label: string,
	/**  Its last four characters, where it is long enough to show them. */
	tail: string | null,
	/**  The only place it may be sent to, `https://api.openai.com:443`. */
	origin: string | null,
	/**  When it was put in. */
	created_at: UnixMs | null,
	/**  When it was last replaced. */
	replaced_at: UnixMs | null,
	/**  Whether it is good. */
	state: KeyStateView,
	/**  Why, and what to do. */
	reason: string | null,
	/**  When a provider last accepted or rejected it. */
	verified_at: UnixMs | null,
	/**  When a request last used it. */
	used_at: UnixMs | null,
	/**  Backends that use it. */
	used_by: string[],
	/**  Where it lies. */
	storage: VaultKindView,
	/**  Read-only: it comes from the environment. */
	read_only: boolean,
	/**  The last 30 days. */
	last_month: SpendView,
};

/**  An amount in millionths of a US dollar. */
export type MicroDollars = number;

/**  A model a backend offers. */
export type ModelView = {
	/**  The provider's name for it. */
	id: string,
	/**  What it costs, where known. */
	price: PriceView | null,
};

/**  One thing that needs a hand. */
export type NeedView = {
	/**  Stable while the need lasts. */
	id: string,
	/**  How bad. */
	level: VerdictLevel,
	/**  What. */
	title: string,
	/**  What it means for work. */
	impact: string,
	/**  Since when, where known. */
	since: UnixMs | null,
	/**  The button. */
	action: ActionView,
};

/**  What came of a test notification. */
export type NotificationTestView = {
	/**  Whether the desktop took it. */
	delivered: boolean,
	/**  What happened and what to do. */
	detail: string,
};

/**  One message to the panel. */
export type PanelEvent = 
/**  These things have changed; what is shown of them is stale. */
{ kind: "changed"; 
/**  What changed. */
tags: Tag[] } | 
/**  A readiness run moved on. */
{ kind: "run_progress"; 
/**  The run as it is now. */
run: RunView } | 
/**  Open this place: a notification or the tray was clicked. */
{ kind: "navigate"; 
/**  A path of the panel, `/readiness` or `/backends/openai`. */
path: string };

/**  A provider or local server to start from. */
export type PresetView = {
	/**  Proposed id. */
	id: string,
	/**  Its name. */
	label: string,
	/**  Its protocol. */
	kind: BackendKindView,
	/**  Its address. */
	base_url: string,
	/**  How its keys begin, to recognise a pasted one. */
	key_prefix: string | null,
	/**  Where keys are made. */
	docs_url: string,
	/**  Runs on this machine and needs no key. */
	local: boolean,
};

/**  A price per million tokens. */
export type PriceView = {
	/**  Input, in micro-dollars per million tokens. */
	input: MicroDollars | null,
	/**  Output, in micro-dollars per million tokens. */
	output: MicroDollars | null,
	/**  Input read from the provider's cache, in micro-dollars per million tokens. */
	cache_read: MicroDollars | null,
	/**  The day it was taken from its source, `2026-11-21`. */
	valid_from: string,
	/**  Where it was taken from. */
	source: string,
};

/**  Something wrong or odd in the settings file. */
export type ProblemView = {
	/**  The field, `backends.up.base_url`. */
	path: string,
	/**  The line, where known. */
	line: number | null,
	/**  Stops the file from being used. */
	fatal: boolean,
	/**  What is wrong and what to do. */
	message: string,
};

/**  Starts a run. */
export type ReadinessStart = {
	/**  Which checks. */
	set: CheckSetView,
};

/**  The newest run in full and the scores of those before. */
export type ReadinessView = {
	/**  The run that goes, or else the newest. */
	run: RunView | null,
	/**  Finished runs, newest first, at most 30. */
	history: RunSummaryView[],
};

/**  How a request ended. */
export type RequestStateView = 
/**  Still running. */
"running" | 
/**  Ended well. */
"complete" | 
/**  Cut short after its first token. */
"partial" | 
/**  Refused or failed. */
"failed" | 
/**  The client left. */
"cancelled" | 
/**  The program was stopped while it ran. */
"unknown";

/**  One request. */
export type RequestView = {
	/**  Its id, as in `x-gatehouse-request-id`. */
	id: string,
	/**  When it came. */
	started_at: UnixMs,
	/**  Who sent it. */
	client: string,
	/**  Who answered. */
	backend: string | null,
	/**  What was asked for. */
	model_asked: string,
	/**  What the backend says it used. */
	model_billed: string | null,
	/**  How it ended. */
	state: RequestStateView,
	/**  The status the client saw. */
	http_status: number | null,
	/**  What went wrong, in words. */
	error: string | null,
	/**  Why it went where it went. */
	explanation: string,
	/**  Streamed or in one piece. */
	stream: boolean,
	/**  Why the model stopped. */
	finish_reason: string | null,
	/**  Input tokens of every class; none when the backend did not say. */
	input_tokens: Count | null,
	/**  Of these, read from the provider's cache. */
	cache_read_tokens: Count | null,
	/**  Output tokens; none when the backend did not say. */
	output_tokens: Count | null,
	/**  Its cost; none when not known. */
	cost: MicroDollars | null,
	/**  How the cost is known. */
	cost_basis: CostBasisView,
	/**  Time to the first token, in milliseconds. */
	first_token_ms: number | null,
	/**  Time to the last byte, in milliseconds. */
	total_ms: number | null,
	/**  Upstream attempts. */
	attempts: number,
};

/**  Which requests. */
export type RequestsQuery = {
	/**  Older than this request; none for the newest. */
	before: string | null,
	/**  How many, 1 to 500. */
	limit: number,
	/**  Only this backend. */
	backend: string | null,
	/**  Only this client. */
	client: string | null,
};

/**  A page of requests, newest first. */
export type RequestsView = {
	/**  The rows. */
	requests: RequestView[],
	/**  What to ask for as `before` to see older ones. */
	next: string | null,
};

/**  Whether a run still goes. */
export type RunStateView = 
/**  Going. */
"running" | 
/**  Ended. */
"finished" | 
/**  Stopped by the user. */
"cancelled";

/**  A finished run in a line. */
export type RunSummaryView = {
	/**  Its id. */
	id: string,
	/**  Which checks. */
	set: CheckSetView,
	/**  When it ended. */
	ended_at: UnixMs,
	/**  The verdict. */
	verdict: RunVerdictView,
	/**  The verdict in a sentence. */
	sentence: string,
	/**  Tenths of a point, 0 to 100. */
	score_tenths: number,
};

/**  The verdict. */
export type RunVerdictView = 
/**  Go. */
"ready" | 
/**  Go, with care. */
"ready_with_warnings" | 
/**  Do not go. */
"not_ready";

/**  A run, while it goes and after. */
export type RunView = {
	/**  Its id. */
	id: string,
	/**  Which checks. */
	set: CheckSetView,
	/**  Whether it still goes. */
	state: RunStateView,
	/**  When it began. */
	started_at: UnixMs,
	/**  When it ended. */
	ended_at: UnixMs | null,
	/**  The verdict, once it has ended. */
	verdict: RunVerdictView | null,
	/**  The verdict in a sentence: "Ready, 9.3 of 10" or "2 blockers: …". */
	sentence: string,
	/**  Tenths of a point, 0 to 100, once it has ended. */
	score_tenths: number | null,
	/**  Change of the score since the run before, in tenths. */
	score_change_tenths: number | null,
	/**  Share of the checks that could be tried, in percent. */
	confidence_percent: number,
	/**  Score by category. */
	categories: CategoryView[],
	/**  The checks in the order they are shown. */
	checks: CheckView[],
	/**  Ids of the (at most three) failed checks whose repair gains most. */
	best_fixes: string[],
};

/**  The editable values. */
export type SettingsValues = {
	/**  Gateway port, 1024 to 65535. */
	gateway_port: number,
	/**  Requests answered at once, 1 to 300. */
	in_flight_max: number,
	/**  Largest request body in bytes, 1 KiB to 64 MiB. */
	body_bytes_max: number,
	/**  Time to connect, in milliseconds. */
	connect_timeout_ms: number,
	/**  Time to the first token, in milliseconds. */
	first_token_timeout_ms: number,
	/**  Silence in a stream, in milliseconds. */
	stall_timeout_ms: number,
	/**  Whole answer, in milliseconds. */
	total_timeout_ms: number,
	/**  Time between light probes, in seconds. */
	health_interval_secs: number,
	/**  Days that single requests are kept; sums are kept longer. */
	retention_days: number,
	/**  Desktop notifications. */
	notifications_enabled: boolean,
	/**  Colours. */
	theme: ThemeChoice,
	/**  Where secrets are kept. */
	vault_kind: VaultKindView,
};

/**  The settings, the file behind them, and what is wrong with it. */
export type SettingsView = {
	/**  The file. */
	path: string,
	/**  Whether the file could be used. When not, defaults are in force and edits are refused. */
	valid: boolean,
	/**  What is in force. */
	values: SettingsValues,
	/**  What a fresh install has. */
	defaults: SettingsValues,
	/**  What is wrong with the file or odd about it. */
	problems: ProblemView[],
	/**  A repair that is certain, as a unified diff. */
	proposed_fix: string | null,
	/**  The vault now. */
	vault: VaultView,
	/**  Where things lie. */
	folders: FoldersView,
	/**  What takes effect only after a restart, of what was changed since the start. */
	restart_needed_for: string[],
};

/**  How much a check matters. */
export type SeverityView = 
/**  Nothing works without it. */
"blocker" | 
/**  Something does not work. */
"major" | 
/**  Could be better. */
"minor" | 
/**  Good to know. */
"info";

/**  A piece of code to copy. */
export type SnippetView = {
	/**  `curl`, `Python`, `Node`, … */
	title: string,
	/**  The code. Holds no token: it asks `gatehouse token` for it. */
	code: string,
};

/**  Money spent in a period. */
export type SpendView = {
	/**  The priced part. */
	cost: MicroDollars,
	/**  All requests. */
	requests: Count,
	/**  Requests whose cost is not known; not in `cost`. */
	unpriced_requests: Count,
};

/**  Everything the Overview, the tray and `gatehouse status` show. */
export type StatusView = {
	/**  Version of the running core. */
	version: string,
	/**  When this answer was made. */
	now: UnixMs,
	/**  When the core started. */
	started_at: UnixMs,
	/**  The verdict and what needs a hand. */
	verdict: VerdictView,
	/**  The local gateway. */
	gateway: GatewayView,
	/**  Where secrets are kept. */
	vault: VaultView,
	/**  How many backends are in which state; the parts add up to the total. */
	backends: BackendCountsView,
	/**  Requests being answered right now. */
	requests_in_flight: number,
	/**  Since local midnight. */
	spend_today: SpendView,
	/**  How far the first steps are done. */
	first_steps: FirstStepsView,
	/**  The newest finished readiness run. */
	last_run: RunSummaryView | null,
	/**  Where settings, ledger and logs lie. */
	data_folder: string,
};

/**  What can change. Each operation says which it reads and which it changes. */
export type Tag = 
/**  The verdict, the gateway, counts and spend. */
"status" | 
/**  Backends, their health and their models. */
"backends" | 
/**  Keys and the vault. */
"keys" | 
/**  Clients. */
"clients" | 
/**  Requests and sums. */
"usage" | 
/**  Readiness runs. */
"readiness" | 
/**  Settings and their file. */
"settings";

/**  How a step went. */
export type TestStepState = 
/**  Worked. */
"pass" | 
/**  Did not. */
"fail" | 
/**  Not tried, because an earlier step failed. */
"skipped";

/**  One step of a test. */
export type TestStepView = {
	/**  What was tried. */
	title: string,
	/**  How it went. */
	state: TestStepState,
	/**  What was seen. */
	detail: string,
	/**  What to do about it. */
	fix: string | null,
	/**  How long it took, in milliseconds. */
	duration_ms: number | null,
};

/**  Colours. */
export type ThemeChoice = 
/**  As the desktop. */
"system" | 
/**  Light. */
"light" | 
/**  Dark. */
"dark";

/**  Milliseconds since 1970-01-01 UTC. */
export type UnixMs = number;

/**  One bar. */
export type UsageBucketView = {
	/**  Its beginning. */
	start: UnixMs,
	/**  Its name on the axis: `08:00` or `21 Nov`. */
	label: string,
	/**  One segment for each entry of `groups`, in that order. */
	segments: UsageSegmentView[],
};

/**  Dimensions. */
export type UsageGroupBy = 
/**  By backend. */
"backend" | 
/**  By model. */
"model" | 
/**  By client. */
"client" | 
/**  By key. */
"credential";

/**  One group of the chart and one row of the table. */
export type UsageGroupView = {
	/**  Its key; `other` for the rest. */
	key: string,
	/**  Its name for people. */
	label: string,
	/**  Its sums. */
	totals: UsageTotalsView,
	/**  Its share of the cost in percent, 0 to 100, when there is any cost. */
	cost_share_percent: number | null,
};

/**  What to add up. */
export type UsageQuery = {
	/**  The period. */
	range: UsageRange,
	/**  The dimension of the bars and of the table. */
	group_by: UsageGroupBy,
	/**  Whose midnight begins a day. */
	zone: ZoneChoice,
};

/**  Periods that end now. */
export type UsageRange = 
/**  Since midnight, by hour. */
"today" | 
/**  24 hours, by hour. */
"last_day" | 
/**  7 days, by day. */
"last_week" | 
/**  30 days, by day. */
"last_month";

/**  One group's part of a bar. */
export type UsageSegmentView = {
	/**  Cost. */
	cost: MicroDollars,
	/**  Requests. */
	requests: Count,
	/**  Tokens, in and out. */
	tokens: Count,
};

/**  Sums. */
export type UsageTotalsView = {
	/**  The priced part. */
	cost: MicroDollars,
	/**  All requests. */
	requests: Count,
	/**  Requests whose cost is not known; not in `cost`. */
	unpriced_requests: Count,
	/**  Requests that did not end well. */
	failed_requests: Count,
	/**  Input tokens of every class. */
	input_tokens: Count,
	/**  Input tokens read from a provider's cache; part of `input_tokens`. */
	cache_read_tokens: Count,
	/**  Output tokens, reasoning included. */
	output_tokens: Count,
	/**  Reasoning tokens; part of `output_tokens`. */
	reasoning_tokens: Count,
};

/**  Bars, table and totals of one period. */
export type UsageView = {
	/**  Beginning of the period. */
	from: UnixMs,
	/**  End of the period. */
	to: UnixMs,
	/**  The time zone that was used, `Europe/Berlin`. */
	zone: string,
	/**  The chart's title as its finding, for example "openai took 82 % of $4.10". */
	finding: string,
	/**  Totals. */
	totals: UsageTotalsView,
	/**  The groups, dearest first; at most eight, then `other`. */
	groups: UsageGroupView[],
	/**  The bars, oldest first, gaps included. */
	buckets: UsageBucketView[],
};

/**  The kinds of vault. */
export type VaultKindView = 
/**  The operating system's keychain. */
"keychain" | 
/**  A file encrypted with a passphrase. */
"file" | 
/**  A read-only view of environment variables. */
"env" | 
/**  Memory only; gone at the end. */
"memory";

/**  The states of the vault. */
export type VaultStateView = 
/**  Not asked yet. */
"unknown" | 
/**  Works. */
"ready" | 
/**  Locked, or the passphrase is wrong or missing. */
"locked" | 
/**  The keychain service has no collection to store in. */
"no_collection" | 
/**  No keychain service answers. */
"unavailable" | 
/**  The keychain service does not answer in time. */
"hung" | 
/**  The encrypted file cannot be read. */
"damaged";

/**  Opens the encrypted file vault, or makes it when there is none yet. */
export type VaultUnlock = {
	/**  The passphrase; travels inwards only. */
	passphrase: string,
};

/**  Where secrets are kept and whether that works. */
export type VaultView = {
	/**  `keychain`, `file`, `env` or `memory`. */
	kind: VaultKindView,
	/**  Its state at the last call. */
	state: VaultStateView,
	/**  What to do when it is not ready. */
	hint: string | null,
};

/**  How good things are. */
export type VerdictLevel = 
/**  Everything works. */
"ok" | 
/**  Works, and something wants looking at. */
"attention" | 
/**  Something does not work. */
"problem";

/**  One word, one sentence, and the list behind it. */
export type VerdictView = {
	/**  The word. */
	level: VerdictLevel,
	/**  The sentence, for example "2 backends need you". */
	sentence: string,
	/**  What needs a hand, most important first; at most five. */
	needs: NeedView[],
};

/**  Whose midnight. */
export type ZoneChoice = 
/**  This machine's time zone. */
"local" | 
/**  UTC, as provider pages count. */
"utc";

