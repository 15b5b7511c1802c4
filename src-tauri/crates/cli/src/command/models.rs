//! `gatehouse models`: lists the model names that requests can use.

use control::Core;
use control::view::{BackendView, NanoDollars, RouteView, ShownHealth};
use domain::ShownCurrency;
use serde::Serialize;

use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::UNKNOWN;
use crate::sign::{Sign, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};

#[derive(Debug, clap::Args)]
pub(crate) struct ModelsArguments {
    /// Only models of this backend
    #[arg(long, value_name = "NAME", add = super::completers::candidates_from(super::completers::backend_names))]
    backend: Option<String>,
}

/// A model name that requests can use.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ModelName {
    /// The value of the request's `model` field.
    pub(super) model: String,
    /// `route` or `backend`.
    kind: &'static str,
    /// The backends that serve it, in order.
    backends: Vec<String>,
    /// Input price in nano-dollars per million tokens; `None` if unknown.
    input_nano_usd: Option<NanoDollars>,
    /// Output price in nano-dollars per million tokens; `None` if unknown.
    output_nano_usd: Option<NanoDollars>,
    #[serde(skip)]
    health: Option<ShownHealth>,
}

pub(crate) async fn run(
    wanted: &ModelsArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let mut names = list_model_names(core).await?;
    if let Some(backend) = &wanted.backend {
        names.retain(|name| name.backends.contains(backend));
    }
    console.print_view(&names, table)?;
    Ok(if names.is_empty() { Exit::Negative } else { Exit::Success })
}

/// Lists routes first, which is the gateway's lookup order, then each model of each enabled
/// backend.
pub(super) async fn list_model_names(core: &Core) -> Result<Vec<ModelName>, CommandError> {
    let routes = control::routes(core).await?.routes;
    let backends = control::backends(core).await?;
    let of_routes =
        routes.iter().filter(|route| route.enabled && route.in_profile).flat_map(names_of_route);
    let of_backends =
        backends.iter().filter(|it| it.enabled && it.in_profile).flat_map(names_of_backend);
    Ok(of_routes.chain(of_backends).collect())
}

fn names_of_route(route: &RouteView) -> impl Iterator<Item = ModelName> + '_ {
    route.models.iter().map(|model| ModelName {
        model: model.clone(),
        kind: "route",
        backends: route.candidates.iter().map(|one| one.backend.clone()).collect(),
        input_nano_usd: None,
        output_nano_usd: None,
        health: None,
    })
}

fn names_of_backend(backend: &BackendView) -> impl Iterator<Item = ModelName> + '_ {
    backend.models.iter().map(|model| ModelName {
        model: format!("{}/{}", backend.id, model.id),
        kind: "backend",
        backends: vec![backend.id.clone()],
        input_nano_usd: model.price.as_ref().and_then(|price| price.input_nano_usd),
        output_nano_usd: model.price.as_ref().and_then(|price| price.output_nano_usd),
        health: Some(backend.health.state),
    })
}

pub(super) fn table(names: &Vec<ModelName>) -> StyledText {
    if names.is_empty() {
        return render_sentence("No models yet. `gatehouse backends list` lists the backends.");
    }
    let mut table = TextTable::new(&[
        Column::Left("Model"),
        Column::Left("Health").hidden_at_rank(2),
        Column::Left("Backends").hidden_at_rank(3),
        Column::Right("In / 1M tokens").hidden_at_rank(1),
        Column::Right("Out / 1M tokens").hidden_at_rank(1),
    ]);
    let price = |price: Option<NanoDollars>| {
        price.map_or_else(|| UNKNOWN.to_owned(), |price| price.shown_in(ShownCurrency::USD))
    };
    for name in names {
        let leads = if name.kind == "route" { name.backends.join(", ") } else { String::new() };
        table.row([
            TableCell::styled(Tone::Strong, &name.model),
            name.health.map_or_else(|| "route".into(), |health| Sign::from(health).into()),
            leads.into(),
            price(name.input_nano_usd).into(),
            price(name.output_nano_usd).into(),
        ]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The shape is the command's own, so that no record of views has it.
    #[test]
    fn a_program_gets_the_same_fields_for_each_name() {
        let name = |kind, price| ModelName {
            model: "m".to_owned(),
            kind,
            backends: vec!["up".to_owned()],
            input_nano_usd: price,
            output_nano_usd: price,
            health: None,
        };
        let of_route = json!({"model": "m", "kind": "route", "backends": ["up"],
            "input_nano_usd": null, "output_nano_usd": null});
        let of_backend = json!({"model": "m", "kind": "backend", "backends": ["up"],
            "input_nano_usd": 5, "output_nano_usd": 5});
        let views = [name("route", None), name("backend", Some(NanoDollars(5)))];
        assert_eq!(serde_json::to_value(views).expect("JSON"), json!([of_route, of_backend]));
    }
}
