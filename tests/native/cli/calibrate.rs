//! `aedr calibrate`: without the generator and with it, on the default model and the project's sample images.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use aedr::{
    evidence::{
        calibration::Calibration,
        condition::{Condition, Search},
        synthetic_positives::SyntheticPositives,
        verdict::Outcome,
    },
    image::{DecodeOptions, DecodedImage, compression::Compression, decode, level, png::write_png},
    method::{reconstruction::Silent, signal::SignalKind},
    report::check::check_image,
};
use pollster::block_on;

use crate::common::{cpu, default_candidate, load, repository, samples};

const SIDE: &str = "128";

fn decoded(paths: &[PathBuf]) -> Vec<DecodedImage> {
    paths.iter().map(|path| decode(&fs::read(path).unwrap(), &DecodeOptions::default()).unwrap()).collect()
}

fn calibrate(arguments: &[&str], paths: &[(&str, Vec<PathBuf>)], out: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aedr"));
    command
        .current_dir(repository(""))
        .args(["calibrate", "aedr-small", "--device", "cpu", "--control-sides", "64", "--out"])
        .arg(out);
    for (option, paths) in paths {
        command.arg(option).args(paths);
    }
    command.args(arguments).output().unwrap()
}

fn read(out: &Path) -> Calibration {
    Calibration::parse(&fs::read_to_string(out).unwrap()).unwrap()
}

fn written(calibration: &Calibration) -> &Condition {
    calibration.as_written().unwrap()
}

