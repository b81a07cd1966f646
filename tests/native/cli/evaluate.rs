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

/// Two packs of one id: the goldens' weights at two precisions.
#[test]
fn numbers_of_other_weights_are_not_gone_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let run = |arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_aedr")).current_dir(repository("")).args(arguments).output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code(), out, err)
    };
    let golden = "tests/goldens/tiny_taef2";
    let (encoder, decoder) = (format!("{golden}/encoder.pth"), format!("{golden}/decoder.pth"));
    for precision in ["f32", "q8"] {
        let pack = file(&format!("{precision}/tiny"));
        let packed =
            run(&["pack", "--encoder", &encoder, "--decoder", &decoder, "--precision", precision, "--out", &pack]);
        assert_eq!(packed.0, Some(0), "{}", packed.2);
    }
    let (belonging, others) = (samples("png"), samples("jpg"));
    let images: Vec<String> = belonging.iter().chain(&others).map(|path| path.display().to_string()).collect();
    let evaluate = |weights: &str, results: &str| {
        let fixed = ["evaluate", "tiny", "--device", "cpu", "--edit", "middle:64", "--weights", weights];
        let (belonging, others) = images.split_at(belonging.len());
        let belonging: Vec<&str> = belonging.iter().map(String::as_str).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        run(&[&fixed[..], &["--results", results, "--belonging"], &belonging, &["--others"], &others].concat())
    };
    let lines = |results: &str| -> Vec<String> {
        fs::read_to_string(results).unwrap().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let (full, reduced) = (file("f32"), file("q8"));
    let (results, fresh) = (file("results.jsonl"), file("fresh.jsonl"));
    let (_, first, said) = evaluate(&full, &results);
    assert_eq!((lines(&results).len(), said.as_str()), (images.len(), ""));
    // The same weights: nothing is measured again.
    assert_eq!(evaluate(&full, &results), (Some(0), first.clone(), String::new()));
    assert_eq!(lines(&results).len(), images.len());

    let (_, other, said) = evaluate(&reduced, &results);
    assert!(said.contains("were measured with other weights of the same name"), "{said}");
    assert_eq!(lines(&results).len(), 2 * images.len());
    assert_eq!(evaluate(&reduced, &fresh).1, other);
    let signals = |lines: &[String]| -> Vec<String> {
        let mut signals: Vec<(String, String)> = lines
            .iter()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|line| (line["image"]["path"].to_string(), line["t"].to_string()))
            .collect();
        signals.sort();
        signals.into_iter().map(|(_, signal)| signal).collect()
    };
    let all = lines(&results);
    assert_ne!(signals(&all[..images.len()]), signals(&all[images.len()..]), "the weights do differ");
    assert_eq!(signals(&lines(&fresh)), signals(&all[images.len()..]));
    // And back: both are in the file.
    assert_eq!(evaluate(&full, &results).1, first);
    assert_eq!(lines(&results).len(), 2 * images.len());

    // Lines of an older version, which do not say.
    let old = file("old.jsonl");
    let without = |line: &String| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        let series = line["series"].as_object_mut().unwrap();
        assert!(series.remove("weights").is_some() && series.remove("maps").is_some());
        line.to_string()
    };
    fs::write(&old, lines(&fresh).iter().map(without).collect::<Vec<_>>().join("\n")).unwrap();
    let merged = run(&["merge", &old]);
    assert!(merged.0 == Some(1) && merged.2.contains("do not say which weights"), "{}", merged.2);
    let (_, again, said) = evaluate(&full, &old);
    assert!(said.contains("6 lines about tiny: middle:64 do not say which weights"), "{said}");
    assert_eq!((lines(&old).len(), again), (2 * images.len(), first.clone()));

    // Parts of two models are not put together.
    let (code, table, said) = run(&["merge", &results]);
    assert_eq!(code, Some(1));
    assert!(said.contains("numbers of several weights"), "{said}");
    assert_eq!(table.lines().filter(|line| line.starts_with("tiny: middle:64 (weights ")).count(), 2, "{table}");
    let (code, table, said) = run(&["merge", &fresh]);
    assert_eq!((code, table, said), (Some(0), other, String::new()));
}

/// All is known: what is left is to look it up, once for each image.
#[test]
fn many_known_images_take_no_time() {
    const COUNT: usize = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let results = file("results.jsonl");
    let (own, other) = (samples("png"), samples("jpg"));
    // Without a calibration, whose verdicts would be made anew.
    let golden = repository("tests/goldens/tiny_taef2");
    let program = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aedr"));
        command.current_dir(repository(""));
        command
    };
    let packed = program()
        .arg("pack")
        .arg("--encoder")
        .arg(golden.join("encoder.pth"))
        .arg("--decoder")
        .arg(golden.join("decoder.pth"))
        .arg("--out")
        .arg(file("tiny"))
        .status();
    assert!(packed.unwrap().success());
    let evaluate = |belonging: &[PathBuf], others: &[PathBuf]| {
        let mut command = program();
        command.args(["evaluate", "tiny", "--device", "cpu", "--edit", "middle:64", "--weights"]).arg(folder.path());
        command.arg("--results").arg(&results).arg("--belonging").args(belonging);
        command.arg("--others").args(others).output().unwrap()
    };
    assert!(evaluate(&own[..1], &other[..1]).status.success());
    let measured = fs::read_to_string(&results).unwrap();
    let lines: Vec<&str> = measured.lines().filter(|line| !line.is_empty()).collect();
    let mut all = String::new();
    let mut lists = Vec::new();
    for (line, (kind, path)) in lines.iter().zip([("belonging", &own[0]), ("others", &other[0])]) {
        let path = path.display().to_string();
        let paths: Vec<String> = (0..COUNT).map(|number| format!("/images/{kind}/{number:06}.png")).collect();
        assert!(line.contains(&path));
        paths.iter().for_each(|new| all += &format!("{}\n", line.replace(&path, new)));
        fs::write(file(kind), paths.join("\n")).unwrap();
        lists.push(PathBuf::from(format!("@{}", file(kind).display())));
    }
    fs::write(&results, all).unwrap();
    let started = std::time::Instant::now();
    let output = evaluate(&lists[..1], &lists[1..]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("20000 images that belong, 20000 others, 0 not measured"), "{table}");
    let seconds = started.elapsed().as_secs_f64();
    println!("{seconds:.1} s");
    assert!(seconds < 30.0, "{seconds} s");
}
