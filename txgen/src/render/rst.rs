// SPDX-License-Identifier: GPL-2.0
//! The structure tables of the documentation, as the view that their template loops over.

use anyhow::Result;
use serde::Serialize;

use super::Part;
use super::c::{constant_text, declare};
use super::diagram;
use super::kdoc::fill;
use crate::model::layout::{self, Abi};
use crate::model::{Const, Docs, Enum, Item, Model, Struct, Value};

const WIDTH: usize = 80;

/// What templates/txbuf-structs.rst.tera gets.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    title: String,
    underline: String,
    docs: Vec<String>,
    consts: Vec<Row>,
    enums: Vec<Section>,
    structs: Vec<Section>,
    rules: Vec<Rule>,
}

/// A row of a table: cells, each of several lines that the template indents.
#[derive(Debug, Serialize)]
struct Row {
    cells: Vec<String>,
}

/// An enum or struct.
#[derive(Debug, Serialize)]
struct Section {
    title: String,
    underline: String,
    docs: Vec<String>,
    diagram: Vec<String>,
    rows: Vec<Row>,
}

/// A term and its definition.
#[derive(Debug, Serialize)]
struct Rule {
    id: String,
    lines: Vec<String>,
}

/// Lowers the model to the page.
pub(super) fn page(part: &Part) -> Result<Page> {
    let (model, title) = (&part.model, part.design.title);
    let mut page = Page {
        title: title.to_owned(),
        underline: "=".repeat(title.len()),
        docs: paragraphs(&model.docs),
        consts: Vec::new(),
        enums: Vec::new(),
        structs: Vec::new(),
        rules: model.rules.iter().map(rule).collect(),
    };
    for item in &model.items {
        match item {
            Item::Const(c) => page.consts.push(constant(c)),
            Item::Enum(e) => page.enums.push(enumeration(e)),
            Item::Struct(s) => page.structs.push(structure(model, s)?),
        }
    }
    Ok(page)
}

fn rule(rule: &crate::model::Rule) -> Rule {
    Rule { id: rule.id.clone(), lines: fill(&markup(&rule.text), "  ", "  ", WIDTH) }
}

/// Filled paragraphs, an empty line after each.
fn paragraphs(docs: &Docs) -> Vec<String> {
    docs.iter().flat_map(|text| fill(&markup(text), "", "", WIDTH).into_iter().chain([String::new()])).collect()
}

/// reStructuredText wants two ticks for a literal.
fn markup(text: &str) -> String {
    text.replace('`', "``")
}

fn row(cells: &[String]) -> Row {
    let cell = |(at, text): (usize, &String)| {
        let first = if at == 0 { "   * - " } else { "     - " };
        fill(text, first, "       ", WIDTH).join("\n").trim_end().to_owned()
    };
    Row { cells: cells.iter().enumerate().map(cell).collect() }
}

fn constant(c: &Const) -> Row {
    let (lp64, ilp32) = match &c.value {
        Value::Same(value) => (constant_text(value), constant_text(value)),
        Value::PerAbi { lp64, ilp32 } => (constant_text(lp64), constant_text(ilp32)),
    };
    row(&[format!("``{}``", c.name), lp64, ilp32, markup(&c.docs.join(" "))])
}

fn section(title: String, docs: &Docs, diagram: Vec<String>, rows: Vec<Row>) -> Section {
    Section { underline: "=".repeat(title.len()), title, docs: paragraphs(docs), diagram, rows }
}

fn enumeration(e: &Enum) -> Section {
    let rows = e.variants.iter().map(|v| {
        let value = v.value.as_ref().map(|value| format!(" = {}", constant_text(value))).unwrap_or_default();
        row(&[format!("``{}{value}``", v.name), markup(&v.docs.join(" "))])
    });
    section(format!("enum {}", e.name), &e.docs, Vec::new(), rows.collect())
}

fn structure(model: &Model, s: &Struct) -> Result<Section> {
    let lp64 = layout::of(model, s, Abi::Lp64)?;
    let ilp32 = layout::of(model, s, Abi::Ilp32)?;
    let mut rows = Vec::new();
    for (field, (wide, narrow)) in s.fields.iter().zip(lp64.fields.iter().zip(&ilp32.fields)) {
        rows.push(row(&[
            format!("``{}``", declare(&field.ty, &field.name)),
            wide.offset.to_string(),
            narrow.offset.to_string(),
            markup(&field.docs.join(" ")),
        ]));
    }
    let (wide, narrow) = (lp64.extent.size.to_string(), ilp32.extent.size.to_string());
    let more = s.fields.last().and_then(|last| layout::more(model, &last.ty));
    let without = more.map(|more| format!(", without {}", more.option)).unwrap_or_default();
    rows.push(row(&[format!("size in bytes{without}"), wide, narrow, String::new()]));
    let indented = diagram::draw(&lp64).iter().map(|line| format!("  {line}").trim_end().to_owned()).collect();
    Ok(section(format!("struct {}", s.name), &s.docs, indented, rows))
}
