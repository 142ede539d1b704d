// SPDX-License-Identifier: GPL-2.0
//! `txgen plan`, `txgen test --shard` and `txgen report merge`: a series tested in parts, and what they came to, joined.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(unreachable_pub, reason = "tests/common is shared by the tests of all commands")]

#[path = "common/boots.rs"]
mod boots;
mod common;

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use boots::{project_of, stable};
use common::TestProject;
use serde_json::{Value, json};

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

/// A project without a kernel, for results that are written by hand.
fn bare() -> TestProject {
    let project = TestProject::new("[tiny]\ngit = \"../k\"\nref = \"base\"\n");
    project.write("p/templates/report.html.tera", include_str!("../../templates/report.html.tera"));
    project
}

/// A boot as `txgen test --json` prints it, with what is wrong with it.
fn boot(patch: &str, config: &str, problems: &[&str], log: &str) -> Value {
    let suite = json!({"name": format!("suite of {patch}"), "outcome": "passed",
        "counts": {"passed": 4, "failed": 0, "skipped": 0, "expected_failures": 0}});
    let boot = json!({"accel": "kvm", "seconds": 7.25, "suites": [suite], "problems": problems, "log": log});
    json!({"patch": patch, "commit": "0123456789abcdef", "recorded": false, "regressions": [],
        "proof": {"tree": "t1", "config": config, "toolchain": [], "build_errors": [], "build_log": log, "boot": boot}})
}

fn write(project: &TestProject, file: &str, value: &Value) {
    project.write(&format!("p/results/{file}"), &value.to_string());
}

#[test]
fn no_path_in_a_result_is_opened() {
    let project = bare();
    project.write("secret.txt", "the secret\n");
    project.write("cache/runs/fedcba9876543210/console.log", "the secret of another run\n");
    project.write("p/results/runs/0000000000000000/other.log", "the secret beside\n");
    for id in ["1111111111111111", "2222222222222222"] {
        fs::create_dir_all(project.path(&format!("p/results/runs/{id}"))).unwrap();
    }
    symlink(project.path("secret.txt"), project.path("p/results/runs/1111111111111111/console.log")).unwrap();
    let fifo = project.path("p/results/runs/2222222222222222/console.log");
    assert!(project.command("mkfifo").arg(&fifo).status().unwrap().success());
    let secret = project.path("secret.txt").display().to_string();
    let own = project.path("cache/runs/fedcba9876543210/console.log").display().to_string();
    let logs = [
        "/etc/passwd",
        &secret,
        "../secret.txt",
        "results/../../secret.txt",
        &own,
        "/x/runs/0000000000000000/other.log",
        "/x/runs/1111111111111111/console.log",
        "/x/runs/2222222222222222/console.log",
    ];
    let rows = logs.iter().enumerate().map(|(n, log)| boot(&format!("p{n}"), "net", &["broken"], log));
    write(&project, "1.json", &rows.collect());
    let page = project.txgen(&["report", "merge", "results", "--format", "html"]).expect(1).stdout;
    assert!(!page.contains("secret") && !page.contains("root:") && !page.contains("<summary>log"), "{page}");
}

#[test]
fn a_log_is_on_the_page_where_the_run_showed_just_this_or_the_folder_has_it() {
    let project = bare();
    let run = "runs/fedcba9876543210";
    write(&project, "1.json", &json!([boot("one", "net", &["broken"], &format!("/elsewhere/{run}/console.log"))]));
    let page = || project.txgen(&["report", "merge", "results", "--format", "html"]).expect(1).stdout;
    project.write(&format!("cache/{run}/console.log"), "of this machine\n");
    project.write(&format!("cache/{run}/shown.json"), "{\"tree\": \"t1\", \"kind\": \"net\", \"seconds\": 7.25}");
    assert!(page().contains("of this machine"));
    project.write(&format!("cache/{run}/shown.json"), "{\"tree\": \"t1\", \"kind\": \"net\", \"seconds\": 7.5}");
    assert!(!page().contains("of this machine"), "it was run again since");
    project.write(&format!("p/results/{run}/console.log"), "of the other \u{202e}machine\r\n");
    assert!(page().contains("of the other machine\n") || page().contains("of the other machine</pre>"));
}

