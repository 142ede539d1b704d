// SPDX-License-Identifier: GPL-2.0
//! Constant expressions: numbers, constants, sizes, offsets, and operators on them.

use anyhow::{Context, Result, bail};

use super::Model;
use super::layout::{self, Abi};
use super::types::Type;

/// Constants may refer to constants; more levels than this are a circle.
const MAX_DEPTH: u32 = 32;

/// A constant expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// A number.
    Number {
        /// Its value.
        value: u64,
        /// How the design writes it, without a type suffix.
        text: String,
    },
    /// A constant of the design.
    Name(String),
    /// `size_of::<T>()`.
    SizeOf(Type),
    /// `offset_of!(S, field)`.
    OffsetOf {
        /// Name of the struct.
        of: String,
        /// Name of the field.
        field: String,
    },
    /// `left OP right`.
    Binary {
        /// The operator.
        op: Op,
        /// Its left side.
        left: Box<Expr>,
        /// Its right side.
        right: Box<Expr>,
    },
}

/// A binary operator; C and Rust write all of them alike.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Mul,
    Div,
    Rem,
    Add,
    Sub,
    Shl,
    And,
    Or,
    Eq,
    Ne,
    Le,
    Lt,
    Ge,
    Gt,
}

impl Op {
    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Mul => "*",
            Self::Div => "/",
            Self::Rem => "%",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Shl => "<<",
            Self::And => "&",
            Self::Or => "|",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Le => "<=",
            Self::Lt => "<",
            Self::Ge => ">=",
            Self::Gt => ">",
        }
    }

    /// Whether it compares.
    pub fn is_comparison(self) -> bool {
        matches!(self, Self::Eq | Self::Ne | Self::Le | Self::Lt | Self::Ge | Self::Gt)
    }

    fn rank(self) -> u8 {
        match self {
            Self::Mul | Self::Div | Self::Rem => 4,
            Self::Add | Self::Sub => 3,
            Self::Shl | Self::And | Self::Or => 2,
            _ => 1,
        }
    }

    fn apply(self, left: u64, right: u64) -> Option<u64> {
        match self {
            Self::Mul => left.checked_mul(right),
            Self::Div => left.checked_div(right),
            Self::Rem => left.checked_rem(right),
            Self::Add => left.checked_add(right),
            Self::Sub => left.checked_sub(right),
            Self::Shl => left.checked_mul(2_u64.checked_pow(u32::try_from(right).ok()?)?),
            Self::And => Some(left & right),
            Self::Or => Some(left | right),
            Self::Eq => Some((left == right).into()),
            Self::Ne => Some((left != right).into()),
            Self::Le => Some((left <= right).into()),
            Self::Lt => Some((left < right).into()),
            Self::Ge => Some((left >= right).into()),
            Self::Gt => Some((left > right).into()),
        }
    }
}

impl Expr {
    /// Whether it is `1 << n`.
    pub fn is_bit(&self) -> bool {
        matches!(self, Self::Binary { op: Op::Shl, left, .. } if matches!(**left, Self::Number { value: 1, .. }))
    }

    /// Writes the expression with what `leaf` makes of numbers, names, sizes and offsets. Parentheses go around
    /// everything whose rank C and Rust see differently, so both read it alike.
    pub fn write(&self, leaf: &dyn Fn(&Expr) -> String) -> String {
        let Self::Binary { op, left, right } = self else { return leaf(self) };
        let bitwise = op.rank() == 2;
        let side = |child: &Expr, is_right: bool| {
            let text = child.write(leaf);
            let Self::Binary { op: inner, .. } = child else { return text };
            let same = inner.rank() == op.rank() && (is_right || bitwise);
            if inner.rank() < op.rank() || same || (inner.rank() == 2) != bitwise { format!("({text})") } else { text }
        };
        // A comparison binds weaker than arithmetic everywhere, but not than `&` in C.
        let left_text = side(left, false);
        let right_text = side(right, true);
        format!("{left_text} {} {right_text}", op.symbol())
    }
}

/// The value of `expr` on `abi`.
pub fn eval(model: &Model, expr: &Expr, abi: Abi) -> Result<u64> {
    eval_at(model, expr, abi, 0)
}

fn eval_at(model: &Model, expr: &Expr, abi: Abi, depth: u32) -> Result<u64> {
    match expr {
        Expr::Number { value, .. } => Ok(*value),
        Expr::Name(name) => {
            let found = model.find_const(name).with_context(|| format!("no constant `{name}`"))?;
            if depth == MAX_DEPTH {
                bail!("constant `{name}` refers to itself");
            }
            eval_at(model, found.value.on(abi), abi, depth + 1)
        }
        Expr::SizeOf(ty) => {
            let extent = layout::extent(model, ty, abi)?;
            match layout::more(model, ty) {
                Some(more) => bail!("{} makes the type larger: it has no size to promise", more.option),
                None => Ok(extent.size),
            }
        }
        Expr::OffsetOf { of, field } => {
            let layout = layout::of(model, model.find_struct(of).with_context(|| format!("no struct `{of}`"))?, abi)?;
            let found = layout.fields.iter().find(|f| f.name == *field);
            Ok(found.with_context(|| format!("struct `{of}` has no field `{field}`"))?.offset)
        }
        Expr::Binary { op, left, right } => {
            let (left, right) = (eval_at(model, left, abi, depth)?, eval_at(model, right, abi, depth)?);
            op.apply(left, right).with_context(|| format!("{left} {} {right} has no value", op.symbol()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: u64) -> Box<Expr> {
        Box::new(Expr::Number { value, text: value.to_string() })
    }

    fn binary(op: Op, left: Box<Expr>, right: Box<Expr>) -> Box<Expr> {
        Box::new(Expr::Binary { op, left, right })
    }

    fn written(expr: &Expr) -> String {
        expr.write(&|leaf| match leaf {
            Expr::Number { text, .. } => text.clone(),
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn mask_in_a_comparison_gets_the_parentheses_that_c_needs() {
        let expr = binary(Op::Eq, binary(Op::And, number(12), number(4)), number(4));
        assert_eq!(written(&expr), "(12 & 4) == 4");
    }

    #[test]
    fn subtraction_on_the_right_and_under_a_division_keeps_its_parentheses() {
        let inner = binary(Op::Sub, number(9), number(2));
        assert_eq!(written(&binary(Op::Div, inner.clone(), number(7))), "(9 - 2) / 7");
        assert_eq!(written(&binary(Op::Sub, number(9), inner)), "9 - (9 - 2)");
        assert_eq!(written(&binary(Op::Le, binary(Op::Div, number(8), number(2)), number(4))), "8 / 2 <= 4");
    }

    #[test]
    fn what_has_no_value_is_none_instead_of_wrapping() {
        assert_eq!(Op::Sub.apply(1, 2), None);
        assert_eq!(Op::Div.apply(1, 0), None);
        assert_eq!(Op::Shl.apply(1, 64), None);
        assert_eq!(Op::Shl.apply(1, 63), Some(1 << 63));
    }
}
