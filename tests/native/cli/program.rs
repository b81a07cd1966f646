//! The program as a person uses it: arguments, output, exit codes, messages.

use std::{
    path::Path,
    process::{Command, Output},
};

use aedr::{autoencoder::Architecture, weights::Shard};
use image::RgbImage;
use safetensors::{Dtype, tensor::TensorView};
use serde_json::{Value, json};

use crate::common::{read_json, repository};

fn aedr(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aedr")).args(arguments).current_dir(repository("")).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn check_prints_one_json_object_an_image_and_goes_on_after_a_bad_file() {
    let folder = tempfile::tempdir().unwrap();
    let (noise, broken) = (folder.path().join("noise.png"), folder.path().join("broken.png"));
    RgbImage::from_fn(264, 259, |x, y| image::Rgb([(x * y) as u8, (x * 3) as u8, (y * 11) as u8]))
        .save(&noise)
        .unwrap();
    std::fs::write(&broken, b"\x89PNG\r\n\x1a\n").unwrap();
    let output = aedr(&["check", "--json", "--device", "cpu", text(&broken), text(&noise)]);
    assert_eq!(output.status.code(), Some(1), "one image failed");
    let lines: Vec<Value> = out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["error"]["code"], "image_truncated");
    assert_eq!(lines[0]["image"]["path"], text(&broken));
    let report = &lines[1];
    assert_eq!(report["model"]["id"], "aedr-small");
    assert_eq!(
        (report["image"]["checked_width"].as_u64(), report["image"]["checked_height"].as_u64()),
        (Some(264), Some(256))
    );
    // Noise, and of a height that no generator writes.
    assert_eq!((&report["outcome"], &report["reason"]["code"]), (&"cannot_tell".into(), &"cut_or_resized".into()));
    let number = |value: &Value| value.as_f64().unwrap();
    let losses = &report["losses"];
    assert!((number(&losses["first"]) / number(&losses["second"]) - number(&losses["ratio"])).abs() < 1e-9);
    let t = number(&losses["ratio"]) * number(&report["homogeneity"]);
    assert!((t - number(&report["t"])).abs() < 1e-9 * t);
    assert!(report["notes"][0]["message"].as_str().unwrap().contains("264 × 256 of 264 × 259"));
    assert_eq!(
        (&report["notes"][0]["code"], &report["notes"][0]["values"]["whole_height"]),
        (&"cropped".into(), &259.into())
    );
    assert_eq!(report["device"]["kind"], "cpu");
}

