// SPDX-License-Identifier: GPL-2.0
//! A mail server on 127.0.0.1 that keeps what it is given.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// A mail as the server got it.
#[derive(Debug)]
pub struct Received {
    pub recipients: Vec<String>,
    pub text: String,
}

pub struct Sink {
    pub port: u16,
    mails: Receiver<Received>,
}

impl Sink {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, mails) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &sender);
            }
        });
        Self { port, mails }
    }

    /// The first `count` mails; fails where they do not come within ten seconds each.
    pub fn received(&self, count: usize) -> Vec<Received> {
        (0..count).map(|_| self.mails.recv_timeout(Duration::from_secs(10)).unwrap()).collect()
    }
}

/// Speaks as much SMTP as git send-email asks for.
fn serve(stream: TcpStream, mails: &Sender<Received>) {
    let mut answer = stream.try_clone().unwrap();
    let mut say = |line: &str| write!(answer, "{line}\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut recipients = Vec::new();
    say("220 sink");
    while let Some(Ok(line)) = lines.next() {
        let upper = line.to_ascii_uppercase();
        if upper.starts_with("RCPT TO:") {
            recipients.push(line[8..].trim().trim_matches(['<', '>']).to_owned());
        }
        if upper != "DATA" {
            say(if upper == "QUIT" { "221 bye" } else { "250 ok" });
            continue;
        }
        say("354 go on");
        let text = lines.by_ref().map_while(Result::ok).take_while(|line| line != ".").collect::<Vec<_>>().join("\n");
        mails.send(Received { recipients: std::mem::take(&mut recipients), text }).unwrap();
        say("250 kept");
    }
}
