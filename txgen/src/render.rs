// SPDX-License-Identifier: GPL-2.0
//! Renders files: the templates of templates/ (this module is the only user of tera), and the list of what
//! comes from the design.
//!
//! Templates hold loops and ifs only. A name that is not defined is an error with the template's file and
//! line, also in a condition, where tera alone would take it for false: `strict` sees to that.

mod c;
mod diagram;
mod kdoc;
mod rst;
mod rust;
mod strict;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use serde::Serialize;
use tera::{ErrorKind, Tera};

use crate::files;
use crate::model::{self, Model};
use crate::project::Project;

pub use c::declare;

/// Where the design is, in the project.
pub const DESIGN: &str = "txgen/src/design.rs";

/// The C header of the types.
pub const C_HEADER: &str = "kernel-overlay/include/net/txbuf/types.h";

/// The Rust side of the types. It moves into kernel-overlay/ with the series that brings it there:
/// each overlay file belongs to a patch.
pub const RUST_TYPES: &str = "kernel-overlay/rust/kernel/net/txbuf/types.rs";

/// Tables and diagrams of the types for the documentation; moves like the Rust side.
pub const STRUCT_TABLES: &str = "kernel-overlay/Documentation/networking/txbuf-structs.rst";

/// A file as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Its path in the project.
    pub path: String,
    /// What it should hold.
    pub text: String,
}

/// Reads the design of the project and proves its promises.
pub fn read_design(project: &Project) -> Result<Model> {
    let model = model::parse::parse(DESIGN, &files::read(&project.root.join(DESIGN))?)?;
    model::layout::prove(&model)?;
    Ok(model)
}

/// Renders every generated file of the project; writes none.
pub fn render_all(project: &Project) -> Result<Vec<Rendered>> {
    let model = read_design(project)?;
    let templates = Templates::load(&project.templates())?;
    let rendered = |path: &str, text| Rendered { path: path.to_owned(), text };
    Ok(vec![
        rendered(C_HEADER, templates.render("txbuf-types.h.tera", &c::header(&model))?),
        rendered(RUST_TYPES, rust::render(&model)?),
        rendered(STRUCT_TABLES, templates.render("txbuf-structs.rst.tera", &rst::page(&model)?)?),
    ])
}

/// The templates of a folder.
pub struct Templates {
    tera: Tera,
    dir: PathBuf,
}

impl Templates {
    /// Reads every `.tera` file of `dir`, each under its file name.
    pub fn load(dir: &Path) -> Result<Self> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(dir).with_context(|| format!("read folder {}", dir.display()))? {
            let path = entry.with_context(|| format!("read folder {}", dir.display()))?.path();
            if path.extension().is_some_and(|extension| extension == "tera") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut tera = Tera::new();
        tera.autoescape_on(vec![".html.tera"]);
        let mut sources = Vec::new();
        for path in &paths {
            let name = path.file_name().context("a template has a file name")?.to_string_lossy().into_owned();
            let text = files::read(path)?;
            strict::fields_in_conditions(&format!("templates/{name}"), &text)?;
            sources.push((name, text));
        }
        tera.add_raw_templates(sources).map_err(|e| place(&e))?;
        Ok(Self { tera, dir: dir.to_owned() })
    }

    /// Renders template `name` with the fields of `view` as its names.
    pub fn render(&self, name: &str, view: &impl Serialize) -> Result<String> {
        let context = tera::Context::from_serialize(view).map_err(|e| place(&e))?;
        let names = self.tera.get_template_variables(name).map_err(|e| place(&e))?;
        let mut missing: Vec<_> = names.into_iter().filter(|name| !context.contains_key(name)).collect();
        missing.sort_unstable();
        if let Some(missing) = missing.first() {
            let text = files::read(&self.dir.join(name))?;
            return Err(strict::undefined(&format!("templates/{name}"), &text, missing));
        }
        self.tera.render(name, &context).map_err(|e| place(&e))
    }
}

/// tera's error as `templates/FILE:LINE:COLUMN: MESSAGE`.
fn place(error: &tera::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let (line, column) = (report.span().start_line, report.span().start_col + 1);
            anyhow!("templates/{}:{line}:{column}: {}", report.filename(), report.message())
        }
        other => anyhow!("templates: {other}"),
    }
}
