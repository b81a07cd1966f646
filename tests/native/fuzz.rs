//! Every target of `tests/fuzz/targets.rs` for a few seconds, on files of the corpus with seeded damage.
//! `AEDR_FUZZ_SECONDS` gives each as many, `AEDR_FUZZ_SEED` begins elsewhere.

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
    time::{Duration, Instant},
};

use crate::{common::repository, corpus::files, targets::TARGETS};

/// Files that are no part of the corpus, because they are elsewhere in the repository.
const ALSO: [(&str, &str); 6] = [
    ("import", "tests/goldens/tiny_taesd/model.safetensors"),
    ("shard", "tests/corpus/import/good/tiny.safetensors"),
    ("pytorch", "tests/goldens/tiny_taef2/encoder.pth"),
    ("pytorch", "tests/goldens/tiny_taesd/model.safetensors"),
    ("document", "weights/aedr-small/manifest.json"),
    ("document", "weights/catalog.json"),
];

/// Numbers at which programs err.
const NUMBERS: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
];

/// Of SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// A stretch of so many bytes: mostly short, near the front of a file as often as anywhere.
    fn stretch(&mut self, length: usize) -> std::ops::Range<usize> {
        let reach = if self.below(2) == 0 { length.min(128) } else { length };
        let start = self.below(reach);
        let longest = [1, 4, 16, 256, length][self.below(5)];
        start..(start + 1 + self.below(longest)).min(length)
    }
}

fn damage(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let range = random.stretch(bytes.len());
    match random.below(8) {
        0 => bytes[range].iter_mut().for_each(|byte| *byte ^= 1 << random.below(8)),
        1 => bytes[range].iter_mut().for_each(|byte| *byte = random.next() as u8),
        2 => bytes.truncate(range.start),
        3 => drop(bytes.drain(range)),
        4 => {
            let copy = bytes[range.clone()].to_vec();
            bytes.splice(range.start..range.start, copy);
        }
        5 => {
            let from = random.stretch(other.len());
            bytes.splice(range, other[from].iter().copied());
        }
        6 => {
            let (number, width) = (NUMBERS[random.below(NUMBERS.len())], [1, 2, 4, 8][random.below(4)]);
            let digits = if random.below(2) == 0 {
                number.to_le_bytes()
            } else {
                number.rotate_left(64 - 8 * width as u32).to_be_bytes()
            };
            bytes.iter_mut().skip(range.start).zip(&digits[..width]).for_each(|(byte, digit)| *byte = *digit);
        }
        // In texts: another number.
        _ => {
            let digits = bytes.iter().enumerate().skip(range.start).find(|(_, byte)| byte.is_ascii_digit());
            if let Some((at, _)) = digits {
                let texts: [&[u8]; 8] =
                    [b"-1", b"0", b"1e999", b"1e-320", b"18446744073709551616", b"null", b"\"\"", b"[]"];
                let end =
                    bytes[at..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |end| at + end);
                bytes.splice(at..end, texts[random.below(8)].iter().copied());
            }
        }
    }
    // What is larger only takes longer.
    bytes.truncate(1 << 19);
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn fuzz(name: &str) {
    let (_, target, folders) = TARGETS.into_iter().find(|(other, ..)| *other == name).unwrap();
    let also = ALSO.iter().filter(|(other, _)| *other == name).map(|(_, file)| repository(file));
    let seeds: Vec<Vec<u8>> =
        folders.iter().flat_map(|folder| files(folder)).chain(also).map(|path| fs::read(path).unwrap()).collect();
    let (first, end) =
        (number("AEDR_FUZZ_SEED", 1), Instant::now() + Duration::from_secs(number("AEDR_FUZZ_SECONDS", 2)));
    let mut runs = 0u64;
    // Each file as it is, then damaged ones.
    while runs < seeds.len() as u64 || Instant::now() < end {
        let seed = first.wrapping_add(runs);
        let mut random = Random(seed);
        let mut bytes = seeds.get(runs as usize).cloned().unwrap_or_else(|| {
            let mut bytes = seeds[random.below(seeds.len())].clone();
            for _ in 0..=random.below(5) {
                let other = random.below(seeds.len());
                damage(&mut bytes, &seeds[other], &mut random);
            }
            bytes
        });
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(&bytes))) {
            let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{seed}"));
            fs::write(&file, std::mem::take(&mut bytes)).unwrap();
            eprintln!("{name} failed at AEDR_FUZZ_SEED={seed}; the file is {}", file.display());
            resume_unwind(panic);
        }
        runs += 1;
    }
    println!("{name}: {runs} runs from seed {first}, {} files", seeds.len());
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            fuzz(stringify!($name));
        })*

        #[test]
        fn every_target_has_its_test() {
            assert_eq!(TARGETS.map(|(name, ..)| name).to_vec(), [$(stringify!($name)),*]);
        }
    };
}

targets!(image claims document shard import pytorch report drawing);