/// What acts on a terminal, a page, Markdown or XML.
const HOSTILE: &str = "a\u{202e}b\r\u{1b}[2Jc\u{9b}\u{7f}\u{ffff}\n|`d`<script>&[e](http://f)";

#[test]
fn nothing_from_a_file_acts_on_a_terminal_a_page_markdown_or_xml() {
    let project = bare();
    let mut hostile = boot(HOSTILE, HOSTILE, &["broken\n```\n# out <script>\u{2066}\u{1b}[2J\n"], "");
    hostile["commit"] = json!("--output=/tmp/x");
    hostile["proof"]["boot"]["suites"][0]["name"] = json!(HOSTILE);
    write(&project, "1.json", &json!([hostile]));
    let finding =
        json!({"patch": HOSTILE, "check": HOSTILE, "level": "fail", "file": HOSTILE, "line": 1, "message": HOSTILE});
    write(
        &project,
        "2.json",
        &json!({"checks": [HOSTILE], "patches": [HOSTILE], "commits": {HOSTILE: "-x"},
        "findings": [finding]}),
    );
    let merged = |format: &str| project.txgen(&["report", "merge", "results", "--format", format]).expect(1).stdout;
    for format in ["text", "markdown", "junit", "html", "b4"] {
        let text = merged(format);
        let acts = |c: char| c != '\n' && c.is_control() || ['\u{202e}', '\u{2066}', '\u{ffff}'].contains(&c);
        assert!(!text.contains(acts), "{format}: {text:?}");
    }
    for format in ["junit", "html"] {
        assert!(!merged(format).contains("<script"), "{format}");
    }
    let markdown = merged("markdown");
    let table = markdown.split("\n\n").next().unwrap();
    assert_eq!(table.lines().count(), 4, "{table}");
    for line in table.lines().skip(2) {
        let cells = line.replace("\\|", "").matches('|').count();
        assert!(cells == 4 && !line.contains("<script") && !line.contains("://"), "{line}");
        assert!(line.contains("a&lt;U+202E&gt;b&lt;U+000D&gt;") && line.contains("\\`d\\`"), "{line}");
    }
    assert!(markdown.contains("\n````\nbroken\n```\n# out <script>"), "{markdown}");
    assert!(merged("text").contains("\n     ```\n     # out <script>"), "{}", merged("text"));
}

#[test]
fn the_worse_of_two_results_for_a_patch_and_kind_counts_in_each_format() {
    for order in [["1.json", "2.json"], ["2.json", "1.json"]] {
        let project = bare();
        write(&project, order[0], &json!([boot("one", "net", &[], ""), boot("two", "net", &[], "")]));
        write(&project, order[1], &json!([boot("one", "net", &["it hangs"], "")]));
        let checks =
            |findings: Value| json!({"checks": ["build"], "patches": ["one"], "commits": {}, "findings": findings});
        write(&project, &order[0].replace('.', "c."), &checks(json!([])));
        let found =
            json!([{"patch": "one", "check": "build", "level": "fail", "file": null, "line": null, "message": "no"}]);
        write(&project, &order[1].replace('.', "c."), &checks(found));
        let merged = |format: &str| project.txgen(&["report", "merge", "results", "--format", format]).expect(1).stdout;
        let text = merged("text");
        let heads = text.lines().filter(|line| !line.starts_with(' ')).map(|line| line.replace("  ok", " ok"));
        let mut heads = heads.collect::<Vec<_>>();
        let table = heads.split_off(heads.len() - 3);
        assert_eq!(heads.len(), 3, "{text}");
        assert!(
            heads.iter().any(|line| line.starts_with("FAIL one [net]") && line.ends_with("(the worst of 2 results)"))
        );
        assert!(text.contains("     it hangs\n"), "{text}");
        let row = |name: &str| table.iter().find(|line| line.starts_with(name)).unwrap().clone();
        assert!(row("one").matches("FAIL").count() == 1 && row("one").contains("1 fail"), "{text}");
        assert!(row("two").contains("ok") && !row("two").contains("FAIL"), "{text}");
        assert_eq!(merged("markdown").matches("| one | net |").count(), 1);
        assert!(merged("markdown").contains("| one | net | **FAIL**"));
        assert_eq!(merged("junit").matches("<testsuite name=\"one [net]\"").count(), 1);
        assert!(merged("html").contains("<td class=\"bad\">FAIL</td>"));
        let b4 = serde_json::from_str::<Value>(&merged("b4")).unwrap();
        assert_eq!(b4.as_array().unwrap().iter().filter(|entry| entry["status"] == "fail").count(), 2, "{b4}");
    }
}

