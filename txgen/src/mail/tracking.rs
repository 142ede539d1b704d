// SPDX-License-Identifier: GPL-2.0
//! What b4 (0.16) reads of a posted series to go on with it: `X-B4-Tracking`, gzipped JSON in base64.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, GzBuilder};
use serde_json::json;

use crate::mail::Envelope;

/// Columns of a header line.
const WIDTH: usize = 75;

/// The header, for the first mail of the series.
pub fn header(envelope: &Envelope) -> Result<String> {
    let mut history = BTreeMap::<String, Vec<&str>>::new();
    for (version, id) in &envelope.posted {
        history.entry(format!("v{version}")).or_default().push(id);
    }
    let prerequisites = envelope.prerequisites.iter().filter_map(|line| line.strip_prefix("prerequisite-"));
    let prerequisites = prerequisites.filter(|line| line.starts_with("change-id:")).collect::<Vec<_>>();
    let mut prefixes = vec![envelope.tree.as_str()];
    prefixes.extend(envelope.rfc.then_some("RFC"));
    let series = json!({"revision": envelope.version, "change-id": envelope.change_id, "prefixes": prefixes,
        "history": history, "prerequisites": prerequisites});
    // No time and no name in the gzip header: the same series gives the same bytes.
    let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    gzip.write_all(json!({"series": series}).to_string().as_bytes()).context("compress the tracking of b4")?;
    let value = STANDARD.encode(gzip.finish().context("compress the tracking of b4")?);
    let mut lines = vec!["X-B4-Tracking: v=1; b=".to_owned()];
    for c in value.chars() {
        match lines.last_mut() {
            Some(line) if line.len() < WIDTH => line.push(c),
            _ => lines.push(format!(" {c}")),
        }
    }
    Ok(lines.join("\n") + "\n")
}