/// What another program, person or device needs to come to the same numbers.
#[test]
fn a_report_can_be_replayed_and_what_changed_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (image, report) = (folder.path().join("dahlia.png"), folder.path().join("dahlia.aedr.json"));
    std::fs::copy(repository("www/samples/dahlia.png"), &image).unwrap();
    let made = aedr(&["check", "--device", "cpu", "--report", text(&report), text(&image)]);
    assert!(made.status.success(), "{}", err(&made));
    let record: Value = read_json(&report);
    assert_eq!((&record["format"], &record["format_version"]), (&"aedr-report".into(), &2.into()));
    assert_eq!(record["image"]["bytes"], std::fs::metadata(&image).unwrap().len());
    // A model that is not there has its line, and stops no other.
    let other = folder.path().join("other.aedr.json");
    let made = aedr(&[
        "check",
        "--device",
        "cpu",
        "--report",
        text(&other),
        "--model",
        "absent",
        "--model",
        "aedr-small",
        text(&image),
    ]);
    assert_eq!(made.status.code(), Some(1));
    let partial: Value = read_json(&other);
    assert_eq!(
        (&partial["failures"][0]["model"], &partial["failures"][0]["code"]),
        (&"absent".into(), &"unknown_model".into())
    );
    assert_eq!(partial["checks"].as_array().unwrap().len(), 1);
    let replay = |arguments: &[&str]| aedr(&[&["check", "--device", "cpu", "--replay"], arguments].concat());
    let again = replay(&[text(&report)]);
    assert!(again.status.success(), "{}{}", out(&again), err(&again));
    assert!(out(&again).ends_with("the same\n") && out(&again).contains("+0.0000 %"), "{}", out(&again));
    // By burn's operations and by our kernels, and the image elsewhere.
    let elsewhere = repository("www/samples/dahlia.png");
    let again = replay(&[text(&report), text(&elsewhere), "--engine", "kernels"]);
    assert!(again.status.success(), "{}{}", out(&again), err(&again));

    // Of version 1, before there was an orientation control: judged by the two losses alone, as it was then.
    let mut old = record.clone();
    old["format_version"] = 1.into();
    old["checks"][0].as_object_mut().unwrap().remove("control");
    let path = folder.path().join("old.aedr.json");
    std::fs::write(&path, old.to_string()).unwrap();
    let again = replay(&[text(&path)]);
    assert!(again.status.success() && out(&again).ends_with("the same\n"), "{}{}", out(&again), err(&again));

    let changed = |change: &dyn Fn(&mut Value)| {
        let mut record = record.clone();
        change(&mut record);
        let path = folder.path().join("changed.aedr.json");
        std::fs::write(&path, record.to_string()).unwrap();
        let output = replay(&[text(&path)]);
        assert_eq!(output.status.code(), Some(1), "{}", out(&output));
        out(&output) + &err(&output)
    };
    let first = record["checks"][0]["losses"]["first"].as_f64().unwrap();
    let told = changed(&|record| record["checks"][0]["losses"]["first"] = (first * 1.002).into());
    assert!(told.contains("L1 was") && told.contains("not the same"), "{told}");
    let told = changed(&|record| record["checks"][0]["outcome"] = "does_not_match".into());
    assert!(told.contains("outcome was DoesNotMatch and is Matches"), "{told}");
    let told = changed(&|record| record["image"]["sha256"] = "00".into());
    assert!(told.contains("is not what the report was made of"), "{told}");
    let told = changed(&|record| record["checks"][0]["model"]["shards"][0]["sha256"] = "00".into());
    assert!(told.contains("the weights called aedr-small here are others"), "{told}");
    let told = changed(&|record| record["format_version"] = 3.into());
    assert!(told.contains("of version 3") && told.contains("versions 1 to 2 is understood"), "{told}");
    let told = changed(&|record| record["checks"][0]["control"]["robust"]["signal"] = 0.0.into());
    assert!(told.contains("S was 0 and is -"), "{told}");
    let told = changed(&|record| record["image"]["name"] = "../../etc/passwd".into());
    assert!(told.contains(&format!("{}", folder.path().join("passwd").display())), "{told}");
}

/// A sample that the default autoencoder decoded, and a photograph: both with the program's own words.
#[test]
fn check_tells_decoded_samples_from_photographs() {
    let samples: Vec<Value> = read_json(&repository("www/samples/samples.json"));
    for sample in samples {
        let path = repository("www/samples").join(sample["file"].as_str().unwrap());
        let output = aedr(&["check", "--device", "cpu", text(&path)]);
        assert!(output.status.success(), "{}", err(&output));
        let expected = if sample["decoded"] == true { ": consistent with " } else { ": not consistent" };
        assert!(out(&output).contains(expected), "{}", out(&output));
        assert!(out(&output).contains("L1 ") && out(&output).contains("threshold"));
    }
}

#[test]
fn homogeneity_prints_path_tab_and_six_decimals() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flat.png");
    RgbImage::from_pixel(16, 16, image::Rgb([9, 9, 9])).save(&path).unwrap();
    let output = aedr(&["homogeneity", text(&path)]);
    assert_eq!(out(&output), format!("{}\t1.000000\n", text(&path)));
    assert!(output.status.success());
    let output = aedr(&["homogeneity", "absent.png", text(&path)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).starts_with("aedr: absent.png: "), "{}", err(&output));
    assert_eq!(out(&output).lines().count(), 1, "the others are still measured");
}

#[test]
fn threshold_names_the_line_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let losses = write("losses", "0.2 0.1\n0.3 0.2\n0.2 0.15\n");
    let homogeneity = write("homogeneity", "0.5\n0.6\n0.7\n");
    let short = write("short", "0.5\n0.6\n");
    let wrong = write("wrong", "0.2 0.1\n0.3 x\n");
    let run = |losses: &Path, homogeneity: &Path, more: &[&str]| {
        aedr(&[&["threshold", "--losses", text(losses), "--homogeneity", text(homogeneity)], more].concat())
    };
    let tau: f64 = out(&run(&losses, &homogeneity, &[])).trim().parse().unwrap();
    let stricter: f64 = out(&run(&losses, &homogeneity, &["--alpha", "0.2"])).trim().parse().unwrap();
    assert!(stricter < tau);
    for (output, named) in [
        (run(&losses, &short, &[]), "3 lines of losses, 2 of homogeneity"),
        (run(&wrong, &short, &[]), "line 2"),
        (run(&losses, &homogeneity, &["--alpha", "7"]), "between 0 and 1"),
    ] {
        assert_eq!(output.status.code(), Some(1));
        assert!(err(&output).contains(named), "{}", err(&output));
        assert!(out(&output).is_empty());
    }
}

