//! What reading strangers' files takes of memory, whatever they hold. The count is the process's, so that this test has a
//! process of its own, and everything in it runs in one test.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test that panics has failed, and says why"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    io::Write,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use aedr::{
    image::{DecodeOptions, decode},
    provenance::claims,
};
use flate2::{Compression, Crc, write::ZlibEncoder};
use libjpeg_turbo_rs::{PixelFormat, Subsampling, compress, compress_progressive};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn taken(bytes: usize) {
    MOST.fetch_max(NOW.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: all is done by the system's allocator; this only counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both are there while it is copied.
        taken(size);
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The most bytes that `work` held beyond what was there before.
fn most_bytes<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = NOW.load(Relaxed);
    MOST.store(before, Relaxed);
    let result = work();
    (result, MOST.load(Relaxed) - before)
}

const MEGABYTE: usize = 1 << 20;

fn zeros(bytes: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    for _ in 0..bytes / MEGABYTE {
        encoder.write_all(&[0; MEGABYTE]).unwrap();
    }
    encoder.finish().unwrap()
}

fn png(width: u32, height: u32, [depth, color]: [u8; 2], chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, color, 0, 0, 0]].concat();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in [(b"IHDR", header)].iter().chain(chunks).chain(&[(b"IEND", Vec::new())]) {
        let mut sum = Crc::new();
        sum.update(&name[..]);
        sum.update(data);
        for part in [&(data.len() as u32).to_be_bytes()[..], &name[..], data, &sum.sum().to_be_bytes()] {
            file.extend(part);
        }
    }
    file
}

/// One strip of grey, compressed by zlib.
fn tiff(width: u32, height: u32, strip: &[u8]) -> Vec<u8> {
    let entries = [
        (256u16, width),
        (257, height),
        (258, 8),
        (259, 8),
        (262, 1),
        (273, 8 + 2 + 9 * 12 + 4),
        (277, 1),
        (278, height),
        (279, strip.len() as u32),
    ];
    tiff_file(&entries, strip)
}

fn tiff_file(entries: &[(u16, u32); 9], strip: &[u8]) -> Vec<u8> {
    let mut file = b"II*\0\x08\0\0\0\x09\0".to_vec();
    for (tag, value) in entries {
        file.extend([&tag.to_le_bytes()[..], &4u16.to_le_bytes(), &1u32.to_le_bytes(), &value.to_le_bytes()].concat());
    }
    file.extend([0; 4]);
    file.extend(strip);
    file
}

/// One strip of a JPEG stream, with colours that are stored as luma and chroma.
fn jpeg_tiff(width: u32, height: u32, strip: &[u8]) -> Vec<u8> {
    let entries = [
        (256u16, width),
        (257, height),
        (258, 8),
        (259, 7),
        (262, 6),
        (273, 8 + 2 + 9 * 12 + 4),
        (277, 3),
        (278, height),
        (279, strip.len() as u32),
    ];
    tiff_file(&entries, strip)
}

/// A GIF whose only frame claims this size on a screen of eight pixels.
fn gif(width: u16, height: u16) -> Vec<u8> {
    let mut file = b"GIF89a\x08\0\x08\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0".to_vec();
    file.extend([width.to_le_bytes(), height.to_le_bytes()].concat());
    file.extend(b"\0\x02\x02\x44\x01\0;");
    file
}

