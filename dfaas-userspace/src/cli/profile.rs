use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use dfaas_sim::profile::{MeasuredRun, Step};

use super::args::Profile;
use super::exit::{Failure, print};
use super::record::stopped;
use super::{runtime, span};
use crate::config::{self, Config, Gateway};
use crate::machine::{DEFAULT_PATTERN, Pattern};
use crate::profile::{Climbed, Meter, Outcome, Plan, ProfileError, Said, Target, climb, rates_to};
use crate::written;

/// Requests under way at one time, at most.
const MOST_AT_ONCE: usize = 10_000;

impl From<ProfileError> for Failure {
    fn from(error: ProfileError) -> Self {
        match error {
            ProfileError::Usage(text) => Self::Usage(text),
            other => Self::Failed(other.to_string()),
        }
    }
}

pub(super) fn run(arguments: &Profile) -> Result<ExitCode, Failure> {
    let output =
        arguments.output.clone().unwrap_or_else(|| format!("{}.profile.json", arguments.function).into());
    if !arguments.force && !arguments.dry_run && output.exists() {
        let text =
            format!("{}: there already; choose another --output, or --force to replace it", output.display());
        return Err(Failure::Usage(text));
    }
    let config = arguments.config.as_deref().map(config::load).transpose()?;
    let gateway = gateway(arguments, config.as_ref())?;
    // Mistakes are said before anybody is asked for anything.
    plan(arguments, Duration::from_secs(1)).check()?;
    let body = match &arguments.data {
        None => Bytes::new(),
        Some(file) => Bytes::from(read(file)?),
    };
    let node = arguments.node.clone().or_else(|| config.as_ref().map(|config| config.name.clone()));
    let node = node.unwrap_or_else(host_name);
    runtime()?.block_on(async {
        let target = Target::find(&gateway, &arguments.function).await?;
        let plan = plan(arguments, target.deadline());
        plan.check()?;
        announce(&target, &plan, arguments.idle, config.as_ref());
        if arguments.dry_run {
            return Ok(ExitCode::SUCCESS);
        }
        let meter = target.is_here().then(|| Meter::new(&target, gateway.cgroup.clone()));
        let climbed = climb(&target, &plan, body, meter, arguments.idle, stopped()?, &mut tell).await?;
        let sustained = climbed.ladder.sustained(plan.least_success);
        if !climbed.ladder.steps.iter().any(|step| step.sent > 0) {
            return Err(Failure::Failed(
                "it was stopped before a step was over; nothing is written".to_owned(),
            ));
        }
        // Without a label the function is allowed what it has shown.
        let allowed = target.max_rate().or(sustained).unwrap_or_else(|| climbed.ladder.peak());
        let run = climbed.ladder.run(&node, target.name(), allowed);
        keep(&output, &run)?;
        if arguments.json {
            let text = json(&climbed, &run, sustained, allowed, &output);
            return print(&format!("{text}\n"));
        }
        print(&words(&climbed, &target, &plan, sustained, &output))
    })
}

/// The gateway that the operator named: by --url, else by --config, else that of this machine.
fn gateway(arguments: &Profile, config: Option<&Config>) -> Result<Gateway, Failure> {
    let usage = |key: &str, cause: String| Failure::Usage(format!("{key}: {cause}"));
    let url = |key: &str, text: &str| config::valid_http_url(text).map_err(|cause| usage(key, cause));
    let mut gateway = match (config, &arguments.url) {
        // What the file says is about its own gateway.
        (Some(config), None) => config.gateway.clone(),
        (_, text) => Gateway {
            url: url("--url", text.as_deref().unwrap_or("http://127.0.0.1:8080"))?,
            credentials: None,
            poll: Duration::from_secs(5),
            metrics: None,
            cgroup: Pattern::parse(DEFAULT_PATTERN).ok(),
        },
    };
    if let (Some(user), Some(file)) = (&arguments.user, &arguments.password_file) {
        let password = String::from_utf8(read(file)?);
        let password = password.map_err(|_| usage("--password-file", "it holds no text".to_owned()))?;
        gateway.credentials =
            Some((user.clone(), config::Secret::new(password.trim_end_matches(['\r', '\n']))));
    }
    if let Some(text) = &arguments.metrics {
        let mut metrics = url("--metrics", text)?;
        if metrics.path() == "/" {
            metrics.set_path("/metrics");
        }
        gateway.metrics = Some(metrics);
    }
    if let Some(text) = &arguments.cgroup {
        gateway.cgroup = Some(Pattern::parse(text).map_err(|cause| usage("--cgroup", cause))?);
    }
    Ok(gateway)
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|cause| Failure::Usage(format!("{}: {cause}", file.display())))
}

fn host_name() -> String {
    nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned()
}

