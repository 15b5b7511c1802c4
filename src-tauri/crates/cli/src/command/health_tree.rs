//! `gatehouse health --tree` and `--timeline`: what answers depend on, now and in the past.

use control::view::{
    DependencyState, HealthTimelineQuery, HealthTimelineView, HealthTreeView, UnixMs,
};
use control::{Core, Sign};

use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{format_distance, format_distance_if_known, format_length};
use crate::sign::Tone;
use crate::text::{Column, StyledText, TextTable};

/// Most spans of a time line that are listed, the newest.
const SPANS_LISTED_MAX: usize = 40;

pub(super) async fn run_tree(core: &Core, console: &mut Console) -> Result<Exit, CommandError> {
    let (tree, now) = (control::health_tree(core).await?, console.now());
    console.print_view(&tree, |it| render_tree(it, now))?;
    Ok(Exit::Success)
}

pub(super) async fn run_timeline(
    hours: u32,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let timeline = control::health_timeline(core, HealthTimelineQuery { hours }).await?;
    let now = console.now();
    console.print_view(&timeline, |it| render_timeline(it, now))?;
    Ok(Exit::Success)
}

/// What is below a node is left out if none of it is the cause of trouble.
pub(super) fn render_tree(tree: &HealthTreeView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &tree.finding);
    let mut table = TextTable::new(&[
        Column::Left("Depends on"),
        Column::Left("State"),
        Column::Left("Because of"),
        Column::Left("Reason").hidden_at_rank(2),
        Column::Left("Since").hidden_at_rank(1),
    ]);
    let mut hidden_below: Option<u32> = None;
    for node in &tree.nodes {
        if hidden_below.is_some_and(|depth| node.depth > depth) {
            continue;
        }
        hidden_below = node.folded.then_some(node.depth);
        let indent = "  ".repeat(usize::try_from(node.depth).unwrap_or_default());
        let note = if node.required == Some(true) { " (required)" } else { "" };
        table.row([
            format!("{indent}{}{note}", node.label).into(),
            Sign::from(node.state).into(),
            node.suppressed_by.as_deref().unwrap_or_default().into(),
            node.reason.as_str().into(),
            format_distance_if_known(now, node.since).into(),
        ]);
    }
    text.table(&table);
    text
}

/// A line for each lane, then the times in which one was not up.
pub(super) fn render_timeline(timeline: &HealthTimelineView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &timeline.finding);
    let mut table = TextTable::new(&[Column::Left("Of"), Column::Left("Time")]);
    for lane in &timeline.lanes {
        table.row([lane.label.as_str().into(), lane.summary.as_str().into()]);
    }
    text.table(&table);
    let is_told = |state: DependencyState| {
        !matches!(state, DependencyState::Up | DependencyState::NotObserved | DependencyState::Off)
    };
    let all = timeline.lanes.iter().flat_map(|lane| lane.spans.iter().map(move |it| (lane, it)));
    let mut told: Vec<_> = all.filter(|(_, span)| is_told(span.state)).collect();
    told.sort_by_key(|(_, span)| std::cmp::Reverse(span.from));
    if told.is_empty() {
        return text;
    }
    let mut table = TextTable::new(&[
        Column::Left("Began"),
        Column::Right("Lasted"),
        Column::Left("Of"),
        Column::Left("State"),
        Column::Left("Reason").hidden_at_rank(1),
    ]);
    for (lane, span) in told.iter().take(SPANS_LISTED_MAX) {
        table.row([
            format_distance(now, span.from).into(),
            format_length(span.to.0.abs_diff(span.from.0)).into(),
            lane.label.as_str().into(),
            Sign::from(span.state).into(),
            span.why.as_str().into(),
        ]);
    }
    text.table(&table);
    text
}
