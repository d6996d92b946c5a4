//! The process. All of it stands in the library beside.

use std::process::ExitCode;

fn main() -> ExitCode {
    trunkline::main()
}
