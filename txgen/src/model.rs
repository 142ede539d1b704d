// SPDX-License-Identifier: GPL-2.0
//! The design as plain data: constants, enums, structs, promises, and the prose on each.
//!
//! `parse` reads it from the text of a design, `types` knows the kernel's types, `expr` the
//! constant expressions, `layout` computes sizes and offsets and holds them against the promises.

pub mod expr;
pub mod layout;
pub mod parse;
pub mod types;

use anyhow::Result;
use expr::Expr;
use layout::Abi;
use types::Type;

/// Prose, one paragraph or list item a string, without line breaks.
pub type Docs = Vec<String>;

/// Everything that a design declares, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The file it was read from, as errors name it.
    pub file: String,
    /// What the types are about.
    pub docs: Docs,
    /// The rules that all code keeps to.
    pub rules: Vec<Rule>,
    /// Constants, enums and structs.
    pub items: Vec<Item>,
    /// What the layout is promised to be.
    pub promises: Vec<Promise>,
}

/// A numbered rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// `I1`.
    pub id: String,
    /// A sentence.
    pub text: String,
}

/// A declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A constant.
    Const(Const),
    /// An enum.
    Enum(Enum),
    /// A struct.
    Struct(Struct),
}

/// A constant; its value may depend on the ABI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Const {
    /// Name, the same everywhere.
    pub name: String,
    /// What it means.
    pub docs: Docs,
    /// Its type.
    pub ty: Type,
    /// One value for all ABIs, or one for each.
    pub value: Value,
}

/// What a constant is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The same on every ABI.
    Same(Expr),
    /// One for each ABI.
    PerAbi {
        /// On 64-bit.
        lp64: Expr,
        /// On 32-bit.
        ilp32: Expr,
    },
}

impl Value {
    /// The value on `abi`.
    pub fn on(&self, abi: Abi) -> &Expr {
        match (self, abi) {
            (Self::Same(expr), _) => expr,
            (Self::PerAbi { lp64, .. }, Abi::Lp64) => lp64,
            (Self::PerAbi { ilp32, .. }, Abi::Ilp32) => ilp32,
        }
    }
}

/// An enum of named values, or of bits where every variant is `1 << n`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enum {
    /// Name in C.
    pub name: String,
    /// What it is.
    pub docs: Docs,
    /// Its values.
    pub variants: Vec<Variant>,
}

impl Enum {
    /// What each variant is: the number it is given, or one more than the variant before.
    pub fn values(&self, model: &Model, abi: Abi) -> Result<Vec<u64>> {
        let mut next = 0_u64;
        let mut values = Vec::new();
        for variant in &self.variants {
            if let Some(value) = &variant.value {
                next = expr::eval(model, value, abi)?;
            }
            values.push(next);
            next = next.wrapping_add(1);
        }
        Ok(values)
    }

    /// Whether the values are bits that combine.
    pub fn is_bits(&self) -> bool {
        self.variants.iter().all(|v| matches!(&v.value, Some(value) if value.is_bit()))
    }
}

/// A value of an enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Name in C.
    pub name: String,
    /// What it means.
    pub docs: Docs,
    /// Its number, where the design gives one.
    pub value: Option<Expr>,
}

/// A struct that C lays out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Struct {
    /// Name in C.
    pub name: String,
    /// What it is.
    pub docs: Docs,
    /// Its fields in order.
    pub fields: Vec<Field>,
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Name in C.
    pub name: String,
    /// What it holds, and who owns that.
    pub docs: Docs,
    /// Its type.
    pub ty: Type,
    /// The field that counts the elements of this one, a flexible array.
    pub counted_by: Option<String>,
}

/// A promise on the layout, which C and Rust assert and the model proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// Why.
    pub docs: Docs,
    /// The ABI it is about; every one where there is none.
    pub abi: Option<Abi>,
    /// A comparison.
    pub expr: Expr,
    /// Its line in the design.
    pub line: usize,
}

impl Model {
    /// The struct of this name.
    pub fn find_struct(&self, name: &str) -> Option<&Struct> {
        self.structs().find(|s| s.name == name)
    }

    /// The constant of this name.
    pub fn find_const(&self, name: &str) -> Option<&Const> {
        self.items.iter().find_map(|item| match item {
            Item::Const(c) if c.name == name => Some(c),
            _ => None,
        })
    }

    /// All structs, in order.
    pub fn structs(&self) -> impl Iterator<Item = &Struct> {
        self.items.iter().filter_map(|item| match item {
            Item::Struct(s) => Some(s),
            _ => None,
        })
    }

    /// All enums, in order.
    pub fn enums(&self) -> impl Iterator<Item = &Enum> {
        self.items.iter().filter_map(|item| match item {
            Item::Enum(e) => Some(e),
            _ => None,
        })
    }

    /// Promises in groups: one ends where the ABI changes and before a promise with words of its own.
    pub fn promise_groups(&self) -> impl Iterator<Item = &[Promise]> {
        self.promises.chunk_by(|before, this| before.abi == this.abi && this.docs.is_empty())
    }
}
