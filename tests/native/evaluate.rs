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
    assert!(table.starts_with("aedr-small: 3 images that belong, 3 others, 1 not measured"), "{table}");
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
