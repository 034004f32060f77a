//! The operator's command line: reads its arguments, talks to a scheduler, exits.

use std::{
    env,
    io::{self, BufReader, IsTerminal},
    process::ExitCode,
    sync::Arc,
};

use clap::Parser;
use pollctl::{Cli, Io, Token};
use polling_model::SystemClock;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let io = Io {
        out: &mut io::stdout().lock(),
        err: &mut io::stderr(),
        input: &mut BufReader::new(io::stdin()),
        colours: io::stdout().is_terminal() && !plain,
        asks: io::stdin().is_terminal() && io::stderr().is_terminal(),
        progress: io::stderr().is_terminal(),
        token: env::var("POLLCTL_TOKEN").ok().map(Token::new),
        clock: Arc::new(SystemClock),
    };
    ExitCode::from(cli.execute(io).await)
}

/// To Nagios a wrong command line is a state that is unknown, and 2 would be critical.
fn usage(error: &clap::Error) -> ExitCode {
    const UNKNOWN: u8 = 3;
    // Nobody is left to be told if it cannot be written.
    let _ = error.print();
    let checks = env::args().any(|argument| argument == "check-metric");
    match u8::try_from(error.exit_code()) {
        Ok(0) => ExitCode::SUCCESS,
        _ if checks => ExitCode::from(UNKNOWN),
        Ok(code) => ExitCode::from(code),
        Err(_) => ExitCode::FAILURE,
    }
}