#[test]
fn a_bad_file_is_named_with_what_is_wrong_and_the_others_are_told() {
    let project = bare();
    write(&project, "0-good.json", &json!([boot("one", "net", &[], "")]));
    let good = json!([boot("two", "net", &[], "")]).to_string();
    let stray = json!({"checks": ["build"], "patches": ["one"], "commits": {}, "findings": [{"patch": "\u{1b}x",
        "check": "build", "level": "fail", "file": null, "line": null, "message": "no"}]});
    let cases = [
        ("cut", "[{\"patch\":\n \"one\"".to_owned(), "EOF while parsing an object at line 2 column 6"),
        ("empty", String::new(), "it is empty"),
        ("word", "\"results\"".to_owned(), "it is neither an array nor an object"),
        ("shape", "{\"tests\": []}".to_owned(), "the object at line 1 has neither `checks` nor `boots`"),
        ("field", good.replace("\"tree\"", "\"trees\""), "missing field `tree` at line 1 column"),
        (
            "twice",
            good.replacen("{\"commit\"", "{\"commit\":\"1\",\"commit\"", 1),
            "duplicate field `commit` at line 1",
        ),
        ("negative", good.replace("7.25", "-7.25"), "patch `two`: no boot takes -7.25 `seconds`"),
        ("huge", good.replace("7.25", "1e300"), "patch `two`: no boot takes 1"),
        ("infinite", good.replace("7.25", "1e999"), "number out of range at line 1 column"),
        ("nan", good.replace("7.25", "NaN"), "expected value at line 1 column"),
        ("forged", good.replace("\"net\"", "\"checks\""), "`checks` is no configuration"),
        ("stray", stray.to_string(), "a finding is about patch `<U+001B>x`, which is not in `patches`"),
    ];
    for (name, text, _) in &cases {
        project.write(&format!("p/results/{name}.json"), text);
    }
    fs::write(project.path("p/results/binary.json"), b"[\xff\xfe]").unwrap();
    fs::create_dir(project.path("p/results/folder.json")).unwrap();
    symlink(project.path("p/results"), project.path("p/results/loop.json")).unwrap();
    assert!(project.command("mkfifo").arg(project.path("p/results/fifo.json")).status().unwrap().success());
    fs::File::create(project.path("p/results/large.json")).unwrap().set_len(1 << 30).unwrap();
    let start = Instant::now();
    let ran = project.txgen(&["report", "merge", "results", "gone.json", "results/0-good.json"]).expect(2);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(
        ran.stdout.lines().next().unwrap(),
        "ok   one [net]: built, booted under KVM in 7 s, 1 suites: 4 passed"
    );
    assert_eq!(ran.stdout.lines().count(), 3, "{}", ran.stdout);
    let told = |name: &str, what: &str| {
        let line =
            ran.stderr.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{name}: {}", ran.stderr));
        assert!(line.contains(what), "{line}");
    };
    for (name, _, what) in &cases {
        told(&format!("results/{name}.json"), what);
    }
    told("results/binary.json", "it is no UTF-8");
    told("results/folder.json", "it is no regular file");
    told("results/loop.json", "it is a symbolic link: give the file that it leads to");
    told("results/fifo.json", "it is no regular file");
    told("results/large.json", "it is larger than 64 MiB, as no result is");
    told("gone.json", "No such file");
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

#[test]
fn more_results_than_a_page_can_show_are_refused_at_once() {
    let project = TestProject::new("");
    let patches = (0..5000).map(|number| format!("p{number}")).collect::<Vec<_>>();
    let checks = json!({"checks": ["build"], "patches": patches, "commits": {}, "findings": []});
    project.write("p/results/all.json", &checks.to_string());
    let begun = Instant::now();
    let ran = project.txgen(&["report", "merge", "results"]).expect(2);
    assert!(ran.stderr.contains("more than a page can show"), "{}", ran.stderr);
    assert!(begun.elapsed() < Duration::from_secs(20));
}
