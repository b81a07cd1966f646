//! TIFF files: what their first directory says of the pixels, and the pixels of those whose strips or tiles are JPEG
//! streams (Adobe's Photoshop TIFF technical note 2), decoded by libjpeg's arithmetic as those of a JPEG file.

use std::io::Cursor;

use ::image::{RgbImage, metadata::Orientation};
use libjpeg_turbo_rs::{ColorSpace, DecodeLimits, Decoder, JpegError, PixelFormat};
use tiff::{
    TiffResult,
    decoder::Decoder as TiffDecoder,
    tags::{CompressionMethod, PhotometricInterpretation, PlanarConfiguration, Tag},
};

use super::{
    jpeg::{JpegSegments, unusual_jpeg},
    limits::{DECODING_BYTES, DECODING_BYTES_PER_PIXEL, DecodeOptions, JPEG_SCANS, check_size, unsupported},
};
use crate::{Error, Result};

/// What the first directory of a TIFF says.
#[derive(Debug)]
pub(crate) struct Directory {
    pub method: CompressionMethod,
    pub photometric: PhotometricInterpretation,
    /// Of each channel.
    pub bits: u16,
    samples: u16,
    planar: PlanarConfiguration,
    width: u32,
    height: u32,
    orientation: Orientation,
    /// An abbreviated stream with tables for all chunks.
    tables: Vec<u8>,
    chunks: Vec<Chunk>,
}

/// The most bytes of tables for all chunks: more than twice what four tables of each kind take.
const MOST_TABLES: usize = 8 << 10;

/// A strip or a tile.
#[derive(Debug)]
struct Chunk {
    /// Where its bytes are in the file.
    start: u64,
    length: u64,
    /// Where its pixels are in the image, and how many of them belong to it.
    left: u32,
    top: u32,
    width: u32,
    height: u32,
    /// Pixels of its stream, including those beyond the image's edges.
    stored: [u32; 2],
}

