//! `repertoire export`

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{context::Context, error::CliError, output::printable};
use crate::library::{ProcedureRef, write_folder};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Numbers or names; without them everything that you may read.
    procedures: Vec<String>,
    /// As JSON, which `repertoire import` reads again without loss; there is no other form.
    #[arg(long)]
    json: bool,
    /// Where to, instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// As Agent Skills instead, each a folder in this one. What was imported and not changed comes out as it was.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["json", "output"])]
    skills: Option<PathBuf>,
    /// Of skills: write over files that are there and say something else.
    #[arg(long, requires = "skills")]
    replace: bool,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let wanted: Vec<ProcedureRef> = arguments.procedures.iter().map(|name| ProcedureRef::from(name.as_str())).collect();
    if let Some(folder) = &arguments.skills {
        return skills(folder, &wanted, arguments.replace, context);
    }
    let export = context.library()?.export(&wanted)?;
    let text = serde_json::to_string_pretty(&export)
        .map_err(|error| CliError::Other(format!("the procedures can't be written as JSON: {error}")))?;
    let Some(file) = &arguments.output else {
        context.output.line(text);
        return Ok(ExitCode::SUCCESS);
    };
    fs::write(file, text + "\n").map_err(CliError::io(format!("`{}` can't be written", file.display())))?;
    let count = export.procedures.len();
    let noun = if count == 1 { "procedure" } else { "procedures" };
    context.output.line(format_args!("{count} {noun} exported to {}.", file.display()));
    Ok(ExitCode::SUCCESS)
}

fn skills(folder: &Path, wanted: &[ProcedureRef], replaces: bool, context: &Context) -> Result<ExitCode, CliError> {
    let (mut written, mut refused) = (0, 0);
    let skills = context.library()?.export_skills(wanted)?;
    for skill in &skills {
        match write_folder(skill, folder, replaces) {
            Ok(is_new) => {
                written += usize::from(is_new);
                let how = match (is_new, skill.is_as_imported) {
                    (false, _) => "is there already",
                    (true, true) => "as it was imported",
                    (true, false) => "written",
                };
                context.output.line(format_args!("{}: {} {how}", printable(&skill.procedure), printable(&skill.name)));
            }
            Err(error) => {
                refused += 1;
                let hint =
                    if error.kind() == io::ErrorKind::AlreadyExists { "; `--replace` writes over it" } else { "" };
                context.output.line(format_args!("{}: {error}{hint}", printable(&skill.procedure)));
            }
        }
    }
    let count = skills.len();
    context.output.line(format_args!("{count} skills, {written} written to {}, {refused} refused", folder.display()));
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
