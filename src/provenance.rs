//! What a file says of its own origin: texts that generators and cameras write beside the pixels. They are claims, easily
//! written and easily removed; no verdict uses them.

use std::io::Cursor;

use exif::{In, Tag, Value};
use image::{ImageDecoder, ImageReader, Limits};
use serde::{Deserialize, Serialize};

/// One statement of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Claim {
    pub meaning: Meaning,
    /// The field's name in the file.
    pub field: String,
    /// What it says, as plain text of at most 2000 characters, without any that are invisible.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// Made by a generator, wholly or in part.
    Generated,
    /// Taken with a camera.
    Camera,
    /// Written by a program, which may or may not generate.
    Program,
}

/// Characters of a claim that are kept.
const TEXT_LENGTH: usize = 2000;
/// Claims of a file that are kept.
const CLAIMS: usize = 40;
/// The most bytes of a text that is read, and of all kept texts together.
const TEXT_BYTES: usize = 4 << 20;
/// The most texts of a file that are examined.
const TEXTS: usize = 200;

/// IPTC's digital source types (cv.iptc.org/newscodes/digitalsourcetype) of what algorithms made.
const GENERATED_SOURCES: [&str; 5] = [
    "trainedAlgorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
    "algorithmicMedia",
    "compositeSynthetic",
    "algorithmicallyEnhanced",
];
const CAPTURED_SOURCES: [&str; 5] = ["digitalCapture", "computationalCapture", "negativeFilm", "positiveFilm", "print"];

/// Fields that only generators' programs write: AUTOMATIC1111 and its heirs, ComfyUI, InvokeAI, Fooocus.
const GENERATOR_FIELDS: [&str; 9] = [
    "parameters",
    "prompt",
    "workflow",
    "invokeai_metadata",
    "invokeai_graph",
    "sd-metadata",
    "Dream",
    "fooocus_scheme",
    "generation_data",
];

/// Names that generators give themselves in fields that any program writes, in lower case.
const GENERATOR_NAMES: [&str; 15] = [
    "stable diffusion",
    "automatic1111",
    "comfyui",
    "invokeai",
    "fooocus",
    "novelai",
    "midjourney",
    "dall-e",
    "dall·e",
    "gpt-image",
    "adobe firefly",
    "draw things",
    "diffusers",
    "made with google ai",
    "flux.1",
];

/// Settings in fields for descriptions. A name above may occur there by chance; settings do not.
const SETTINGS: [&[&str]; 3] = [&["Steps: ", "Sampler"], &["Job ID: "], &["\"class_type\""]];

/// The file's claims about its origin, those of generators first. Fields that cannot be read are skipped: a file
/// without claims and one with broken ones look the same.
pub fn claims(bytes: &[u8]) -> Vec<Claim> {
    let mut claims: Vec<Claim> = [png_texts(bytes), exif_texts(bytes), xmp_texts(bytes)]
        .concat()
        .into_iter()
        .filter_map(|(field, text)| {
            let meaning = meaning(&field, &text)?;
            Some(Claim { meaning, field: plain(&field), text: plain(&text) })
        })
        .collect();
    claims.sort_by_key(|claim| claim.meaning as u8);
    claims.dedup();
    claims.truncate(CLAIMS);
    claims
}

fn meaning(field: &str, text: &str) -> Option<Meaning> {
    if text.trim().is_empty() {
        return None;
    }
    let settings = SETTINGS.iter().any(|marks| marks.iter().all(|mark| text.contains(mark)));
    let named = || {
        let small = text.to_lowercase();
        GENERATOR_NAMES.iter().any(|name| small.contains(name))
    };
    match field {
        "DigitalSourceType" => {
            let kind = text.trim().rsplit('/').next().unwrap_or_default();
            let is = |kinds: &[&str]| kinds.contains(&kind);
            match () {
                () if is(&GENERATED_SOURCES) => Some(Meaning::Generated),
                () if is(&CAPTURED_SOURCES) => Some(Meaning::Camera),
                () => None,
            }
        }
        "Make" | "Model" => Some(Meaning::Camera),
        "Software" | "CreatorTool" | "Source" | "Credit" if named() => Some(Meaning::Generated),
        "Software" | "CreatorTool" => Some(Meaning::Program),
        _ if settings || GENERATOR_FIELDS.contains(&field) => Some(Meaning::Generated),
        _ => None,
    }
}

/// Truncated, and without invisible characters and those that change the direction of the text after them.
fn plain(text: &str) -> String {
    let turning = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}');
    let seen = |c: &char| !turning(*c) && *c != '\u{feff}' && (*c == '\n' || !c.is_control());
    text.trim().chars().filter(seen).take(TEXT_LENGTH).collect()
}

type Field = (String, String);

