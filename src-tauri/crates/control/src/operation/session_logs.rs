//! Operations on usage from the session logs of coding tools.

use domain::{SessionTool, ShownCurrency, WallTime, count_noun, group_digits};
use engine::{Engine, LogImportProgress, LogImportState};
use jiff::tz::TimeZone;
use ledger::{SessionGroupBy, SessionProblem, SessionQuery, SessionSummary, SessionTotals};

use crate::ApiError;
use crate::operation::currency::shown_currency;
use crate::view::{
    LogImportView, SessionLogGroupView, SessionLogPlaceView, SessionLogProblemView,
    SessionLogTotalsView, SessionLogsQuery, SessionLogsView, TimeZoneChoice,
};

pub(crate) async fn session_logs(
    engine: &Engine,
    req: SessionLogsQuery,
) -> Result<SessionLogsView, ApiError> {
    let query = SessionQuery {
        from: req.from.map_or(WallTime::default(), |from| WallTime::from_unix_ms(from.0)),
        to: WallTime::from_unix_ms(i64::MAX),
        group_by: req.group_by,
        zone: match req.zone {
            TimeZoneChoice::Local => TimeZone::system(),
            TimeZoneChoice::Utc => TimeZone::UTC,
        },
    };
    let sums = engine.ledger().session_usage(query).await?;
    let places = engine.log_import().roots().iter().map(|root| SessionLogPlaceView {
        tool: root.tool,
        tool_name: root.tool.name().to_owned(),
        path: root.path.display().to_string(),
    });
    Ok(SessionLogsView {
        import: engine.log_import().latest().as_ref().map(log_import_view),
        finding: describe_totals(&sums, shown_currency(engine)),
        totals: totals_view(&sums.totals),
        groups: group_views(&sums, req.group_by),
        files: sums.files.into(),
        problems: sums.problems.iter().map(problem_view).collect(),
        problems_total: sums.problems_total.into(),
        places: places.collect(),
    })
}

pub(crate) async fn session_logs_import(engine: &Engine) -> Result<LogImportView, ApiError> {
    let started = engine.log_import().start();
    let started = started.map_err(|error| ApiError::failed(error.to_string()))?;
    Ok(log_import_view(&started))
}

pub(crate) async fn session_logs_cancel(engine: &Engine) -> Result<(), ApiError> {
    engine.log_import().cancel();
    Ok(())
}

pub(crate) fn log_import_view(progress: &LogImportProgress) -> LogImportView {
    let skipped = progress.skipped.iter().map(|(path, what)| SessionLogProblemView {
        path: path.clone(),
        line: None,
        field: String::new(),
        what: what.clone(),
    });
    LogImportView {
        state: progress.state,
        started_at: progress.started.into(),
        ended_at: progress.ended.map(Into::into),
        files: progress.files.into(),
        unchanged_files: progress.unchanged.into(),
        done_files: progress.done.into(),
        answers: progress.answers.into(),
        measured_answers: progress.measured.into(),
        problems: progress.problems.into(),
        skipped: skipped.collect(),
        sentence: describe_import(progress),
    }
}

fn describe_import(progress: &LogImportProgress) -> String {
    let files = match progress.files {
        0 => "no session logs found".to_owned(),
        _ => format!("{} of {}", group_digits(progress.done), count_noun(progress.files, "file")),
    };
    let found = format!(
        "{} new or completed, {}",
        count_noun(progress.answers, "answer"),
        count_noun(progress.problems, "problem")
    );
    match progress.state {
        LogImportState::Running if progress.files == 0 => "Looking for session logs".to_owned(),
        LogImportState::Running => format!("Reading: {files}, {found}"),
        LogImportState::Finished if progress.files == 0 => "No session logs found".to_owned(),
        LogImportState::Finished => format!(
            "{found} in {}, {} of them unchanged",
            count_noun(progress.files, "file"),
            group_digits(progress.unchanged)
        ),
        LogImportState::Cancelled => {
            format!("Cancelled after {files}: {found}. The next import resumes there")
        }
        LogImportState::Failed => {
            let error = progress.error.as_deref().unwrap_or("unknown");
            format!("Failed after {files}: {error}. The next import resumes there")
        }
    }
}

fn describe_totals(sums: &SessionSummary, currency: ShownCurrency) -> String {
    let SessionTotals { answers, measured, unpriced, value, .. } = sums.totals;
    if answers == 0 && measured == 0 {
        return "No usage from session logs".to_owned();
    }
    let worth = match unpriced {
        some if domain::is_cost_unknown(value, answers, some) => "of unknown price".to_owned(),
        0 => format!("worth {} at list prices", currency.format(value)),
        some => format!(
            "worth {} at list prices without {} unpriced",
            currency.format(value),
            group_digits(some)
        ),
    };
    let beside = match measured {
        0 => String::new(),
        some => format!("; {} more went through Gatehouse and count there", group_digits(some)),
    };
    match answers {
        0 => format!(
            "{} from session logs, all of which count in Gatehouse",
            count_noun(measured, "answer")
        ),
        _ => format!("{} from session logs, {worth}{beside}", count_noun(answers, "answer")),
    }
}

/// The groups, and one more for those that are left out, so that all together are the totals.
fn group_views(sums: &SessionSummary, by: SessionGroupBy) -> Vec<SessionLogGroupView> {
    let groups = sums.groups.iter().map(|group| group_view(group, by));
    let label = match by {
        SessionGroupBy::Day => format!("{} before", count_noun(sums.groups_left_out, "day")),
        _ => format!("{} others", group_digits(sums.groups_left_out)),
    };
    let totals = totals_view(&sums.rest);
    let rest = SessionLogGroupView { key: REST_KEY.to_owned(), label, totals };
    let rest = (sums.groups_left_out > 0).then_some(rest);
    match by {
        SessionGroupBy::Day => rest.into_iter().chain(groups).collect(),
        _ => groups.chain(rest).collect(),
    }
}

/// Of no tool, model, folder or day.
const REST_KEY: &str = "\n";

fn group_view((key, sums): &(String, SessionTotals), by: SessionGroupBy) -> SessionLogGroupView {
    let label = match by {
        SessionGroupBy::Tool => key.parse::<SessionTool>().map(|tool| tool.name().to_owned()).ok(),
        SessionGroupBy::Model if key.is_empty() => Some("model not named".to_owned()),
        SessionGroupBy::Project if key.is_empty() => Some("folder not named".to_owned()),
        _ => None,
    };
    let label = label.unwrap_or_else(|| key.clone());
    SessionLogGroupView { key: key.clone(), label, totals: totals_view(sums) }
}

fn totals_view(sums: &SessionTotals) -> SessionLogTotalsView {
    SessionLogTotalsView {
        answers: sums.answers.into(),
        input_tokens: sums.tokens.input().into(),
        cache_read_tokens: sums.tokens.cache_read.into(),
        output_tokens: sums.tokens.output().into(),
        value_nano_usd: sums.value.into(),
        is_value_unknown: domain::is_cost_unknown(sums.value, sums.answers, sums.unpriced),
        unpriced_answers: sums.unpriced.into(),
        stated_nano_usd: sums.stated.into(),
        measured_answers: sums.measured.into(),
    }
}

fn problem_view(found: &SessionProblem) -> SessionLogProblemView {
    SessionLogProblemView {
        path: found.path.clone(),
        line: Some(found.problem.line).filter(|line| *line > 0).map(Into::into),
        field: found.problem.field.clone(),
        what: found.problem.what.clone(),
    }
}
