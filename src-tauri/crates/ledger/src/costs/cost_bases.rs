//! What requests cost on each basis that a total may have instead of all known costs: what backends
//! stated alone, and what the price list computes alone, also where a backend states another cost.
//!
//! Each of the two has three columns in the roll-ups, booked and moved as the known costs are
//! ([`crate::requests::attempt_costs`]). A query reads them in the place of those, so that a total
//! takes as long on any basis. They count what is known: rows from before they existed have zeros,
//! which say that nothing of them is known on that basis.

use domain::CostBasis;

use crate::columns::integer_columns::COST_MAX;

/// The columns of the roll-ups for one basis.
#[derive(Debug)]
pub(crate) struct BasisColumns {
    basis: CostBasis,
    /// In place of `cost_nano_usd`.
    pub(crate) cost: &'static str,
    /// Requests whose whole cost is known on this basis. Where another one is answered than its last
    /// attempt of unknown cost was made at, it counts at the answer, and is taken off at the attempt.
    pub(crate) requests: &'static str,
    /// In place of `unpriced_attempts`: attempts before the last one, of unknown cost on this basis.
    pub(crate) unknown_attempts: &'static str,
}

pub(crate) static BASES: [BasisColumns; 2] = [
    BasisColumns {
        basis: CostBasis::Reported,
        cost: "reported_nano_usd",
        requests: "reported_requests",
        unknown_attempts: "unreported_attempts",
    },
    BasisColumns {
        basis: CostBasis::Computed,
        cost: "computed_nano_usd",
        requests: "computed_requests",
        unknown_attempts: "uncomputed_attempts",
    },
];

/// What a query on `basis` reads in the place of a column of the known costs.
pub(crate) fn column_on(basis: CostBasis, column: &str) -> String {
    match (BASES.iter().find(|own| own.basis == basis), column) {
        (Some(own), "cost_nano_usd") => own.cost.to_owned(),
        (Some(own), "unpriced_requests") => format!("requests - {}", own.requests),
        (Some(own), "unpriced_attempts") => own.unknown_attempts.to_owned(),
        _ => column.to_owned(),
    }
}

/// What the price list computes for an attempt whose cost was stated, in nano-dollars; NULL unless each
/// of its lines has a rate. `attempt` is its alias.
pub(crate) fn computed_beside(attempt: &str) -> String {
    let cost_max = COST_MAX.nanos();
    format!(
        "(SELECT iif(count(*) = count(line.value ->> 3),
           min(sum(min(line.value ->> 3, {cost_max})), {cost_max}), NULL)
          FROM json_each({attempt}.lines) line)"
    )
}

impl BasisColumns {
    pub(crate) const fn columns(&self) -> [&'static str; 3] {
        [self.cost, self.requests, self.unknown_attempts]
    }

    /// The word of this basis, which is also that of an attempt's cost.
    pub(crate) const fn word(&self) -> &'static str {
        self.basis.word()
    }

    /// What an attempt cost on this basis, NULL if that is not known. `attempt` is its alias.
    pub(crate) fn attempt_cost(&self, attempt: &str) -> String {
        let other = match self.basis {
            CostBasis::Computed => format!(" WHEN 'reported' THEN {}", computed_beside(attempt)),
            _ => String::new(),
        };
        let word = self.word();
        format!(
            "(CASE {attempt}.cost_basis WHEN '{word}' THEN {attempt}.cost_nano_usd
              WHEN 'not_billed' THEN 0{other} END)"
        )
    }

    /// The words of requests of which the whole cost cannot be known on this basis: one attempt at
    /// least has no such cost.
    const fn unknown_words(&self) -> &'static str {
        match self.basis {
            // A computed cost of a request may have stated parts.
            CostBasis::Reported => "('unpriced', 'computed')",
            _ => "('unpriced')",
        }
    }

    /// The value of one of the columns for a row of `requests`. Attempts are read only if there were
    /// several, or if the price list is asked beside a stated cost.
    fn request_value(&self, column: &str) -> String {
        let (word, unknown, cost) = (self.word(), self.unknown_words(), self.attempt_cost("a"));
        let own = "FROM attempts a WHERE a.request_id = requests.id";
        if column == self.cost {
            return format!(
                "CASE WHEN cost_basis = 'not_billed' THEN 0
                 WHEN attempts <= 1 AND cost_basis = '{word}' THEN coalesce(cost_nano_usd, 0)
                 WHEN attempts <= 1 AND cost_basis IN {unknown} THEN 0
                 ELSE coalesce((SELECT sum({cost}) {own}), 0) END"
            );
        }
        if column == self.requests {
            return self.is_known();
        }
        format!(
            "CASE WHEN attempts <= 1 THEN 0 ELSE (SELECT count(*) {own}
              AND a.number < requests.attempts AND {cost} IS NULL) END"
        )
    }

    /// 1 if the whole cost of a row of `requests` is known on this basis. Nothing billed is known. An
    /// attempt that is not kept is not known.
    pub(crate) fn is_known(&self) -> String {
        let (word, unknown, cost) = (self.word(), self.unknown_words(), self.attempt_cost("a"));
        format!(
            "CASE WHEN cost_basis = 'not_billed' THEN 1 WHEN cost_basis IN {unknown} THEN 0
             WHEN attempts <= 1 AND cost_basis = '{word}' THEN 1
             ELSE (SELECT count({cost}) FROM attempts a WHERE a.request_id = requests.id)
              >= max(attempts, 1) END"
        )
    }
}

/// The sum of a column over rows of `requests`; `None` for a column of no basis.
pub(crate) fn request_sum(column: &str) -> Option<String> {
    let own = BASES.iter().find(|own| own.columns().contains(&column))?;
    Some(format!("sum({})", own.request_value(column)))
}
