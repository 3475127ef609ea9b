//! Arguments become a command, its end an exit code.

fn main() -> std::process::ExitCode {
    guichet::commands::main()
}