/// The libraries that a program looks for, by what glibc's linker tells.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn libraries(arguments: &[&str]) -> (Output, String) {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_aedr"))
        .args(arguments)
        .envs([("LD_DEBUG", "libs".as_ref()), ("LD_DEBUG_OUTPUT", folder.path().join("libraries").as_os_str())])
        .current_dir(repository(""))
        .output()
        .unwrap();
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    (output, files.map(|text| String::from_utf8_lossy(&text).into_owned()).collect())
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn what_is_missing_is_told_before_a_device_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (missing, broken, sample) =
        (path("missing.png"), path("broken.png"), repository("www/samples/dahlia.png").display().to_string());
    std::fs::write(&broken, b"no image").unwrap();
    let report = path("report.json");
    assert!(aedr(&["check", "--device", "cpu", "--report", &report, &sample]).status.success());
    let damaged = std::fs::read_to_string(&report).unwrap().replace("\"dahlia.png\"", "\"missing.png\"");
    std::fs::write(&report, damaged).unwrap();
    let pack = folder.path().join("weights/apart");
    std::fs::create_dir_all(&pack).unwrap();
    std::fs::copy(repository("weights/aedr-small/manifest.json"), pack.join("manifest.json")).unwrap();
    let weights = path("weights");
    let results = path("results.jsonl");
    const GRAPHICS: &str = "libvulkan";
    // Where there is work to do, it is looked for.
    let small = path("small.png");
    RgbImage::from_pixel(32, 32, image::Rgb([9, 9, 9])).save(&small).unwrap();
    assert!(libraries(&["check", "--device", "auto", &small]).1.contains(GRAPHICS));
    for (arguments, named) in [
        (vec!["check", &missing], missing.as_str()),
        (vec!["check", &broken], "not an image"),
        (vec!["check", "--json", &missing, &broken], ""),
        (vec!["check", "--model", "absent", &sample], "absent"),
        (vec!["check", "--weights", &weights, "--model", "apart", &sample], "shard-00.safetensors"),
        (vec!["check", "--replay", &report], &missing),
        (vec!["calibrate", "aedr-small", "--belonging", &missing, "--others", &sample], &missing),
        (vec!["calibrate", "aedr-small", "--belonging", &sample, "--others", &broken], &broken),
        (vec!["calibrate", "aedr-small", "--photographs", &missing, "--others", &sample], &missing),
        (vec!["calibrate", "absent", "--belonging", &sample, "--others", &sample], "absent"),
        (vec!["paint", "aedr-small", "--out", &weights, "--photographs", &missing], &missing),
        (vec!["paint", "absent", "--out", &weights, "--photographs", &sample], "absent"),
        (vec!["evaluate", "aedr-small", "--results", &results, "--belonging", &missing, "--others", &broken], &missing),
        (vec!["evaluate", "absent", "--results", &results, "--belonging", &missing, "--others", &sample], "absent"),
    ] {
        let (output, libraries) = libraries(&[&arguments[..], &["--device", "auto"]].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(err(&output).contains(named), "{arguments:?}: {}", err(&output));
        assert!(!libraries.contains(GRAPHICS), "{arguments:?} opened a graphics device");
    }
}

/// Symbols of a release would be a third of it.
#[test]
#[cfg(all(target_os = "linux", not(debug_assertions)))]
fn the_program_has_no_symbols() {
    let program = std::fs::read(env!("CARGO_BIN_EXE_aedr")).unwrap();
    println!("{} bytes", program.len());
    assert!(!program.windows(8).any(|name| name == b".symtab\0"));
}

