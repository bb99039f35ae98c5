fn main() -> std::process::ExitCode {
    anubad::cli::run()
}
