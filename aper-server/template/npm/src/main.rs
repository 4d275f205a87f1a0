//! Makes the package of the machine that the page imports: `npm run machine`.

use std::process::ExitCode;

use aper_npm::Package;

fn main() -> ExitCode {
    Package::of("{{name}}-web").run("page/machine")
}
