//! The files of `tests/corpus`: a file in `KIND/good/` must be read, one in `KIND/bad/CODE/` must be refused with that
//! code. A file that is dropped in is a test.

use std::{collections::BTreeMap, fs, path::PathBuf};

use aedr::{
    Error,
    evidence::calibration::Calibration,
    image::{DecodeOptions, DecodedImage, decode},
    report::{check::image_messages, record::Record},
    weights::{Encoding, Manifest, Shard, architecture_from_diffusers},
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{common::repository, targets};

/// How a file is read; the code of what is wrong with it.
type Read = fn(&[u8]) -> Result<(), String>;

/// The kinds of files.
const KINDS: [(&str, Read); 9] = [
    ("image", |bytes| told(decode(bytes, &DecodeOptions::default()))),
    ("manifest", |bytes| told(Manifest::parse(&String::from_utf8_lossy(bytes)))),
    ("calibration", |bytes| told(Calibration::parse(&String::from_utf8_lossy(bytes)))),
    ("configuration", |bytes| {
        let found = architecture_from_diffusers("config.json", &String::from_utf8_lossy(bytes));
        told(found.and_then(|architecture| architecture.validate()))
    }),
    ("report", |bytes| told(Record::parse(&String::from_utf8_lossy(bytes)))),
    ("shard", |bytes| told(add_shard(bytes))),
    ("import", |bytes| told(targets::import_in_pieces(bytes, &[4096]))),
    ("pytorch", |bytes| told(targets::pack_file(bytes))),
    ("drawing", |bytes| {
        let drawn = renderer::Renderer::new().render(&String::from_utf8_lossy(bytes), "Inter");
        drawn.map(drop).map_err(|_| "refused".into())
    }),
];

fn told<T>(found: Result<T, Error>) -> Result<(), String> {
    found.map(drop).map_err(|error| error.code().into())
}

/// A plain shard is safetensors; the last eight bytes of a compressed one say what it expands to.
fn add_shard(bytes: &[u8]) -> Result<(), Error> {
    let (shard, bytes) = match bytes.split_last_chunk::<8>() {
        Some((packed, size)) if packed.first() == Some(&0x78) || !bytes.contains(&b'{') => {
            let encoding = Some(Encoding { zlib: u64::from_le_bytes(*size) });
            (Shard { encoding, ..Shard::describe("shard.zlib".into(), packed) }, packed)
        }
        _ => (Shard::describe("shard.safetensors".into(), bytes), bytes),
    };
    targets::add_shard(shard, bytes)
}

/// Every file below a folder of the corpus, but for what is said of others.
pub fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![repository("tests/corpus").join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let describes = path.extension().is_some_and(|end| end == "json") && path.with_extension("").is_file();
            if path.is_dir() {
                folders.push(path);
            } else if !describes {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn good_files_are_read_and_bad_ones_get_their_code() {
    let mut wrong = Vec::new();
    for (kind, read) in KINDS {
        let mut counts = [0, 0];
        for (index, folder) in ["good", "bad"].into_iter().enumerate() {
            for path in files(&format!("{kind}/{folder}")) {
                let parent =
                    path.parent().and_then(|folder| folder.file_name()).unwrap().to_string_lossy().into_owned();
                let expected = if index == 0 { Ok(()) } else { Err(parent) };
                let found = read(&fs::read(&path).unwrap());
                if found != expected {
                    wrong.push(format!("{}: {found:?}, not {expected:?}", path.display()));
                }
                counts[index] += 1;
            }
        }
        println!("{kind}: {} good, {} bad", counts[0], counts[1]);
        assert!(counts.iter().sum::<i32>() > 0, "no {kind} is there");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What `NAME.json` beside an image says of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    width: u32,
    height: u32,
    format: String,
    /// Codes, in any order.
    remarks: Vec<String>,
    /// Of all pixels as another program decodes them, R G B.
    rgb_sha256: Option<String>,
    /// `[x, y, red, green, blue]`, and by how many levels they may differ.
    pixels: Option<Vec<[u32; 5]>>,
    tolerance: Option<u32>,
}

#[test]
fn images_are_decoded_as_other_programs_do_and_remarked_on() {
    let mut wrong = BTreeMap::new();
    let mut compared = 0;
    for path in files("image/good") {
        let described = path.with_extension(format!("{}.json", path.extension().unwrap().to_string_lossy()));
        let Ok(text) = fs::read_to_string(&described) else { continue };
        let expected: Expected = serde_json::from_str(&text).unwrap();
        let Ok(image) = decode(&fs::read(&path).unwrap(), &DecodeOptions::default()) else { continue };
        let differs = expected.differs(&image);
        if !differs.is_empty() {
            wrong.insert(path, differs);
        }
        compared += 1;
    }
    println!("{compared} images compared");
    assert!(compared > 50 && wrong.is_empty(), "{wrong:#?}");
}

impl Expected {
    fn differs(&self, image: &DecodedImage) -> Vec<String> {
        let mut differs = Vec::new();
        let mut compare = |what: &str, found: String, expected: String| {
            if found != expected {
                differs.push(format!("{what}: {found}, not {expected}"));
            }
        };
        compare("size", format!("{}×{}", image.width, image.height), format!("{}×{}", self.width, self.height));
        compare("format", image.format.into(), self.format.clone());
        let mut codes: Vec<String> = image_messages(image).into_iter().map(|message| message.code).collect();
        let mut expected = self.remarks.clone();
        codes.sort();
        expected.sort();
        compare("remarks", codes.join(" "), expected.join(" "));
        if let Some(expected) = &self.rgb_sha256 {
            let found: String = Sha256::digest(&image.rgb).iter().map(|byte| format!("{byte:02x}")).collect();
            compare("pixels", found, expected.clone());
        }
        for &[x, y, red, green, blue] in self.pixels.iter().flatten() {
            let at = 3 * (y * image.width + x) as usize;
            let found = &image.rgb[at..at + 3];
            let far = found
                .iter()
                .zip([red, green, blue])
                .any(|(&found, expected)| u32::from(found).abs_diff(expected) > self.tolerance.unwrap_or(0));
            if far {
                compare(&format!("pixel {x},{y}"), format!("{found:?}"), format!("{:?}", [red, green, blue]));
            }
        }
        differs
    }
}
