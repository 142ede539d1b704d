// SPDX-License-Identifier: GPL-2.0
//! A mail server on 127.0.0.1 that keeps what it is given, and fails where it is told to.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A mail as the server got it.
#[derive(Debug, Clone)]
pub struct Received {
    pub recipients: Vec<String>,
    pub text: String,
}

/// What the server does with a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Takes it.
    Keep,
    /// Refuses it.
    Refuse,
    /// Takes it, and goes away without an answer.
    KeepSilently,
    /// Goes away without an answer, and without the mail.
    LoseSilently,
    /// Takes it, and answers what is no answer.
    Garble,
}

pub struct Sink {
    pub port: u16,
    kept: Arc<Mutex<Vec<Received>>>,
}

impl Sink {
    pub fn start() -> Self {
        Self::with(Vec::new(), Duration::ZERO)
    }

    /// A server that treats the first mails in a `manner` each and takes time over every answer to a mail.
    pub fn with(manners: Vec<Manner>, takes: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&kept);
        std::thread::spawn(move || {
            let mut manners = manners.into_iter();
            for stream in listener.incoming() {
                // A client that was killed is no reason to stop.
                let _ = serve(stream.unwrap(), &all, &mut manners, takes);
            }
        });
        Self { port, kept }
    }

    /// All mails that it has.
    pub fn kept(&self) -> Vec<Received> {
        self.kept.lock().unwrap().clone()
    }

    /// The message ids of all mails that it has.
    pub fn ids(&self) -> Vec<String> {
        let id = |mail: Received| {
            let line = mail.text.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap().to_owned();
            line.trim_matches(['<', '>']).to_owned()
        };
        self.kept().into_iter().map(id).collect()
    }
}

/// Speaks as much SMTP as git send-email asks for.
fn serve(
    stream: TcpStream,
    kept: &Mutex<Vec<Received>>,
    manners: &mut impl Iterator<Item = Manner>,
    takes: Duration,
) -> std::io::Result<()> {
    let mut answer = stream.try_clone()?;
    let mut say = |line: &str| answer.write_all(format!("{line}\r\n").as_bytes());
    let mut reader = BufReader::new(stream);
    let mut recipients = Vec::new();
    say("220 sink")?;
    while let Some(line) = read(&mut reader)? {
        let upper = line.to_ascii_uppercase();
        if upper.starts_with("RCPT TO:") {
            recipients.push(line[8..].trim().trim_matches(['<', '>']).to_owned());
        }
        if upper != "DATA" {
            say(if upper == "QUIT" { "221 bye" } else { "250 ok" })?;
            continue;
        }
        say("354 go on")?;
        let mut text = String::new();
        loop {
            // A client that goes away in the middle has sent no mail.
            let Some(line) = read(&mut reader)? else { return Ok(()) };
            if line == "." {
                break;
            }
            text += line.strip_prefix('.').unwrap_or(&line);
            text.push('\n');
        }
        let manner = manners.next().unwrap_or(Manner::Keep);
        if matches!(manner, Manner::Keep | Manner::KeepSilently | Manner::Garble) {
            kept.lock().unwrap().push(Received { recipients: std::mem::take(&mut recipients), text });
        }
        std::thread::sleep(takes);
        match manner {
            Manner::Keep => say("250 kept")?,
            Manner::Refuse => say("554 5.7.1 this is not for us")?,
            Manner::Garble => return say("xx"),
            Manner::KeepSilently | Manner::LoseSilently => return Ok(()),
        }
    }
    Ok(())
}

/// A line without its end.
fn read(from: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if from.read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Ok(Some(String::from_utf8(line.to_vec()).unwrap()))
}