/// Keywords and texts of a PNG's `tEXt`, `zTXt` and `iTXt` before the pixels.
fn png_texts(bytes: &[u8]) -> Vec<Field> {
    let limits = png::Limits { bytes: 4 * TEXT_BYTES };
    let Ok(reader) = png::Decoder::new_with_limits(Cursor::new(bytes), limits).read_info() else { return Vec::new() };
    let info = reader.info();
    let latin = info.uncompressed_latin1_text.iter().map(|chunk| (chunk.keyword.clone(), chunk.text.clone()));
    let compressed = info.compressed_latin1_text.iter().take(TEXTS).cloned().filter_map(|mut chunk| {
        chunk.decompress_text_with_limit(TEXT_BYTES).ok()?;
        Some((chunk.keyword.clone(), chunk.get_text().ok()?))
    });
    let unicode = info.utf8_text.iter().take(TEXTS).cloned().filter_map(|mut chunk| {
        chunk.decompress_text_with_limit(TEXT_BYTES).ok()?;
        Some((chunk.keyword.clone(), chunk.get_text().ok()?))
    });
    bounded(latin.chain(compressed).chain(unicode))
}

/// The first fields that together take no more than [`TEXT_BYTES`]: a small field may expand a thousandfold.
fn bounded(fields: impl Iterator<Item = Field>) -> Vec<Field> {
    let all = fields.take(TEXTS).scan(TEXT_BYTES, |left, (field, text)| {
        *left = left.checked_sub(field.len().saturating_add(text.len()))?;
        Some((field, text))
    });
    all.collect()
}

fn exif_texts(bytes: &[u8]) -> Vec<Field> {
    let Some(raw) = decoder(bytes).and_then(|mut decoder| decoder.exif_metadata().ok().flatten()) else {
        return Vec::new();
    };
    let Ok(exif) = exif::Reader::new().read_raw(raw) else { return Vec::new() };
    let fields = [Tag::Software, Tag::Make, Tag::Model, Tag::ImageDescription, Tag::UserComment];
    let found = fields.into_iter().filter_map(|tag| {
        let text = match &exif.get_field(tag, In::PRIMARY)?.value {
            Value::Ascii(lines) => {
                lines.iter().map(|line| String::from_utf8_lossy(line)).collect::<Vec<_>>().join("\n")
            }
            Value::Undefined(comment, _) => user_comment(comment)?,
            _ => return None,
        };
        Some((tag.to_string(), text))
    });
    found.collect()
}

/// A comment with the name of its character code in the first eight bytes (Exif 2.32, UserComment).
fn user_comment(bytes: &[u8]) -> Option<String> {
    let (code, text) = bytes.split_at_checked(8)?;
    if code != b"UNICODE\0" {
        return Some(String::from_utf8_lossy(text).into_owned());
    }
    // UTF-16 whose byte order the standard leaves open: the zero bytes of common letters show it.
    let pairs = text.as_chunks::<2>().0;
    let first_zero = pairs.iter().filter(|pair| pair[0] == 0).count();
    let second_zero = pairs.iter().filter(|pair| pair[1] == 0).count();
    let order = if first_zero >= second_zero { u16::from_be_bytes } else { u16::from_le_bytes };
    let units: Vec<u16> = pairs.iter().map(|&pair| order(pair)).collect();
    Some(String::from_utf16_lossy(&units))
}

/// Properties of an XMP packet by their local names, written as attributes or as elements.
fn xmp_texts(bytes: &[u8]) -> Vec<Field> {
    let Some(raw) = decoder(bytes).and_then(|mut decoder| decoder.xmp_metadata().ok().flatten()) else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&raw);
    // A packet may be padded with spaces and zeros. Document types, and with them entities, are refused.
    let Ok(document) = roxmltree::Document::parse(text.trim_matches(['\0', '\u{feff}', ' ', '\n', '\r'])) else {
        return Vec::new();
    };
    let known =
        |name: &str| ["DigitalSourceType", "CreatorTool", "Credit", "UserComment", "description"].contains(&name);
    let elements = document.descendants().filter(roxmltree::Node::is_element);
    let found = elements.flat_map(|node| {
        let attributes = node.attributes().filter(|attribute| known(attribute.name()));
        let element = Some(node).filter(|node| known(node.tag_name().name())).map(|node| {
            // The value of a resource stands in an attribute of that name.
            let resource = node.attributes().find(|attribute| attribute.name() == "resource");
            let within = || node.descendants().filter_map(|inner| inner.is_text().then(|| inner.text())?).collect();
            (node.tag_name().name().into(), resource.map_or_else(within, |attribute| attribute.value().into()))
        });
        attributes.map(|attribute| (attribute.name().into(), attribute.value().into())).chain(element)
    });
    bounded(found)
}

fn decoder(bytes: &[u8]) -> Option<impl ImageDecoder> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some((TEXT_BYTES as u64).saturating_mul(4));
    reader.limits(limits);
    reader.into_decoder().ok()
}
