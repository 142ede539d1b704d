// SPDX-License-Identifier: GPL-2.0
//! The KUnit test of the layout, as the view that its template loops over.
//!
//! What it compares with is the arithmetic of the model, so that it is the C compiler against that, on each ABI.

use anyhow::Result;
use serde::Serialize;

use super::Part;
use super::kdoc::{WIDTH, columns};
use crate::model::layout::{self, Abi};
use crate::model::types::{More, Type};
use crate::model::{Enum, Item, Model, Struct, expr};

/// What templates/txmsg-layout-test.c.tera gets.
#[derive(Debug, Serialize)]
pub(super) struct Test {
    includes: Vec<&'static str>,
    structs: Vec<Table>,
    values: Vec<String>,
}

/// The figures of a struct, each in one or more lines.
#[derive(Debug, Serialize)]
struct Table {
    name: String,
    lines: Vec<String>,
}

/// Lowers the models to the test.
pub(super) fn test(parts: &[Part]) -> Result<Test> {
    let mut includes = vec!["kunit/test.h", "linux/stddef.h"];
    let (mut structs, mut values) = (Vec::new(), Vec::new());
    for Part { model, .. } in parts {
        includes.extend(model.structs().filter_map(|s| more_of(model, s)).map(|more| more.header));
        for item in &model.items {
            match item {
                Item::Const(c) => {
                    let [wide, narrow] = Abi::ALL.map(|abi| expr::eval(model, c.value.on(abi), abi));
                    values.extend(figure(&c.name, [wide?, narrow?], None));
                }
                Item::Enum(e) => values.append(&mut enumeration(model, e)?),
                Item::Struct(s) => structs.push(structure(model, s)?),
            }
        }
    }
    includes.extend(parts.iter().map(Part::include));
    includes.sort_unstable();
    includes.dedup();
    Ok(Test { includes, structs, values })
}

fn enumeration(model: &Model, e: &Enum) -> Result<Vec<String>> {
    let [wide, narrow] = Abi::ALL.map(|abi| e.values(model, abi));
    let values = wide?.into_iter().zip(narrow?);
    let names = e.variants.iter().map(|variant| &variant.name);
    Ok(names.zip(values).flat_map(|(name, (wide, narrow))| figure(name, [wide, narrow], None)).collect())
}

fn more_of(model: &Model, s: &Struct) -> Option<&'static More> {
    s.fields.last().and_then(|last| layout::more(model, &last.ty))
}

fn structure(model: &Model, s: &Struct) -> Result<Table> {
    let (wide, narrow) = (layout::of(model, s, Abi::Lp64)?, layout::of(model, s, Abi::Ilp32)?);
    let mut lines = Vec::new();
    let places = wide.fields.iter().zip(&narrow.fields);
    for (field, (wide, narrow)) in s.fields.iter().zip(places) {
        let offset = format!("offsetof(struct {}, {})", s.name, field.name);
        lines.extend(figure(&offset, [wide.offset, narrow.offset], None));
        let (of, element) = match &field.ty {
            Type::Flex(element) => (format!("{}[0]", field.name), &**element),
            whole => (field.name.clone(), whole),
        };
        let [wide, narrow] = Abi::ALL.map(|abi| layout::extent(model, element, abi));
        let size = format!("sizeof_field(struct {}, {of})", s.name);
        lines.extend(figure(&size, [wide?.size, narrow?.size], layout::more(model, element)));
    }
    let (wide, narrow) = (wide.extent, narrow.extent);
    lines.extend(figure(&format!("sizeof(struct {})", s.name), [wide.size, narrow.size], more_of(model, s)));
    lines.extend(figure(&format!("__alignof__(struct {})", s.name), [wide.align, narrow.align], None));
    Ok(Table { name: s.name.clone(), lines })
}

/// An expression and what it has to be, on 64-bit and on 32-bit, with what some configurations add.
fn figure(what: &str, [wide, narrow]: [u64; 2], more: Option<&More>) -> Vec<String> {
    let more = more.map(|more| format!(" + sizeof({})", more.c)).unwrap_or_default();
    let line = format!("\tFIGURE({what}, {wide}{more}, {narrow}{more}),");
    if columns(&line) <= WIDTH {
        return vec![line];
    }
    vec![format!("\tFIGURE({what},"), format!("\t       {wide}{more},"), format!("\t       {narrow}{more}),")]
}