#[test]
fn a_model_calibrates_itself_and_comes_near_to_what_its_own_images_gave() {
    let folder = tempfile::tempdir().unwrap();
    let out = |name: &str| folder.path().join(name);
    let photographs = || vec![("--photographs", samples("jpg")), ("--others", samples("jpg"))];
    let arguments = ["--count", "12", "--side", SIDE, "--seed", "7", "--jpeg", "95,75", "--signal"];
    let with = |signal| [&arguments[..], &[signal]].concat();
    let output = calibrate(&with("paper"), &photographs(), &out("a.json"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found = read(&out("a.json"));
    let printed = String::from_utf8(output.stdout).unwrap();
    let plain = written(&found);
    assert!(printed.contains(&format!("τ {:.6}", plain.threshold)), "{printed}");
    assert_eq!((found.model.as_str(), plain.belonging.count, plain.others.count), ("aedr-small", 12, 3));
    assert_eq!((found.minimum_side, plain.alpha), (128, 0.05));
    assert!(printed.contains("with 3 other images no image can be said to belong; 99 other images"), "{printed}");
    let [low, high] = plain.threshold_interval.unwrap();
    assert!(low <= plain.threshold && plain.threshold <= high, "{found:?}");
    // The better the quality, the nearer to what was not compressed.
    let thresholds: Vec<(Compression, f64)> =
        found.conditions.iter().map(|condition| (condition.compression, condition.threshold)).collect();
    let [(Compression::Jpeg(75), heavy), (Compression::Jpeg(95), light), (Compression::Lossless, _)] = thresholds[..]
    else {
        panic!("{thresholds:?}")
    };
    assert!(plain.threshold < light && light < heavy, "{thresholds:?} {}", plain.threshold);
    // The shipped one was made elsewhere, by PyTorch, from other photographs, and leaves out fewer.
    let shipped = read(&repository("weights/aedr-small/calibration.json"));
    let shipped = written(&shipped).threshold;
    assert!((plain.threshold / shipped - 1.0).abs() < 0.25, "{} {shipped}", plain.threshold);
    assert!(plain.others.signals[0] > 1.5 * plain.threshold, "photographs are far away: {found:?}");
    // Chance is in the seed alone.
    calibrate(&with("paper"), &photographs(), &out("b.json"));
    assert_eq!(read(&out("b.json")), found);
    calibrate(&["--count", "12", "--side", SIDE, "--seed", "8", "--signal", "paper"], &photographs(), &out("c.json"));
    assert_ne!(read(&out("c.json")).conditions, found.conditions);
    // Near a ratio of 1 the paper's t is H, which is below 1, and s is 1.
    calibrate(&with("weighed"), &photographs(), &out("weighed.json"));
    let weighed = read(&out("weighed.json"));
    assert_eq!((found.signal, weighed.signal), (SignalKind::Paper, SignalKind::Weighed));
    assert!(plain.threshold < written(&weighed).threshold, "{weighed:?}");
}

#[test]
fn a_report_is_judged_by_the_signal_that_the_calibration_names() {
    let candidate = default_candidate(false);
    let image = decoded(&samples("png")[..1]).remove(0);
    let mut report = block_on(check_image(&candidate, &image, &mut Silent)).unwrap();
    // By the orientation control alone.
    assert_eq!((report.outcome, report.signal_kind), (Outcome::Matches, SignalKind::Paper));
    assert!(report.evidence.is_none());
    assert!(report.signal == report.t && report.threshold.is_none());
    let shipped = read(&repository("weights/aedr-small/calibration.json"));
    report.judge(Some(&shipped)).unwrap();
    assert_eq!((report.outcome, report.threshold), (Outcome::Matches, Some(written(&shipped).threshold)));
    assert_eq!(report.evidence.as_ref().map(|evidence| evidence.signal_name.as_str()), Some("t"));
    // A compressed image has the threshold of images compressed like it.
    let condition = &shipped.conditions[0];
    assert!(matches!(condition.compression, Compression::Jpeg(_)));
    let mut compressed = report.clone();
    compressed.image.compression = condition.compression;
    compressed.judge(Some(&shipped)).unwrap();
    assert_eq!(compressed.threshold, Some(condition.threshold));
    report.judge(Some(&Calibration { signal: SignalKind::Weighed, ..shipped })).unwrap();
    assert!((report.signal - report.losses.ratio.powf(report.homogeneity)).abs() < 1e-12);
    assert_eq!(report.evidence.unwrap().signal_name, "s");
}

#[test]
fn images_that_are_known_to_belong_calibrate_and_bad_ones_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.png");
    fs::write(&broken, b"not an image").unwrap();
    let mut belonging = samples("png");
    belonging.push(broken);
    let out = folder.path().join("out.json");
    let output = calibrate(&["--jpeg", "90"], &[("--belonging", belonging), ("--others", samples("jpg"))], &out);
    // Something was wrong, and the rest was used.
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("broken.png"));
    assert_eq!(written(&read(&out)).belonging.count, samples("png").len());
    for wrong in [
        vec![("--belonging", samples("png"))],
        vec![("--belonging", samples("png")), ("--photographs", samples("jpg")), ("--others", samples("jpg"))],
    ] {
        assert_eq!(calibrate(&[], &wrong, &out).status.code(), Some(2));
    }
    // Photographs alone are enough for the orientation control, but not so few.
    let output = calibrate(&[], &[("--others", samples("jpg"))], &out);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("3 photographs are too few"));
    let one = vec![("--photographs", samples("jpg")[..1].to_vec()), ("--others", samples("jpg"))];
    let output = calibrate(&["--side", SIDE], &one, &out);
    assert!(String::from_utf8_lossy(&output.stderr).contains("2 are needed"));
}

