// SPDX-License-Identifier: GPL-2.0
//! A series that is ready to be sent to a mail server of the test's own.

use std::process::Command;

use super::common::Ran;
use super::kernel::{Kernel, SKBUFF};
use super::smtp::Sink;

pub const SECOND: &str = "net: tell the second byte\n\nReaders of the first byte need it. Thanks to Jérôme.\n";
pub const THIRD: &str = "net: tell the third byte\n\nFrom there on it is easy.\n";
pub const THIRD_C: &str = "int third;\nint fourth;\nint fifth;\nint sixth;\nint seventh;\nint eighth;\nint ninth;\nint tenth;\n\
int eleventh;\nint twelfth;\nint thirteenth;\nint fourteenth;\n";
pub const COVER: &str = "Bytes beyond the first one are wanted.\n\nFrom here on there are more.\n";

/// Rules that a tiny kernel, which boots nowhere, has to break.
const FORCED: &str = "--force=unproved";

/// Series `tiny` of two patches with a cover letter.
pub fn series() -> Kernel {
    let mut kernel = Kernel::new();
    let second = format!("{SKBUFF}\nint skb_second(struct sk_buff *skb)\n{{\n\treturn skb->first + 1;\n}}\n");
    kernel.patch("second", SECOND, &[("net/core/skbuff.c", &second)]);
    kernel.patch("third", THIRD, &[("net/core/third.c", THIRD_C)]);
    kernel.store("");
    kernel.project.write("p/series/tiny/cover.md", COVER);
    kernel
}

/// Lets git send its mails to `sink`.
pub fn use_server(kernel: &Kernel, sink: &Sink) {
    for (key, value) in
        [("smtpServer", "127.0.0.1"), ("smtpServerPort", sink.port.to_string().as_str()), ("smtpEncryption", "none")]
    {
        kernel.project.git("k", &["config", &format!("sendemail.{key}"), value]);
    }
}

/// `txgen send tiny` with `args`, and the rules broken that a tiny kernel can not keep.
pub fn send(kernel: &Kernel, args: &[&str]) -> Ran {
    kernel.txgen("send", &[&["--sign", FORCED], args].concat())
}

/// The same as a command that can be killed.
pub fn command(kernel: &Kernel, args: &[&str]) -> Command {
    let base = kernel.applied().base.commit;
    let mut command = kernel.project.command(env!("CARGO_BIN_EXE_txgen"));
    command.args(["send", "tiny", "--tree", "../k", "--base", &base, "--sign", FORCED]).args(args);
    command.current_dir(kernel.project.path("p"));
    command
}

pub fn toml(kernel: &Kernel) -> String {
    kernel.project.read("p/series/tiny/series.toml")
}