impl Directory {
    /// `None` for a file that is no TIFF, or is damaged.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        Self::parse(bytes).ok()
    }

    fn parse(bytes: &[u8]) -> TiffResult<Self> {
        let mut file = TiffDecoder::new(Cursor::new(bytes))?;
        let (width, height) = file.dimensions()?;
        let number = |file: &mut TiffDecoder<_>, tag, default: u16| -> TiffResult<u16> {
            Ok(file.find_tag_unsigned_vec::<u16>(tag)?.and_then(|values| values.first().copied()).unwrap_or(default))
        };
        let method = CompressionMethod::from_u16_exhaustive(number(&mut file, Tag::Compression, 1)?);
        // The decoder has already refused values that it does not know.
        let photometric = number(&mut file, Tag::PhotometricInterpretation, 0)?;
        let photometric = PhotometricInterpretation::from_u16(photometric).unwrap_or(PhotometricInterpretation::CIELab);
        let planar = PlanarConfiguration::from_u16(number(&mut file, Tag::PlanarConfiguration, 1)?);
        let orientation = Orientation::from_exif(number(&mut file, Tag::Orientation, 1)?.min(255) as u8);
        let (bits, samples) = (number(&mut file, Tag::BitsPerSample, 1)?, number(&mut file, Tag::SamplesPerPixel, 1)?);
        let (mut tables, mut chunks) = (Vec::new(), Vec::new());
        if method == CompressionMethod::ModernJPEG {
            if file.find_tag(Tag::JPEGTables)?.is_some() {
                tables = file.get_tag_u8_vec(Tag::JPEGTables)?;
            }
            chunks = Self::chunks(&mut file, width)?;
        }
        Ok(Directory {
            method,
            photometric,
            bits,
            samples,
            planar: planar.unwrap_or(PlanarConfiguration::Chunky),
            width,
            height,
            orientation: orientation.unwrap_or(Orientation::NoTransforms),
            tables,
            chunks,
        })
    }

    fn chunks(file: &mut TiffDecoder<Cursor<&[u8]>>, width: u32) -> TiffResult<Vec<Chunk>> {
        let tiled = file.find_tag(Tag::TileOffsets)?.is_some();
        let (offsets, counts) =
            if tiled { (Tag::TileOffsets, Tag::TileByteCounts) } else { (Tag::StripOffsets, Tag::StripByteCounts) };
        let (starts, lengths) = (file.get_tag_u64_vec(offsets)?, file.get_tag_u64_vec(counts)?);
        let (chunk_width, chunk_height) = file.chunk_dimensions();
        let across = width.div_ceil(chunk_width.max(1)).max(1);
        let chunks = (0u32..).zip(starts.into_iter().zip(lengths)).map(|(index, (start, length))| {
            let (column, row) = (index.checked_rem(across).unwrap_or(0), index.checked_div(across).unwrap_or(0));
            let (width, height) = file.chunk_data_dimensions(index);
            let (left, top) = (column.saturating_mul(chunk_width), row.saturating_mul(chunk_height));
            // A last strip may be stored with as many rows as the others.
            let stored = [chunk_width, chunk_height];
            Chunk { start, length, left, top, width, height, stored }
        });
        Ok(chunks.collect())
    }

    pub fn is_jpeg(&self) -> bool {
        self.method == CompressionMethod::ModernJPEG
    }

    /// Whether the colours are printing inks, which `image` converts.
    pub fn has_inks(&self) -> bool {
        self.photometric == PhotometricInterpretation::CMYK
    }

    pub fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// Refuses chunks that together are longer than the file: in a hostile file each of them may be all of it.
    fn check_lengths(&self, bytes: &[u8]) -> Result<()> {
        let lengths = self.chunks.iter().fold(0u64, |sum, chunk| sum.saturating_add(chunk.length));
        if lengths > bytes.len() as u64 {
            return Err(damaged("its strips or tiles are longer than the file"));
        }
        if self.tables.len() > MOST_TABLES { Err(unusual()) } else { Ok(()) }
    }

    /// Every strip or tile as a JPEG file of its own, as far as the file is whole.
    pub fn streams<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = Vec<u8>> + 'a {
        let chunks = if self.check_lengths(bytes).is_ok() { self.chunks.as_slice() } else { &[] };
        chunks.iter().map_while(|chunk| self.stream(chunk, bytes))
    }

    /// The tables for all chunks, then the chunk's own stream, with a marker for the colours that the directory states.
    fn stream(&self, chunk: &Chunk, bytes: &[u8]) -> Option<Vec<u8>> {
        let start = usize::try_from(chunk.start).ok()?;
        let data = bytes.get(start..start.checked_add(usize::try_from(chunk.length).ok()?)?)?;
        let converted = self.photometric == PhotometricInterpretation::YCbCr;
        let mut stream = [&b"\xff\xd8\xff\xee\0\x0eAdobe\0\x64\0\0\0\0"[..], &[u8::from(converted)]].concat();
        append_segments(&mut stream, self.tables.get(2..).unwrap_or_default());
        let rest = append_segments(&mut stream, data.get(2..)?);
        stream.extend(rest);
        Some(stream)
    }

    /// The pixels of a TIFF whose chunks are JPEG streams of grey, RGB or YCbCr.
    ///
    /// # Errors
    /// [`Error::UnsupportedImage`], [`Error::ImageTooLarge`], [`Error::ImageTruncated`].
    pub fn decode(&self, bytes: &[u8], options: &DecodeOptions) -> Result<RgbImage> {
        use PhotometricInterpretation as Colours;
        check_size(self.width, self.height, options)?;
        let space = match (self.photometric, self.samples) {
            _ if self.planar != PlanarConfiguration::Chunky => None,
            _ if self.bits != 8 => None,
            (Colours::BlackIsZero, 1) => Some(ColorSpace::Grayscale),
            (Colours::RGB, 3) => Some(ColorSpace::Rgb),
            (Colours::YCbCr, 3) => Some(ColorSpace::YCbCr),
            _ => None,
        };
        let space = space.ok_or_else(unusual)?;
        self.check_lengths(bytes)?;
        let mut picture = RgbImage::new(self.width, self.height);
        for chunk in &self.chunks {
            let short = || damaged("a strip or tile lies beyond the end of the file");
            let stream = self.stream(chunk, bytes).ok_or_else(short)?;
            if stream.get(2..).and_then(unusual_jpeg).is_some() {
                return Err(unusual());
            }
            let (columns, rgb) = self.decode_chunk(chunk, &stream, space)?;
            copy(&rgb, columns, chunk, &mut picture);
        }
        Ok(picture)
    }

    /// Columns of the chunk, and its pixels.
    fn decode_chunk(&self, chunk: &Chunk, stream: &[u8], space: ColorSpace) -> Result<(usize, Vec<u8>)> {
        // No more than is allowed for the whole image: tiles may reach far beyond its edges.
        let spare = DECODING_BYTES.checked_div(DECODING_BYTES_PER_PIXEL).unwrap_or(0);
        let max_pixels = u64::from(self.width).saturating_mul(self.height.into()).saturating_add(spare);
        let limits = DecodeLimits { max_pixels, max_scans: JPEG_SCANS, ..DecodeLimits::default() };
        let failed = |error: JpegError| damaged(&error.to_string());
        let mut decoder = Decoder::new_with_limits(stream, limits).map_err(failed)?;
        let (columns, rows) = (decoder.header().width(), decoder.header().height());
        let fits = |found: usize, least: u32, most: u32| (least as usize..=most.max(least) as usize).contains(&found);
        let [most_columns, most_rows] = chunk.stored;
        if !fits(columns, most_columns, most_columns) || !fits(rows, chunk.height, most_rows) {
            return Err(damaged("a strip or tile has another size than the file says"));
        }
        if decoder.jpeg_color_space() != space {
            return Err(damaged("a strip or tile has other colours than the file says"));
        }
        decoder.set_output_format(PixelFormat::Rgb);
        let image = decoder.decode_image().map_err(|error| match error {
            JpegError::Unsupported(_) => unusual(),
            error => failed(error),
        })?;
        Ok((columns, image.data))
    }
}