fn plan(arguments: &Profile, deadline: Duration) -> Plan {
    let rates = match arguments.to {
        Some(most) => rates_to(most, arguments.steps),
        None => arguments.rates.clone(),
    };
    Plan {
        rates,
        length: arguments.seconds,
        arrivals: arguments.arrivals,
        seed: arguments.seed,
        least_success: arguments.success,
        timeout: arguments.timeout.unwrap_or(deadline),
        most_at_once: MOST_AT_ONCE,
    }
}

/// Says what load will be put, before it is.
fn announce(target: &Target, plan: &Plan, idle: Duration, config: Option<&Config>) {
    let rates: Vec<String> = plan.rates.iter().map(ToString::to_string).collect();
    let arrivals = format!("{:?}", plan.arrivals).to_lowercase();
    eprintln!(
        "POST {} at {}, a function with {} replicas\n{} requests a second, {} each, {arrivals} arrivals: about {:.0} requests \
         in {} at most",
        target.url(),
        target.address(),
        target.replicas(),
        rates.join(", "),
        span(plan.length.as_secs_f64()),
        plan.requests(),
        span(plan.longest(idle).as_secs_f64()),
    );
    eprintln!(
        "it ends when less than {:.1} % are answered 2xx within {}, and with Ctrl-C; steps that are over are kept",
        plan.least_success * 100.0,
        span(plan.timeout.as_secs_f64())
    );
    let shared = config.is_some_and(|config| config.dataplane.interfaces.iter().any(|name| name == "lo"));
    if shared && target.is_here() {
        eprintln!(
            "lo is among dataplane.interfaces: if the agent runs, it may give some of these requests to peers, and what is \
             measured is not this node alone"
        );
    }
}

fn tell(said: Said<'_>) {
    match said {
        Said::Idle(time) => {
            eprintln!("{} without load, to see what the node does then", span(time.as_secs_f64()))
        }
        Said::Begins(rate) => eprint!("{rate:>8} /s: "),
        Said::Ended(step, outcome) => eprintln!("{}", step_words(step, outcome)),
    }
}

fn step_words(step: &Step, outcome: &Outcome) -> String {
    let ms = |part| {
        step.quantile(part)
            .map_or("-".to_owned(), |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3))
    };
    let most = outcome.failures.iter().max_by_key(|(_, count)| **count);
    let why = most.map(|(why, count)| format!("; {count} x {why}")).unwrap_or_default();
    format!(
        "{:.1} % of {} ok, p50 {} p95 {} p99 {} ms, cpu {:.0} % of the node, {:.0} % by the function{why}",
        step.success() * 100.0,
        step.sent,
        ms(0.5),
        ms(0.95),
        ms(0.99),
        step.cpu * 100.0,
        step.function_cpu * 100.0
    )
}

fn keep(output: &Path, run: &MeasuredRun) -> Result<(), Failure> {
    let failed = |cause: &dyn std::fmt::Display| Failure::Failed(format!("{}: {cause}", output.display()));
    let mut content = Vec::new();
    run.write(&mut content).map_err(|cause| failed(&cause))?;
    // What is written must be what the simulator takes.
    MeasuredRun::read("profile", content.as_slice()).map_err(|cause| failed(&cause))?;
    written::put(output, &content).map_err(|cause| failed(&cause))
}

fn json(
    climbed: &Climbed,
    run: &MeasuredRun,
    sustained: Option<f64>,
    allowed: f64,
    output: &Path,
) -> serde_json::Value {
    serde_json::json!({
        "run": run,
        "sustained": sustained,
        "peak": climbed.ladder.peak(),
        "max_rate": allowed,
        "failures": climbed.failures,
        "notes": climbed.notes,
        "stopped": climbed.stopped,
        "file": output,
    })
}

fn words(climbed: &Climbed, target: &Target, plan: &Plan, sustained: Option<f64>, output: &Path) -> String {
    let least = plan.least_success * 100.0;
    let mut text = match sustained {
        Some(rate) => format!("sustained {rate:.1} requests a second with {least:.1} % in time or more"),
        None => format!("no rate was sustained with {least:.1} % in time"),
    };
    text.push_str(&format!(", at most {:.1} were answered in time\n", climbed.ladder.peak()));
    match (target.max_rate(), sustained) {
        (Some(label), _) => text.push_str(&format!("dfaas.maxrate is {label}\n")),
        (None, Some(rate)) => {
            text.push_str(&format!("it has no label dfaas.maxrate; {rate:.1} stands for it in the file\n"))
        }
        (None, None) => {}
    }
    climbed.notes.iter().for_each(|note| text.push_str(&format!("{note}\n")));
    text.push_str(&format!("wrote {}\n", output.display()));
    text
}