/// Only what is said of the control changes, and it is named once, however often it is measured.
#[test]
fn the_control_is_measured_anew_in_a_calibration_that_keeps_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("packs/aedr-small");
    fs::create_dir_all(&pack).unwrap();
    for file in fs::read_dir(repository("weights/aedr-small")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), pack.join(file.file_name())).unwrap();
    }
    let squares = folder.path().join("squares");
    fs::create_dir(&squares).unwrap();
    let photographs = decoded(&samples("jpg"));
    for index in 0..21 {
        let (photograph, place) = (&photographs[index % 3], index as u32 / 3);
        let square = photograph.part([place % 6 * 64, place / 6 * 64], [64, 64]);
        fs::write(squares.join(format!("{index}.png")), write_png(&square.rgb, 64, 64).unwrap()).unwrap();
    }
    let before = read(&pack.join("calibration.json"));
    for _ in 0..2 {
        let output = Command::new(env!("CARGO_BIN_EXE_aedr"))
            .args([
                "calibrate",
                "aedr-small",
                "--device",
                "cpu",
                "--control-only",
                "--control-sides",
                "64",
                "--jpeg",
                "90",
            ])
            .arg("--weights")
            .arg(folder.path().join("packs"))
            .arg("--others")
            .arg(&squares)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let after = read(&pack.join("calibration.json"));
    let control = after.control.as_ref().unwrap();
    assert_eq!((control.photographs, control.sizes.len(), control.sizes[0].count), (21, 1, 42));
    assert_eq!(after.source.matches("the orientation control").count(), 1, "{}", after.source);
    assert!(after.source.ends_with("; the orientation control: 21 photographs"), "{}", after.source);
    let thresholds = |of: &Calibration| of.conditions.iter().map(|one| (one.key(), one.threshold)).collect::<Vec<_>>();
    assert_eq!((thresholds(&after), after.signal), (thresholds(&before), before.signal));
}

/// The deep scan is measured by what it takes an image for, and by how it was compressed.
#[test]
fn searches_are_measured_for_every_compression() {
    let out = tempfile::tempdir().unwrap().path().with_extension("json");
    let paths = [("--belonging", samples("png")), ("--others", samples("jpg"))];
    let arguments = ["--jpeg", "90", "--search", "4", "--search-resized", "4", "--search-jpeg", "90"];
    let output = calibrate(&arguments, &paths, &out);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let searched: Vec<Condition> =
        read(&out).conditions.into_iter().filter(|condition| condition.search != Search::None).collect();
    // Two of the images that belong, cropped and resized: four searches for each compression.
    for compression in [Compression::Jpeg(90), Compression::Lossless] {
        let of = |condition: &&Condition| condition.compression == compression;
        let count: usize = searched.iter().filter(of).map(|condition| condition.belonging.count).sum();
        assert!((2..=4).contains(&count), "{searched:?}");
        assert!(
            searched.iter().any(|condition| of(&condition) && condition.search == Search::SameSize),
            "{searched:?}"
        );
    }
    assert!(searched.iter().all(|condition| condition.alpha == 0.05));
}

#[test]
fn what_is_made_is_an_image_of_eight_bits_and_every_turn_differs() {
    let model = load(&repository("weights/aedr-small"), cpu());
    let photographs = decoded(&samples("jpg"));
    let mut positives = SyntheticPositives::new(&model, &photographs, 64, 3).unwrap();
    let made: Vec<DecodedImage> = (0..6).map(|number| positives.image(number).unwrap()).collect();
    for (index, image) in made.iter().enumerate() {
        assert_eq!((image.width, image.height, image.rgb.len(), image.grey.len()), (64, 64, 3 * 4096, 4096));
        assert!(made[..index].iter().all(|other| other.rgb != image.rgb), "{index}");
    }
    // The first turn blends; what the second adds is noise alone, so it stays near to the photograph.
    let exact = photographs[0].middle_square(64).unwrap();
    let difference = |image: &DecodedImage| {
        let values = image.middle_square(64).unwrap();
        values.iter().zip(&exact).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / exact.len() as f64
    };
    assert!(difference(&made[3]) < difference(&made[0]), "{} {}", difference(&made[3]), difference(&made[0]));
    // A picture cut out of a picture of 8 bits has its levels.
    assert!(exact.iter().map(|&value| level(value)).eq(middle_levels(&photographs[0], 64)));
}

fn middle_levels(image: &DecodedImage, side: usize) -> impl Iterator<Item = u8> {
    let [left, top] = [image.width, image.height].map(|whole| (whole as usize - side) / 2 / 8 * 8);
    let pixel = move |i: usize| {
        let (channel, y, x) = (i / (side * side), i / side % side, i % side);
        image.rgb[((top + y) * image.width as usize + left + x) * 3 + channel]
    };
    (0..3 * side * side).map(pixel)
}