fn unusual() -> Error {
    unsupported("a TIFF with JPEG compression of an unusual kind".into())
}

fn damaged(detail: &str) -> Error {
    Error::ImageTruncated { detail: detail.into() }
}

/// Appends a JPEG's segments up to its first scan, except those that state its colours; gives what follows.
fn append_segments<'a>(stream: &mut Vec<u8>, segments: &'a [u8]) -> &'a [u8] {
    const APPLICATION_JFIF: u8 = 0xe0;
    const APPLICATION_ADOBE: u8 = 0xee;
    const END: u8 = 0xd9;
    let mut segments = JpegSegments(segments);
    loop {
        let rest = segments.0;
        match segments.next() {
            Some((APPLICATION_JFIF | APPLICATION_ADOBE, _)) => {}
            Some((END, _)) | None => return rest,
            Some(_) => {
                let length = rest.len().saturating_sub(segments.0.len());
                stream.extend(rest.get(..length).unwrap_or_default());
            }
        }
    }
}

/// Copies those of a chunk's pixels that belong to the image.
fn copy(rgb: &[u8], columns: usize, chunk: &Chunk, picture: &mut RgbImage) {
    let row_values = (picture.width() as usize).saturating_mul(3).max(1);
    let first = (chunk.left as usize).saturating_mul(3);
    let length = (chunk.width as usize).saturating_mul(3);
    let rows = picture.chunks_exact_mut(row_values).skip(chunk.top as usize).take(chunk.height as usize);
    for (row, values) in rows.zip(rgb.chunks_exact(columns.saturating_mul(3).max(1))) {
        let target = row.get_mut(first..).unwrap_or_default().iter_mut().take(length);
        target.zip(values).for_each(|(target, value)| *target = *value);
    }
}