#[test]
fn nothing_is_said_twice() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.png").display().to_string();
    for arguments in [["check", "--device", "cpu"].as_slice(), &["homogeneity"], &["provenance"]] {
        let told = err(&aedr(&[arguments, &[&missing]].concat()));
        assert_eq!(told.matches(&missing).count(), 1, "{told}");
        assert!(told.starts_with("aedr: ") && told.ends_with(" Check the path and its permissions.\n"), "{told}");
    }
    // A model of several, told beside the others: its name once and where it was looked for.
    let sample = repository("www/samples/dahlia.png");
    let told = err(&aedr(&["check", "--device", "cpu", "--model", "absent", "--model", "aedr-small", text(&sample)]));
    assert!(told.starts_with("aedr: no model is called \"absent (looked for "), "{told}");
    // Without a calibration the signal is t.
    let golden = "tests/goldens/tiny_taef2";
    let (encoder, decoder) = (format!("{golden}/encoder.pth"), format!("{golden}/decoder.pth"));
    let pack = folder.path().join("tiny");
    assert!(aedr(&["pack", "--encoder", &encoder, "--decoder", &decoder, "--out", text(&pack)]).status.success());
    let folder = text(folder.path());
    let said = out(&aedr(&["check", "--device", "cpu", "--weights", folder, "--model", "tiny", text(&sample)]));
    assert_eq!(said.matches("  t ").count(), 1, "{said}");
    // With one it stands in the evidence.
    let said = out(&aedr(&["check", "--device", "cpu", text(&sample)]));
    assert_eq!(said.matches("  t ").count(), 1, "{said}");
    assert_eq!(said.matches("threshold").count(), 1, "{said}");
}

#[test]
fn wrong_arguments_exit_with_two_and_unknown_models_with_one() {
    for arguments in [&["check"][..], &["pack", "--out", "x"], &["nonsense"], &["check", "a.png", "--device", "tpu"]] {
        assert_eq!(aedr(arguments).status.code(), Some(2), "{arguments:?}");
    }
    let output = aedr(&["check", "--model", "sd15", "a.png", "--device", "cpu"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("sd15"), "{}", err(&output));
}

#[test]
fn pack_writes_what_check_loads() {
    let folder = tempfile::tempdir().unwrap();
    let out_folder = folder.path().join("tiny");
    let golden = "tests/goldens/tiny_taef2";
    let (encoder, decoder) = (format!("{golden}/encoder.pth"), format!("{golden}/decoder.pth"));
    let arguments =
        ["pack", "--encoder", &encoder, "--decoder", &decoder, "--out", text(&out_folder), "--licence", "MIT"];
    let output = aedr(&arguments);
    assert!(output.status.success(), "{}", err(&output));
    assert!(out(&output).contains("tensors applied"), "{}", out(&output));
    let image = folder.path().join("image.png");
    RgbImage::from_fn(64, 64, |x, y| image::Rgb([(x * 4) as u8, (y * 4) as u8, 90])).save(&image).unwrap();
    // Without a name all models are asked; the one without calibration has no say.
    let output = aedr(&["check", "--weights", text(folder.path()), "--device", "cpu", text(&image)]);
    assert!(output.status.success(), "{}", err(&output));
    let printed = out(&output);
    assert!(printed.contains("cannot tell: the shorter side is under 128 pixels"), "{printed}");
    assert!(
        printed.contains("  tiny: numbers only") && printed.contains("demonstration model: cannot tell"),
        "{printed}"
    );
    let output = aedr(&["check", "--json", "--weights", text(folder.path()), "--device", "cpu", text(&image)]);
    let ids: Vec<Value> =
        out(&output).lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["model"]["id"].clone()).collect();
    assert_eq!(ids, ["tiny", "aedr-small"], "the cheapest first");
    let output = aedr(&["check", "--model", "tiny", "--weights", text(folder.path()), "--device", "cpu", text(&image)]);
    assert!(output.status.success(), "{}", err(&output));
    assert!(out(&output).contains("cannot tell: no trace of this model was found"), "{}", out(&output));
}