#[test]
fn memory_stays_within_what_is_documented() {
    let texts = |count: usize, name: &'static [u8; 4], head: &'static [u8], bytes: usize| {
        let data = [head, &zeros(bytes)].concat();
        vec![(name, data); count]
    };
    let pixels = |bytes: usize| vec![(b"IDAT", zeros(bytes))];
    let small = || pixels(MEGABYTE);
    let files: Vec<(&str, u64, Vec<u8>)> = vec![
        ("PNG, more data than pixels", 64, png(8, 8, [8, 2], &pixels(64 * MEGABYTE))),
        ("PNG, 40 megapixels of 16 bits with alpha", 40_000_000, png(8000, 5000, [16, 6], &small())),
        ("PNG, 40 megapixels", 40_000_000, png(8000, 5000, [8, 2], &pixels(116 * MEGABYTE))),
        (
            "PNG, colour profile",
            64,
            png(8, 8, [8, 2], &[texts(1, b"iCCP", b"p\0\0", 256 * MEGABYTE), small()].concat()),
        ),
        (
            "PNG, compressed texts",
            64,
            png(8, 8, [8, 2], &[texts(400, b"zTXt", b"parameters\0\0", 4 * MEGABYTE - 1), small()].concat()),
        ),
        (
            "PNG, texts for everybody",
            64,
            png(8, 8, [8, 2], &[texts(400, b"iTXt", b"prompt\0\x01\0\0\0", 3 * MEGABYTE), small()].concat()),
        ),
        ("TIFF, more data than pixels", 64, tiff(8, 8, &zeros(256 * MEGABYTE))),
        ("TIFF, 40 megapixels", 40_000_000, tiff(8000, 5000, &zeros(39 * MEGABYTE))),
        ("GIF, a frame beyond the screen", 64, gif(u16::MAX, u16::MAX)),
        ("JPEG, 40 megapixels in one scan", 40_000_000, jpeg(8000, 5000)),
        ("JPEG, 40 megapixels in several scans", 40_000_000, progressive(8000, 5000)),
        ("JPEG, 40 megapixels claimed", 40_000_000, claiming(progressive(16, 16), 8000, 5000)),
        ("TIFF, 40 megapixels of JPEG in one scan", 40_000_000, jpeg_tiff(8000, 5000, &jpeg(8000, 5000))),
        ("TIFF, 40 megapixels of JPEG in several scans", 40_000_000, jpeg_tiff(8000, 5000, &progressive(8000, 5000))),
        ("TIFF, a strip larger than the image", 64, jpeg_tiff(8, 8, &claiming(progressive(16, 16), 8000, 5000))),
        ("nested XMP", 64, nested_xmp()),
    ];
    let mut wrong = Vec::new();
    for (name, pixels, file) in files {
        let started = std::time::Instant::now();
        let allowed = 24 * pixels as usize + 32 * MEGABYTE + 2 * file.len();
        let (decoded, bytes) = most_bytes(|| decode(&file, &DecodeOptions::default()).map(|image| image.width));
        let (found, read) = most_bytes(|| claims(&file).len());
        println!(
            "{name}, {} kB: {} MiB decoding ({:?}), {} MiB reading {found} claims, {:.1} s",
            file.len() / 1000,
            bytes / MEGABYTE,
            decoded.map_err(|error| error.to_string()),
            read / MEGABYTE,
            started.elapsed().as_secs_f64()
        );
        if bytes > allowed || read > 64 * MEGABYTE + 4 * file.len() {
            wrong.push(format!("{name}: {bytes} bytes decoding where {allowed} are allowed, {read} reading claims"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn jpeg(width: usize, height: usize) -> Vec<u8> {
    compress(&vec![90; 3 * width * height], width, height, PixelFormat::Rgb, 90, Subsampling::S444).unwrap()
}

fn progressive(width: usize, height: usize) -> Vec<u8> {
    compress_progressive(&vec![90; 3 * width * height], width, height, PixelFormat::Rgb, 90, Subsampling::S444).unwrap()
}

/// A progressive JPEG whose header tells another size.
fn claiming(mut file: Vec<u8>, width: u16, height: u16) -> Vec<u8> {
    let header = file.windows(2).position(|marker| marker == [0xff, 0xc2]).unwrap() + 5;
    file[header..header + 4].copy_from_slice(&[height.to_be_bytes(), width.to_be_bytes()].concat());
    file
}

/// A few hundred elements within each other, each of which holds all of the text.
fn nested_xmp() -> Vec<u8> {
    let text = "x".repeat(MEGABYTE);
    let packet = format!("{}{text}{}", "<description>".repeat(400), "</description>".repeat(400));
    let chunk = [&b"XML:com.adobe.xmp\0\0\0\0\0"[..], packet.as_bytes()].concat();
    png(8, 8, [8, 2], &[(b"iTXt", chunk), (b"IDAT", zeros(MEGABYTE))])
}
