// SPDX-License-Identifier: GPL-2.0
//! `txgen plan`, `txgen test --shard` and `txgen report merge`: a series tested in parts, and what they came to, joined.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

#[path = "common/boots.rs"]
mod boots;
mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use boots::{project_of, stable};
use common::TestProject;
use serde_json::Value;

/// A project whose series x has a good patch, one that panics, and one more good one.
fn project() -> TestProject {
    let one = [("net/core/a.c", "/* play:good */\nint one;\n")];
    let two = [("net/core/a.c", "/* play:panic */\nint two;\n")];
    let three = [("net/core/a.c", "/* play:good */\nint three;\n")];
    let project = project_of(&[], &[("one", &one), ("two", &two), ("three", &three)]);
    project.write("p/templates/report.html.tera", include_str!("../../templates/report.html.tera"));
    project
}

const WHICH: [&str; 5] = ["x", "--tree", "../k", "--base", "base"];

/// Both halves of the series, tested by themselves, as files in results/.
fn tested() -> TestProject {
    let project = project();
    for (shard, exit) in [("1/2", 0), ("2/2", 1)] {
        let args = [&["test"], WHICH.as_slice(), &["--all", "--json", "--shard", shard]].concat();
        let ran = project.txgen(&args).expect(exit);
        project.write(&format!("p/results/{}.json", &shard[..1]), &ran.stdout);
    }
    project
}

fn merged(project: &TestProject, more: &[&str]) -> String {
    let ran = project.txgen(&[&["report", "merge", "results"], more].concat()).expect(1);
    stable(project, &ran.stdout)
}

#[test]
fn shards_have_each_patch_once() {
    let project = project();
    let plan = |more: &[&str]| project.txgen(&[&["plan"], WHICH.as_slice(), more].concat()).expect(0).stdout;
    let github = plan(&["--shards", "2", "--format", "github"]);
    assert_eq!(github.lines().count(), 1, "a job's output is one line");
    let matrix = serde_json::from_str::<Value>(&github).unwrap();
    let patches = |row: &Value| row["patches"].as_array().unwrap().clone();
    let all = matrix["include"].as_array().unwrap().iter().flat_map(patches).collect::<Vec<_>>();
    assert_eq!(all, ["one", "two", "three"]);
    let most = serde_json::from_str::<Value>(&plan(&["--shards", "9"])).unwrap();
    assert_eq!(most.as_array().unwrap().len(), 3, "a shard without a patch is none");
    assert!(plan(&["--format", "gitlab"]).contains("          - \"3/3\"\n  script:\n"));
}