#[test]
fn measure_tells_times_and_errors_against_references() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("kl_quant");
    let model = "tests/goldens/kl_quant/model.safetensors";
    let packed = aedr(&["pack", model, "--precision", "f32", "--out", text(&pack)]);
    assert!(packed.status.success(), "{}", err(&packed));
    let weights = ["--weights", text(folder.path()), "--device", "cpu"];
    let line = |arguments: &[&str]| -> Value {
        let output = aedr(&[&["measure"], arguments, &weights].concat());
        assert!(output.status.success(), "{}", err(&output));
        serde_json::from_str(out(&output).trim()).unwrap()
    };
    let compared = line(&["kl_quant", "--goldens", "tests/goldens"]);
    let errors = compared["errors"].as_object().unwrap();
    assert_eq!(errors.len(), 4);
    assert!(errors.values().all(|error| error.as_f64().unwrap() < 1e-4), "{errors:?}");
    assert_eq!((&compared["model"], &compared["device"]["kind"]), (&"kl_quant".into(), &"cpu".into()));

    let timed = line(&["kl_quant", "--side", "64", "--repetitions", "2"]);
    assert!(timed["cold"].as_f64().unwrap() > 0.0);
    assert_eq!(timed["warm"].as_array().unwrap().len(), 2);
    assert!(timed["first_loss"].as_f64().unwrap() > timed["second_loss"].as_f64().unwrap());
    // Attention grows faster than the number of pixels.
    let twice = line(&["kl_quant", "--side", "128", "--repetitions", "1"]);
    let work = |of: &Value| of["multiply_adds"].as_f64().unwrap();
    assert!(work(&twice) >= 4.0 * work(&timed));

    let missing = aedr(&["measure", "kl_quant", "--goldens", text(folder.path()), weights[0], weights[1]]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(err(&missing).contains("golden.safetensors"), "{}", err(&missing));
}

/// Too small for one model's grid, an image is checked by the other, and the report says which failed.
#[test]
fn check_keeps_what_other_models_say_of_an_image_too_small_for_one() {
    let folder = tempfile::tempdir().unwrap();
    write_coarse_model(&folder.path().join("coarse"));
    let image = folder.path().join("image.png");
    RgbImage::from_fn(40, 40, |x, y| image::Rgb([(x * 6) as u8, (y * 6) as u8, 90])).save(&image).unwrap();
    let report = folder.path().join("report.json");
    let arguments =
        ["check", "--weights", text(folder.path()), "--device", "cpu", "--report", text(&report), text(&image)];
    let output = aedr(&arguments);
    assert_eq!(output.status.code(), Some(1), "a model could not be asked");
    assert!(out(&output).contains("image.png: cannot tell"), "{}", out(&output));
    let record: Value = read_json(&report);
    assert_eq!(record["checks"][0]["model"]["id"], "aedr-small");
    let failure = &record["failures"][0];
    assert_eq!((&failure["model"], &failure["code"]), (&"coarse".into(), &"image_too_small".into()));
    let told = err(&output);
    assert!(told.contains("image.png, coarse: "), "{told}");
    // What is wrong with the image itself is told once, and of no model.
    std::fs::write(&image, "no image").unwrap();
    let told = err(&aedr(&["check", "--weights", text(folder.path()), "--device", "cpu", text(&image)]));
    assert_eq!(told.matches("not an image").count(), 1, "{told}");
    assert!(!told.contains("coarse"), "{told}");
}

/// A pack of an autoencoder whose latents span 32 pixels, of zeros: no image is large enough in the tests that ask it.
fn write_coarse_model(folder: &Path) {
    let config = json!({
        "family": "autoencoder_tiny",
        "width": 4,
        "latent_channels": 4,
        "encoder_blocks": [1, 1, 1, 1, 1, 1],
        "decoder_blocks": [1, 1, 1, 1, 1, 1],
        "pooled": false,
    });
    let architecture: Architecture = serde_json::from_value(config.clone()).unwrap();
    let parameters = architecture.parameters();
    let zeros = vec![0; 4 * parameters.iter().map(|spec| spec.shape.iter().product::<usize>()).max().unwrap()];
    let tensors = parameters.iter().map(|spec| {
        let bytes = &zeros[..4 * spec.shape.iter().product::<usize>()];
        (spec.name.clone(), TensorView::new(Dtype::F32, spec.shape.clone(), bytes).unwrap())
    });
    let shard = safetensors::serialize(tensors, None).unwrap();
    let manifest = json!({
        "format_version": 1,
        "id": "coarse",
        "name": "coarse",
        "architecture": config,
        "precision": "f32",
        "source": "a test",
        "licence": "MIT",
        "shards": [Shard::describe("shard-00.safetensors".into(), &shard)],
    });
    std::fs::create_dir(folder).unwrap();
    std::fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
    std::fs::write(folder.join("shard-00.safetensors"), shard).unwrap();
}
