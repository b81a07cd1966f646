//! `aedr evaluate` on the default model and the project's sample images: goes on after a break, survives bad files.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::common::{repository, samples};

fn evaluate(belonging: &[PathBuf], others: &[PathBuf], results: &Path, edits: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aedr"));
    command.current_dir(repository("")).args(["evaluate", "aedr-small", "--device", "cpu", "--results"]).arg(results);
    command.args(edits.iter().flat_map(|edit| ["--edit", edit]));
    command.arg("--belonging").args(belonging).arg("--others").args(others).output().unwrap()
}

#[test]
fn samples_are_told_apart_and_an_evaluation_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results.jsonl");
    let broken = folder.path().join("broken.png");
    fs::write(&broken, b"no image").unwrap();
    let (belonging, mut others) = (samples("png"), samples("jpg"));
    others.push(broken.clone());
    let first = evaluate(&belonging, &others, &results, &[]);
    let table = String::from_utf8(first.stdout).unwrap();
    assert_eq!(first.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&first.stderr).contains("broken.png"));
    assert!(table.starts_with("aedr-small: as they are: 3 images that belong, 3 others, 1 not measured"), "{table}");
    // By hand: the decoded samples lie below every photograph.
    assert!(table.contains("t = L1/L2·H       1.0000   1.0000 to 1.0000          100.0 %         100.0 %"), "{table}");
    let row =
        |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(row("belonging"), ["belonging", "3", "0", "0"]);
    assert_eq!(row("others")[1], "0");
    assert_eq!(fs::read_to_string(&results).unwrap().lines().filter(|line| !line.is_empty()).count(), 7);

    // Cut off in the middle of the last good line: that image alone is measured again.
    let text = fs::read_to_string(&results).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let cut = format!("{}\n{}", lines[..5].join("\n"), &lines[5][..lines[5].len() / 2]);
    fs::write(&results, cut).unwrap();
    others.pop();
    let second = evaluate(&belonging, &others, &results, &[]);
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stderr));
    let again = String::from_utf8(second.stdout).unwrap();
    assert_eq!(again.lines().skip(1).collect::<Vec<_>>(), table.lines().skip(1).collect::<Vec<_>>());
    let text = fs::read_to_string(&results).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains("\"signal\"") && line.ends_with('}')).count(), 6);
    // Edited images are other images, in the same file; cut off the grid and compressed, nothing is recognised.
    let edited = evaluate(&belonging, &others, &results, &["middle:128", "crop:3", "jpeg:60"]);
    assert!(edited.status.success(), "{}", String::from_utf8_lossy(&edited.stderr));
    let edited = String::from_utf8(edited.stdout).unwrap();
    assert!(edited.lines().any(|line| line.starts_with("belonging") && line.split_whitespace().nth(1) == Some("0")));
    let text = fs::read_to_string(&results).unwrap();
    assert_eq!(text.matches(r#""edits":["middle:128","crop:3","jpeg:60"]"#).count(), 6);
    assert_eq!(evaluate(&belonging, &others, &results, &["jpeg:0"]).status.code(), Some(2));
    // An image cannot be of both kinds.
    let both = evaluate(&belonging, &belonging, &results, &[]);
    assert!(String::from_utf8_lossy(&both.stderr).contains("among both kinds"));
}

#[test]
fn parts_of_several_machines_come_together() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_aedr")).current_dir(repository("")).args(arguments).output().unwrap()
    };
    let list = |name: &str, paths: Vec<PathBuf>| {
        let lines: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        fs::write(file(name), lines.join("\n")).unwrap();
        format!("@{}", file(name))
    };
    let (belonging, others) = (list("belonging", samples("png")), list("others", samples("jpg")));
    let evaluate = |more: &[&str]| {
        let fixed = ["evaluate", "aedr-small", "--device", "cpu", "--edit", "middle:128"];
        let lists = ["--belonging", &belonging, "--others", &others];
        run(&[&fixed[..], &lists, more].concat())
    };
    for part in 1..=4 {
        let output = evaluate(&["--shard", &format!("{part}/4"), "--results", &file(&format!("{part}.jsonl"))]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).unwrap();
        let count = if part <= 2 { 2 } else { 1 };
        assert_eq!(said.trim(), format!("part {part} of 4: {count} of {count} images measured"));
    }
    let parts: Vec<String> = (1..=4).map(|part| file(&format!("{part}.jsonl"))).collect();
    let page = file("report.html");
    let merged =
        run(&[&["merge", "--report", &page], &parts.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat());
    assert!(merged.status.success(), "{}", String::from_utf8_lossy(&merged.stderr));
    // At once and side by side, nothing else comes out.
    let whole = evaluate(&["--jobs", "3", "--results", &file("whole.jsonl")]);
    assert_eq!(String::from_utf8(merged.stdout), String::from_utf8(whole.stdout));
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("aedr-small: middle:128") && page.contains("3 images that belong, 3 others"));
    // A part that is missing is told, and so is a file that is something else.
    for wrong in [file("5.jsonl"), repository("Cargo.toml").display().to_string()] {
        assert_eq!(run(&["merge", &wrong]).status.code(), Some(1));
    }
    for wrong in ["0/4", "5/4", "x", "1"] {
        assert_eq!(evaluate(&["--shard", wrong]).status.code(), Some(2));
    }
}

#[test]
fn other_distances_are_told_and_measured_where_they_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results.jsonl");
    let evaluate = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aedr"));
        command.current_dir(repository("")).args(["evaluate", "aedr-small", "--device", "cpu", "--edit", "middle:128"]);
        command.args(more).arg("--results").arg(&results);
        command.arg("--belonging").args(samples("png")).arg("--others").args(samples("jpg"));
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let rows = |table: &str| table.lines().filter(|line| line.contains("MAE") || line.contains("SSIM")).count();
    assert_eq!(rows(&evaluate(&[])), 0);
    // They were not taken: each is measured again.
    let table = evaluate(&["--distances"]);
    assert_eq!(rows(&table), 2);
    assert!(table.contains("MAE1/MAE2·H       1.0000") && table.contains("(1−SSIM)1/2·H     1.0000"), "{table}");
    let lines = || fs::read_to_string(&results).unwrap().lines().filter(|line| !line.is_empty()).count();
    assert_eq!(lines(), 12);
    evaluate(&["--distances"]);
    assert_eq!(lines(), 12);
}