#[test]
fn results_of_shards_are_joined() {
    let project = tested();
    let text = merged(&project, &[]);
    let heads = text.lines().filter(|line| !line.starts_with(' ')).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(heads, @r"
    ok   one [net]: built, booted under TCG in [N] s, 17 suites: 104 passed, 1 skipped
    FAIL two [net]: built, boot failed under TCG in [N] s, 17 suites: 104 passed, 1 skipped
    ok   three [net]: built, booted under TCG in [N] s, 17 suites: 104 passed, 1 skipped
    patch  net
    one    ok
    two    FAIL
    three  ok
    ");
    assert!(text.contains("     console line "), "{text}");
    let markdown = merged(&project, &["--format", "markdown"]);
    assert!(markdown.contains("| two | net | **FAIL**: built, boot failed"), "{markdown}");
    let b4 = serde_json::from_str::<Value>(&merged(&project, &["--format", "b4"])).unwrap();
    assert_eq!((&b4[1]["tool"], &b4[1]["status"]), (&Value::from("txgen-boot-net"), &Value::from("fail")));
    assert!(b4[1]["details"].as_str().unwrap().contains("console line "), "{b4}");
}

/// b4's python, in the cache of this machine.
fn b4() -> std::path::PathBuf {
    let home = || Path::new(&std::env::var_os("HOME").unwrap()).join(".cache/txgen");
    let python = std::env::var_os("TXGEN_CACHE").map_or_else(home, Into::into).join("venv-mail/bin/python");
    assert!(python.exists(), "{} is not there: vm-tests/venv.sh mail installs it", python.display());
    python
}

#[test]
fn b4_reads_what_is_written_for_it() {
    let project = tested();
    let wanted = serde_json::from_str::<Value>(&merged(&project, &["--format", "b4"])).unwrap();
    project.write("p/b4.json", &wanted.to_string());
    let script = "import json, email.message\nfrom b4.review.checks import _run_external_cmd\n\
        mail = email.message.EmailMessage()\nmail.set_content('x')\n\
        print(json.dumps(_run_external_cmd(['cat', 'b4.json'], mail, '.')))\n";
    let mut command = project.command(b4().to_str().unwrap());
    let output = command.args(["-c", script]).current_dir(project.path("p")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut read = serde_json::from_slice::<Value>(&output.stdout).unwrap();
    for entry in read.as_array_mut().unwrap() {
        assert_eq!(entry.as_object_mut().unwrap().remove("url"), Some(Value::from("")), "there is none");
    }
    assert_eq!(read, wanted);
}

#[test]
fn junit_has_a_suite_for_each_commit_and_a_case_for_each_suite_of_kunit() {
    let xml = merged(&tested(), &["--format", "junit"]);
    let suites = xml.lines().map(str::trim).filter(|line| line.starts_with("<testsuite "));
    let suites = suites.filter_map(|line| line.split(" time=").next()).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(suites, @r#"
    <testsuite name="one [net]" tests="18" skipped="1" errors="0" failures="0"
    <testsuite name="two [net]" tests="18" skipped="1" errors="0" failures="1"
    <testsuite name="three [net]" tests="18" skipped="1" errors="0" failures="0"
    "#);
    assert!(xml.contains("<testcase name=\"iov_iter\" classname=\"one [net]\""), "{xml}");
    assert!(xml.contains("<failure message=\"built, boot failed"), "{xml}");
}

/// The page with the diffs of the clone, and with what checks found.
fn page(project: &TestProject, checks: &[&str]) -> String {
    let commit = project.git("k", &["rev-parse", "txgen/x~2"]);
    let checks = serde_json::json!({"checks": checks, "patches": ["one", "two", "three"],
        "commits": {"one": commit.trim()}, "findings": [{"patch": "two", "check": "build", "level": "warn",
        "file": "net/core/a.c", "line": 2, "message": "gcc: unused variable <two>"}]});
    project.write("p/results/0.json", &checks.to_string());
    merged(project, &["--format", "html", "--tree", "../k"])
}

#[test]
fn the_page_has_a_matrix_the_diff_of_each_patch_and_the_tests_within_each_suite() {
    let page = page(&tested(), &["message", "build"]);
    let lines = page.lines().filter(|line| line.starts_with("<tr>") || line.starts_with("<thead>"));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r##"
    <thead><tr><th>patch</th><th>message</th><th>build</th><th>net</th></tr></thead>
    <tr><th><a href="#p0">one</a></th><td class="ok">ok</td><td class="ok">ok</td><td class="ok">ok</td></tr>
    <tr><th><a href="#p1">two</a></th><td class="ok">ok</td><td class="bad">1 warn</td><td class="bad">FAIL</td></tr>
    <tr><th><a href="#p2">three</a></th><td class="ok">ok</td><td class="ok">ok</td><td class="ok">ok</td></tr>
    "##);
    assert!(page.contains("net/core/a.c:2: gcc: unused variable &lt;two&gt;</li>"), "{page}");
    assert!(page.contains("<span class=\"ok\">+int three;</span>"), "{page}");
    assert!(page.contains("<span class=\"ok\">ok</span> test_csum_ipv6_magic</div>"), "{page}");
}

/// Runs Chromium on a page, without a network.
fn chromium(project: &TestProject, page: &Path, args: &[&str]) -> String {
    let mut command = project.command("unshare");
    command.args(["--map-root-user", "--net", "chromium", "--headless", "--no-sandbox", "--disable-gpu"]);
    let profile = format!("--user-data-dir={}", project.path("chromium").display());
    let output = command.arg(profile).args(args).arg(format!("file://{}", page.display())).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Tells how wide the page is, with everything unfolded.
const MEASURE: &str = "<script>document.querySelectorAll('details').forEach(d => d.open = true);
const page = document.documentElement, bar = getComputedStyle(document.querySelector('.bar'));
parent.postMessage([page.scrollWidth, page.clientWidth, bar.height, document.querySelectorAll('tbody tr').length], '*');
</script></body>";

/// Shows the page in a frame as wide as a device, and in the title what the page tells. Chromium has no window that is
/// less wide than 500.
const FRAME: &str = "<title></title><body style='margin: 0'><script>onmessage = e => document.title = e.data</script>
<iframe src='page.html' style='border: 0; width: WIDTHpx; height: 900px'></iframe>";

#[test]
fn chromium_shows_the_page_without_a_network_and_nothing_is_wider_than_a_phone_or_a_desktop() {
    let project = tested();
    let checks = txgen::check::CHECKS.iter().map(|check| check.name).collect::<Vec<_>>();
    project.write("page.html", &page(&project, &checks).replace("</body>", MEASURE));
    for (name, width) in [("phone", 390), ("desktop", 1280)] {
        project.write("frame.html", &FRAME.replace("WIDTH", &width.to_string()));
        let frame = project.path("frame.html");
        let size = format!("--window-size={},900", width.max(500));
        let dom = chromium(&project, &frame, &[&size, "--virtual-time-budget=3000", "--dump-dom"]);
        let title = dom.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
        let sizes = title.split(',').collect::<Vec<_>>();
        assert_eq!(sizes, [sizes[1], sizes[1], "4px", "3"], "{name}");
        assert!(sizes[1].parse::<u32>().unwrap() > width - 30, "{name}: {sizes:?}");
        let picture = project.path(&format!("{name}.png"));
        chromium(&project, &frame, &[&size, &format!("--screenshot={}", picture.display())]);
        assert!(fs::metadata(&picture).unwrap().len() > 10_000, "{name}");
        if let Some(keep) = std::env::var_os("TXGEN_PICTURES") {
            fs::copy(&picture, Path::new(&keep).join(format!("{name}.png"))).unwrap();
        }
    }
}

#[test]
fn the_page_has_the_end_of_each_log_and_nothing_of_it_is_markup() {
    let project = tested();
    let file = project.path("p/results/2.json");
    let text = fs::read_to_string(&file).unwrap().replacen("\"problems\": [", "\"problems\": [\"<b>\\u001b[31m&\",", 1);
    project.write("p/results/2.json", &text);
    let page = merged(&project, &["--format", "html"]);
    assert!(page.contains("<li class=\"bad\">&lt;b&gt;&amp;</li>"), "{page}");
    assert!(page.contains("Kernel panic - not syncing"), "{page}");
    assert!(!page.contains("http"), "it needs no network");
}

#[test]
fn a_log_of_500_mb_costs_the_page_no_more_than_its_end() {
    let project = tested();
    let text = fs::read_to_string(project.path("p/results/2.json")).unwrap();
    let runs = serde_json::from_str::<Value>(&text).unwrap();
    let log = fs::OpenOptions::new().append(true).open(runs[0]["proof"]["boot"]["log"].as_str().unwrap()).unwrap();
    log.set_len(500_000_000).unwrap();
    let mut log = log;
    for _ in 0..8000 {
        log.write_all(b"[    1.000000] \x1b[31ma driver says the same again and again\n").unwrap();
    }
    log.write_all(b"the end\n").unwrap();
    drop(log);
    let start = Instant::now();
    let page = merged(&project, &["--format", "html"]);
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert!(page.contains("again and again\nthe end</pre>"));
    assert!(page.len() < 400_000 && !page.contains('\u{1b}'), "{}", page.len());
}

#[test]
fn what_is_no_result_is_refused_with_its_file() {
    let project = project();
    project.write("p/results/cut.json", "[{\"patch\": \"one\"");
    let ran = project.txgen(&["report", "merge", "results"]).expect(2);
    assert!(ran.stderr.contains("results/cut.json is not what `txgen test --json` prints"), "{}", ran.stderr);
    project.write("p/empty/notes.txt", "");
    let ran = project.txgen(&["report", "merge", "empty"]).expect(2);
    assert!(ran.stderr.contains("there is no result in empty"), "{}", ran.stderr);
    let ran = project.txgen(&["test", "x", "--all", "--shard", "3/2"]).expect(2);
    assert!(ran.stderr.contains("there is no shard 3 of 2: K goes from 1 to N"), "{}", ran.stderr);
}
