//! `measure scale` and `measure bill`.

use std::{
    io::{Write as _, stdout},
    path::PathBuf,
};

use anyhow::Context as _;
use benches::{
    report::Figures,
    scale::{
        Bill, Demand, Measured, Plan, Prices, Simulated, Transport, bill_of_a_million, bill_table,
        bounds, bounds_table, break_even_jobs_per_s, draw, plan_table,
        simulation::{Course, Outage, simulate},
        simulation_table, write_between,
    },
};
use clap::Args;
use serde_json::json;

/// How long a simulation of a plan without outages is, seconds: two slots.
const USUAL_S: f64 = 120.0;

/// With an outage, from half a minute to one and a half.
const OUTAGE_S: f64 = 420.0;

#[derive(Debug, Args)]
struct Source {
    /// What was measured, as `dev/bench` writes it.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "docs/performance/figures.json"
    )]
    figures: PathBuf,
    /// A page to put the tables into.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    demand: Demand,
    #[command(flatten)]
    prices: Prices,
}

impl Source {
    fn figures(&self) -> anyhow::Result<(Figures, Measured)> {
        self.demand.validate()?;
        let figures = Figures::read(&self.figures)?;
        let measured = Measured::from_figures(&figures)
            .with_context(|| format!("{} is not enough", self.figures.display()))?;
        Ok((figures, measured))
    }

    /// Prints a text, and puts it into the page.
    fn tell(&self, name: &str, text: &str) -> anyhow::Result<()> {
        writeln!(stdout().lock(), "{text}").context("cannot print")?;
        match &self.page {
            Some(page) => write_between(page, name, text),
            None => Ok(()),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Scale {
    /// Polls a second; several make a table.
    #[arg(long, value_delimiter = ',', default_value = "10000,100000,1000000")]
    jobs_per_s: Vec<f64>,
    /// Registered jobs, in place of polls a second.
    #[arg(long, value_delimiter = ',', conflicts_with = "jobs_per_s")]
    jobs: Option<Vec<f64>>,
    /// Simulates each plan: as it is, with a master away for a minute, and with a scheduler.
    #[arg(long)]
    simulate: bool,
    /// What the simulation draws follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Draws what so many polls a second need.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
}

impl Scale {
    pub(super) fn execute(&self) -> anyhow::Result<()> {
        let Source { demand, prices, .. } = &self.source;
        let (figures, measured) = self.source.figures()?;
        let plans: Vec<Plan> = self
            .rates()
            .into_iter()
            .map(|rate| Plan::of(rate, demand, &measured))
            .collect();
        let bounds = bounds(demand, &measured);
        if let Some(file) = &self.plot {
            draw(file, demand, &measured)?;
        }
        let runs: Vec<Simulated> = match self.simulate {
            true => plans.iter().map(|plan| self.run(plan, &measured)).collect(),
            false => Vec::new(),
        };
        if self.source.json {
            let bills: Vec<Bill> = plans.iter().map(|plan| Bill::of(plan, prices)).collect();
            let runs: Vec<_> = (runs.iter())
                .map(|run| json!([run.usual, run.master_away, run.scheduler_away]))
                .collect();
            let all = json!({ "plans": plans, "bills": bills, "bounds": bounds, "runs": runs });
            return writeln!(stdout().lock(), "{all}").context("cannot print");
        }
        let over = match demand.transport {
            Transport::Sqs => "SQS",
            Transport::Redis => "Redis",
        };
        let tell = |name: &str, text: &str| self.source.tell(&format!("{name} over {over}"), text);
        self.source.tell("costs", &measured.table(&figures))?;
        tell("plan", &plan_table(&plans, demand, &measured, prices))?;
        tell("bounds", &bounds_table(&bounds))?;
        match self.simulate {
            true => tell("simulation", &simulation_table(&runs)),
            false => Ok(()),
        }
    }

    fn rates(&self) -> Vec<f64> {
        match &self.jobs {
            Some(jobs) => {
                let interval_s = self.source.demand.interval_s;
                jobs.iter().map(|jobs| jobs / interval_s).collect()
            }
            None => self.jobs_per_s.clone(),
        }
    }

    fn run(&self, plan: &Plan, measured: &Measured) -> Simulated {
        let run = |seconds, outage| {
            let course = Course {
                seed: self.seed,
                seconds,
                outage,
            };
            simulate(plan, &self.source.demand, measured, course)
        };
        let (at_s, for_s) = (30.0, 60.0);
        Simulated {
            plan: plan.clone(),
            usual: run(USUAL_S, Outage::None),
            master_away: run(OUTAGE_S, Outage::Master { at_s, for_s }),
            scheduler_away: run(USUAL_S, Outage::Scheduler { at_s, for_s }),
        }
    }
}

/// How often jobs are polled in the tables of bills.
const INTERVALS: [(&str, f64); 4] = [
    ("1 min", 60.0),
    ("5 min", 300.0),
    ("15 min", 900.0),
    ("1 h", 3_600.0),
];

#[derive(Debug, Args)]
pub(super) struct BillOf {
    #[command(flatten)]
    source: Source,
}

impl BillOf {
    pub(super) fn execute(&self) -> anyhow::Result<()> {
        let (_, measured) = self.source.figures()?;
        let bills = |transport, batch| -> Vec<(String, Bill)> {
            let bill = |&(name, interval_s): &(&str, f64)| {
                let demand = Demand {
                    transport,
                    interval_s,
                    ..self.source.demand.clone()
                };
                let bill = bill_of_a_million(&demand, batch, &measured, &self.source.prices);
                (name.to_owned(), bill)
            };
            INTERVALS.iter().map(bill).collect()
        };
        let full = bills(Transport::Sqs, 10.0);
        let single = bills(Transport::Sqs, 1.0);
        let redis = bills(Transport::Redis, 10.0);
        let from = [10.0, 1.0].map(|batch| break_even_jobs_per_s(batch, &self.source.prices));
        if self.source.json {
            let all = json!({
                "sqs": full, "sqs_single": single, "redis": redis, "break_even_jobs_per_s": from,
            });
            return writeln!(stdout().lock(), "{all}").context("cannot print");
        }
        self.source.tell("bill over SQS", &bill_table(&full))?;
        self.source.tell("bill one by one", &bill_table(&single))?;
        self.source.tell("bill over Redis", &bill_table(&redis))?;
        let from = format!(
            "A Redis of its own for queues costs less than SQS's requests from {:.0} polls a second on with full \
             batches, from {:.0} with single messages.",
            from[0], from[1]
        );
        self.source.tell("break-even", &from)
    }
}
