// SPDX-License-Identifier: GPL-2.0
//! Renders files: the templates of templates/ (this module is the only user of tera), and the list of what
//! comes from the design.
//!
//! Templates hold loops and ifs only. A name that is not defined is an error with the template's file and
//! line, also in a condition, where tera alone would take it for false: `strict` sees to that.

mod c;
mod diagram;
mod kdoc;
mod kunit;
mod rst;
mod rust;
mod strict;

use std::fs;
use std::path::{Path, PathBuf};
use std::slice;

use anyhow::{Context, Result, anyhow, bail};
use serde::Serialize;
use tera::{ErrorKind, Tera};

use crate::files::{self, plain};
use crate::model::{self, Model};
use crate::project::Project;

pub use c::declare;

/// A file that declares types, and where what comes from it alone goes.
struct Design {
    /// The file, in the project.
    source: &'static str,
    /// The C header, in the kernel.
    header: &'static str,
    /// Tables and diagrams of the types, in the kernel.
    tables: &'static str,
    /// What is above them.
    title: &'static str,
}

/// Each file belongs to a patch: types that a later series brings have files of their own.
static DESIGNS: [Design; 2] = [
    Design {
        source: "txgen/src/design.rs",
        header: "include/net/txbuf/types.h",
        tables: "Documentation/networking/txbuf-structs.rst",
        title: "Structures of txbufs",
    },
    Design {
        source: "txgen/src/design/msg.rs",
        header: "include/net/txbuf/msg-types.h",
        tables: "Documentation/networking/txmsg-structs.rst",
        title: "Structures of messages of the kernel",
    },
];

/// The Rust side of all types, in the kernel.
const RUST_TYPES: &str = "rust/kernel/net/txbuf/types.rs";

/// The KUnit test of the layout of all types, in the kernel.
const LAYOUT_TEST: &str = "net/core/tests/txmsg_layout_test.c";

/// A design that was read.
struct Part {
    design: &'static Design,
    model: Model,
}

impl Part {
    /// As `#include` names the header.
    fn include(&self) -> &'static str {
        self.design.header.trim_start_matches("include/")
    }
}

/// A file as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Its path in the project.
    pub path: String,
    /// What it should hold.
    pub text: String,
    /// The files that it comes from, in the project.
    pub designs: Vec<&'static str>,
}

/// Whether the project renders anything: one that holds series alone has no designs.
pub fn has_designs(project: &Project) -> bool {
    DESIGNS.iter().any(|design| project.root.join(design.source).exists())
}

/// Reads the designs of the project and proves their promises.
fn read_designs(project: &Project) -> Result<Vec<Part>> {
    let read = |design: &'static Design| -> Result<Part> {
        let model = model::parse::parse(design.source, &project.text(Path::new(design.source))?)?;
        model::layout::prove(&model)?;
        Ok(Part { design, model })
    };
    DESIGNS.iter().map(read).collect()
}

/// Renders every generated file of the project; writes none.
pub fn render_all(project: &Project) -> Result<Vec<Rendered>> {
    let parts = read_designs(project)?;
    let templates = Templates::load(&project.templates())?;
    let rendered = |path: &str, text, parts: &[Part]| {
        let designs = parts.iter().map(|part| part.design.source).collect();
        Rendered { path: format!("kernel-overlay/{path}"), text, designs }
    };
    let mut files = Vec::new();
    for part in &parts {
        let header = templates.render("txbuf-types.h.tera", &c::header(part))?;
        let tables = templates.render("txbuf-structs.rst.tera", &rst::page(part)?)?;
        files.push(rendered(part.design.header, header, slice::from_ref(part)));
        files.push(rendered(part.design.tables, tables, slice::from_ref(part)));
    }
    files.push(rendered(RUST_TYPES, rust::render(&parts)?, &parts));
    let test = templates.render("txmsg-layout-test.c.tera", &kunit::test(&parts)?)?;
    files.push(rendered(LAYOUT_TEST, test, &parts));
    Ok(files)
}

/// The templates of a folder.
pub struct Templates {
    tera: Tera,
    dir: PathBuf,
}

impl Templates {
    /// Reads every `.tera` file of `dir`, each under its file name.
    pub fn load(dir: &Path) -> Result<Self> {
        if dir.is_symlink() {
            bail!("templates is a symbolic link: a project has folders of its own, put the files there");
        }
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
            let shown = Path::new("templates").join(&name);
            let text = plain::plain_text(path, &shown, "a project has plain files only")?;
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
