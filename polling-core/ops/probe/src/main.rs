//! The probe: asks once, and says by its exit code what it found.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use health_probe::{Arguments, WRONG_USAGE};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nothing is left to do if nobody reads it. Help is no error.
            let _ = error.print();
            return match error.exit_code() {
                0 => ExitCode::SUCCESS,
                _ => WRONG_USAGE.into(),
            };
        }
    };
    match health_probe::ask(&arguments).await {
        Ok(answer) => {
            let _ = writeln!(io::stdout(), "{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let code = error.exit_code();
            // With what caused it.
            let _ = writeln!(io::stderr(), "{:#}", anyhow::Error::from(error));
            code.into()
        }
    }
}
