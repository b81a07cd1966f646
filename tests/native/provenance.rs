//! What files say of their origin, written here by the formats' own encoders.

use std::{io::Cursor, process::Command};

use aedr::provenance::{Claim, Meaning, claims};
use exif::{Field, In, Tag, Value, experimental::Writer};
use proptest::prelude::*;

use crate::common::{repository, samples};

const SETTINGS: &str = "a castle\nNegative prompt: people\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1";

/// A picture of one pixel with texts: keyword, text, and whether it is Unicode (`iTXt`), compressed (`zTXt`) or plain.
fn png_with(texts: &[(&str, &str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 1, 1);
    for &(keyword, text, kind) in texts {
        match kind {
            "iTXt" => encoder.add_itxt_chunk(keyword.into(), text.into()),
            "zTXt" => encoder.add_ztxt_chunk(keyword.into(), text.into()),
            _ => encoder.add_text_chunk(keyword.into(), text.into()),
        }
        .unwrap();
    }
    encoder.write_header().unwrap().write_image_data(&[7]).unwrap();
    bytes
}

/// A JPEG whose first segment is this APP1.
fn jpeg_with(segment: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new(&mut bytes).encode(&[7; 3], 1, 1, image::ExtendedColorType::Rgb8).unwrap();
    let length = (segment.len() as u16 + 2).to_be_bytes();
    [&bytes[..2], &[0xff, 0xe1], &length, segment, &bytes[2..]].concat()
}

fn xmp(properties: &str) -> Vec<u8> {
    let packet = format!(
        "<?xpacket begin='\u{feff}' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>\
         <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' \
         xmlns:i='http://iptc.org/std/Iptc4xmpExt/2008-02-29/' xmlns:xmp='http://ns.adobe.com/xap/1.0/'>\
         {properties}</rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    );
    jpeg_with(&[b"http://ns.adobe.com/xap/1.0/\0", packet.as_bytes()].concat())
}

fn exif(tag: Tag, value: Value) -> Vec<u8> {
    let field = Field { tag, ifd_num: In::PRIMARY, value };
    let mut writer = Writer::new();
    writer.push_field(&field);
    let mut block = Cursor::new(b"Exif\0\0".to_vec());
    let mut tiff = Cursor::new(Vec::new());
    writer.write(&mut tiff, true).unwrap();
    block.get_mut().extend(tiff.into_inner());
    jpeg_with(block.get_ref())
}

fn said(bytes: &[u8]) -> Vec<(Meaning, String)> {
    claims(bytes).into_iter().map(|Claim { meaning, field, .. }| (meaning, field)).collect()
}

#[test]
fn generators_words_are_found_in_every_kind_of_text() {
    for kind in ["tEXt", "zTXt", "iTXt"] {
        let found = claims(&png_with(&[("Title", "x", "tEXt"), ("parameters", SETTINGS, kind)]));
        let claim = Claim { meaning: Meaning::Generated, field: "parameters".into(), text: SETTINGS.into() };
        assert_eq!(found, [claim], "{kind}");
    }
    let comfy = r#"{"3": {"class_type": "KSampler"}}"#;
    for (keyword, text) in [
        ("prompt", comfy),
        ("invokeai_metadata", "{}"),
        ("Software", "NovelAI"),
        ("Description", "a castle --v 6 Job ID: 8f4a"),
    ] {
        assert_eq!(said(&png_with(&[(keyword, text, "tEXt")])), [(Meaning::Generated, keyword.into())]);
    }
    let comment = [b"UNICODE\0", &SETTINGS.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>()[..]].concat();
    let found = claims(&exif(Tag::UserComment, Value::Undefined(comment, 0)));
    assert_eq!((found[0].meaning, found[0].text.as_str()), (Meaning::Generated, SETTINGS));
    let comment = [b"UNICODE\0", &SETTINGS.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()[..]].concat();
    assert_eq!(claims(&exif(Tag::UserComment, Value::Undefined(comment, 0))), found);
}

#[test]
fn sources_are_told_apart() {
    let source = |kind: &str| format!("http://cv.iptc.org/newscodes/digitalsourcetype/{kind}");
    for (kind, meaning) in [("trainedAlgorithmicMedia", Meaning::Generated), ("digitalCapture", Meaning::Camera)] {
        let attribute = format!("<rdf:Description i:DigitalSourceType='{}'/>", source(kind));
        let element =
            format!("<rdf:Description><i:DigitalSourceType>{}</i:DigitalSourceType></rdf:Description>", source(kind));
        let resource =
            format!("<rdf:Description><i:DigitalSourceType rdf:resource='{}'/></rdf:Description>", source(kind));
        for written in [attribute, element, resource] {
            assert_eq!(said(&xmp(&written)), [(meaning, "DigitalSourceType".into())], "{written}");
        }
    }
    let tool = |name: &str| xmp(&format!("<rdf:Description xmp:CreatorTool='{name}'/>"));
    assert_eq!(said(&tool("Adobe Firefly 3")), [(Meaning::Generated, "CreatorTool".into())]);
    assert_eq!(said(&tool("Imagenomic")), [(Meaning::Program, "CreatorTool".into())]);
    let camera = exif(Tag::Make, Value::Ascii(vec![b"Leica".to_vec()]));
    assert_eq!(said(&camera), [(Meaning::Camera, "Make".into())]);
}

#[test]
fn what_is_no_claim_is_none() {
    for png in [
        png_with(&[]),
        png_with(&[("Description", "A friend's drawing of Midjourney's sign", "tEXt"), ("parameters", " ", "tEXt")]),
    ] {
        assert_eq!(claims(&png), []);
    }
    assert_eq!(claims(b""), []);
    // An XML that would grow without end when read.
    let bomb = "<!DOCTYPE a [<!ENTITY b 'bbbbbbbb'><!ENTITY c '&b;&b;&b;&b;'>]><a CreatorTool='&c;'/>";
    assert_eq!(claims(&jpeg_with(&[b"http://ns.adobe.com/xap/1.0/\0", bomb.as_bytes()].concat())), []);
    // A text that would take a gigabyte is passed over, or cut.
    let long = png_with(&[("parameters", &"Steps: ".repeat(1_000_000), "zTXt")]);
    assert!(claims(&long).iter().all(|claim| claim.text.chars().count() <= 2000));
}

#[test]
fn texts_are_plain() {
    let hostile = "<script>\u{202e}x\u{200b}\u{1b}[31m</script>";
    let found = claims(&png_with(&[("prompt", hostile, "iTXt")]));
    assert_eq!(found[0].text, "<script>x[31m</script>");
}

#[test]
fn the_program_prints_a_line_an_image() {
    let folder = tempfile::tempdir().unwrap();
    let painted = folder.path().join("painted.png");
    std::fs::write(&painted, png_with(&[("parameters", SETTINGS, "tEXt")])).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_aedr"))
        .current_dir(repository(""))
        .args(["provenance", "missing.png"])
        .arg(&painted)
        .arg(&samples("png")[0])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((output.status.code(), lines.len()), (Some(1), 2), "{text}");
    assert_eq!(lines[0]["claims"][0]["meaning"], "generated");
    assert!(String::from_utf8_lossy(&output.stderr).contains("missing.png"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    /// Nothing in a file makes it fail.
    #[test]
    fn damaged_files_are_read_as_far_as_they_go(which in 0_usize..3, damage in prop::collection::vec((any::<u16>(), any::<u8>()), 0..8), cut in any::<u16>()) {
        let mut bytes = match which {
            0 => png_with(&[("parameters", SETTINGS, "zTXt"), ("prompt", "x", "iTXt")]),
            1 => xmp("<rdf:Description xmp:CreatorTool='x'/>"),
            _ => exif(Tag::Software, Value::Ascii(vec![b"x".to_vec()])),
        };
        for (at, value) in damage {
            let at = usize::from(at) % bytes.len();
            bytes[at] = value;
        }
        bytes.truncate(usize::from(cut) % (2 * bytes.len()));
        claims(&bytes);
    }
}
