//! The `aedr` program.

mod program;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    program::run(program::Arguments::parse())
}
