//! Our kernels, on the GPU and on the CPU, against burn's operations: single layers of random shapes, on
//! random values.

use std::fs;

use aedr::{
    autoencoder::{
        Layer, Parameters,
        spec::{ChannelNormSpec, ConvSpec, GroupNormSpec, LayerSpec, NormSpec, PoolSpec},
    },
    engine::{
        cpu::Cpu,
        device::{ComputeDevice, MapPrecision},
        error_sums::ErrorSums,
        executor::{Executor, Meter},
        gpu::{Gpu, Stored},
        kernels::{Band, Kernels},
        operations::lower,
        plan::Plan,
    },
    image::orientation::Orientation,
    method::reconstruction::{Silent, Values, double_reconstruction},
    weights::Model,
};
use burn::tensor::{Device, Tensor, TensorData};
use pollster::block_on;
use proptest::prelude::*;

use crate::{
    common::{cpu, devices, gpu, load, reference, relative, repository},
    requirements::Requirement,
};

/// Largest error allowed, of the largest value.
const TOLERANCE: f32 = 2e-5;

/// Values in [-1, 1] that follow from `seed` alone.
pub fn values(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Parameters that follow from their names.
pub struct Named;

impl Parameters for Named {
    fn take<const D: usize>(&mut self, name: &str, shape: [usize; D], device: &Device) -> Tensor<D> {
        let seed = name.bytes().fold(7u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        Tensor::from_data(TensorData::new(values(seed, shape.iter().product()), shape), device)
    }
}

fn read(tensor: Tensor<4>) -> Vec<f32> {
    block_on(tensor.into_data_async()).unwrap().try_into_vec().unwrap()
}

fn with_plain_layers(layers: &[LayerSpec], input: &TensorData) -> Vec<f32> {
    let device = cpu().device;
    let start = Tensor::<4>::from_data(input.clone(), &device);
    let mut latent = None;
    read(layers.iter().fold(start, |x, spec| Layer::load(spec, &mut Named, &device).forward(x, &mut latent)))
}

/// Counts work and never ends it.
#[derive(Default)]
pub struct Counted(pub u64);

impl Meter for Counted {
    async fn spent(&mut self, multiply_adds: u64) -> aedr::Result<()> {
        self.0 += multiply_adds;
        Ok(())
    }
}

/// Runs layers by the kernels, by a plan for at most `memory` bytes.
pub fn run<K: Kernels>(
    kernels: K,
    layers: &[LayerSpec],
    device: &Device,
    input: &TensorData,
    memory: u64,
) -> (Vec<f32>, Plan, u64) {
    let mut work = Counted::default();
    let (values, plan) = run_metered(kernels, layers, device, input, memory, &mut work);
    (values, plan, work.0)
}

fn run_metered<K: Kernels>(
    kernels: K,
    layers: &[LayerSpec],
    device: &Device,
    input: &TensorData,
    memory: u64,
    meter: &mut impl Meter,
) -> (Vec<f32>, Plan) {
    let operations = lower(layers).expect("these layers can be lowered");
    let program = Executor::load(kernels, operations, &mut Named, device).unwrap();
    let [_, channels, height, width] = input.shape()[..] else { panic!("{input:?}") };
    let size = [channels, height, width];
    let plan = program.plan(size, memory).unwrap();
    let kernels = program.kernels();
    let mut map = program.allocate_input(size);
    kernels.write(&mut map, 0..height, input.as_slice::<f32>().unwrap()).unwrap();
    let result = block_on(program.run(&map, &plan, meter)).unwrap();
    (block_on(kernels.read(&result)).unwrap(), plan)
}

fn on_cpu(layers: &[LayerSpec], input: &TensorData) -> Vec<f32> {
    run(Cpu::new(u64::MAX), layers, &cpu().device, input, u64::MAX).0
}

fn on_gpu(layers: &[LayerSpec], input: &TensorData) -> Option<Vec<f32>> {
    let gpu = gpu()?;
    let kernels = Gpu::new(gpu.wgpu.as_ref()?, gpu.buffer_bytes, Stored::F32);
    Some(run(kernels, layers, &gpu.device, input, u64::MAX).0)
}

fn assert_same(layers: &[LayerSpec], [channels, height, width]: [usize; 3], offset: f32) {
    let input = values(1, channels * height * width).into_iter().map(|value| value + offset).collect();
    let input = TensorData::new::<f32, _>(input, [1, channels, height, width]);
    let expected = with_plain_layers(layers, &input);
    let largest = expected.iter().fold(1e-3f32, |largest, value| largest.max(value.abs()));
    for (device, found) in [("CPU", Some(on_cpu(layers, &input))), ("GPU", on_gpu(layers, &input))] {
        let Some(found) = found else { continue };
        assert_eq!(found.len(), expected.len(), "{device}: {layers:?}");
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let close = (found - expected).abs() <= TOLERANCE * largest;
            assert!(close, "{device}, value {index}: {found}, not {expected} (largest {largest}), {layers:?}");
        }
    }
}

pub fn norm(channels: usize, groups: usize) -> GroupNormSpec {
    GroupNormSpec { name: "norm".into(), channels, groups, epsilon: 1e-6 }
}

pub fn conv(kernel: usize, halving: Option<(usize, usize)>, input: usize, output: usize) -> ConvSpec {
    let same = ConvSpec::same("conv", input, output);
    match (kernel, halving) {
        (1, _) => ConvSpec::pointwise("conv", input, output),
        (_, Some(padding)) => ConvSpec { stride: 2, padding, ..same },
        _ => same,
    }
}

/// Channels that divide into groups.
fn grouped() -> impl Strategy<Value = (usize, usize)> {
    (1usize..9, 1usize..6).prop_map(|(groups, width)| (groups * width, groups))
}

fn layer_before() -> impl Strategy<Value = Vec<LayerSpec>> {
    prop_oneof![
        Just(vec![]),
        Just(vec![LayerSpec::UpsampleNearest]),
        Just(vec![LayerSpec::Affine { scale: 0.5, shift: 0.25 }]),
        Just(vec![LayerSpec::SoftClamp { limit: 3.0 }]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn convolutions(
        before in layer_before(), after in any::<bool>(),
        kernel in prop_oneof![Just(1usize), Just(3)],
        halving in prop_oneof![Just(None), Just(Some((0, 1))), Just(Some((1, 1)))],
        input in 1usize..24, output in 1usize..40, height in 2usize..40, width in 2usize..80,
    ) {
        let spec = conv(kernel, halving, input, output);
        let mut layers = before;
        layers.push(LayerSpec::Conv(ConvSpec { bias: after, ..spec }));
        if after {
            layers.push(LayerSpec::Relu);
        }
        assert_same(&layers, [input, height, width], 0.0);
    }

    #[test]
    fn normalisations((channels, groups) in grouped(), height in 1usize..70, width in 1usize..70, offset in -20f32..20.0) {
        let layers = [LayerSpec::NormSilu(norm(channels, groups).into()), LayerSpec::Conv(conv(1, None, channels, 5))];
        assert_same(&layers, [channels, height, width], offset);
    }

    #[test]
    fn residual_blocks((channels, groups) in grouped(), wider in any::<bool>(), height in 1usize..20, width in 1usize..40) {
        let output = if wider { 2 * channels } else { channels };
        let named = |spec: ConvSpec, name: &str| ConvSpec { name: name.into(), ..spec };
        let layers = [LayerSpec::Resnet {
            norm1: norm(channels, groups).into(),
            conv1: conv(3, None, channels, output),
            norm2: norm(output, groups).into(),
            conv2: named(conv(3, None, output, output), "second"),
            shortcut: wider.then(|| named(conv(1, None, channels, output), "shortcut")),
        }];
        assert_same(&layers, [channels, height, width], 0.0);
    }

    #[test]
    fn attention((channels, groups) in grouped(), height in 1usize..24, width in 1usize..24) {
        let layers = [LayerSpec::Attention { name: "attention".into(), norm: norm(channels, groups).into() }];
        assert_same(&layers, [channels, height, width], 0.0);
    }

    /// The latent has other channels than the maps, which are larger by a power of two.
    #[test]
    fn spatial_norms(
        (channels, groups) in grouped(), latent in 1usize..7, doublings in 0usize..3, wider in any::<bool>(),
        height in 1usize..9, width in 1usize..12,
    ) {
        let output = if wider { 2 * channels } else { channels };
        let named = |spec: ConvSpec, name: &str| ConvSpec { name: name.into(), ..spec };
        let spatial = |name: &str, channels| NormSpec::Spatial {
            norm: norm(channels, groups),
            scale: named(conv(1, None, latent, channels), &format!("{name}.scale")),
            shift: named(conv(1, None, latent, channels), &format!("{name}.shift")),
        };
        let mut layers = vec![LayerSpec::KeepLatent, LayerSpec::Conv(named(conv(1, None, latent, channels), "in"))];
        for doubling in 0..doublings {
            layers.push(LayerSpec::UpsampleNearest);
            layers.push(LayerSpec::Conv(named(conv(3, None, channels, channels), &format!("up{doubling}"))));
        }
        layers.push(LayerSpec::Resnet {
            norm1: spatial("first", channels),
            conv1: conv(3, None, channels, output),
            norm2: spatial("second", output),
            conv2: named(conv(3, None, output, output), "second"),
            shortcut: wider.then(|| named(conv(1, None, channels, output), "shortcut")),
        });
        layers.push(LayerSpec::Attention { name: "attention".into(), norm: spatial("third", output) });
        layers.push(LayerSpec::NormSilu(spatial("last", output)));
        layers.push(LayerSpec::Conv(named(conv(3, None, output, 3), "out")));
        assert_same(&layers, [latent, height, width], 0.0);
    }

    #[test]
    fn channel_norms(channels in 1usize..40, height in 1usize..20, width in 1usize..40, offset in -20f32..20.0) {
        let norm = || NormSpec::Channel(ChannelNormSpec { name: "norm".into(), channels });
        let layers = [
            LayerSpec::Attention { name: "attention".into(), norm: norm() },
            LayerSpec::NormSilu(norm()),
            LayerSpec::UpsampleNearest,
            LayerSpec::Conv(conv(3, None, channels, 5)),
        ];
        assert_same(&layers, [channels, height, width], offset);
        assert_same(&[LayerSpec::NormSilu(norm()), LayerSpec::Conv(conv(1, None, channels, 4))], [channels, height, width], offset);
    }

    #[test]
    fn codebooks(channels in 1usize..20, entries in 1usize..200, height in 1usize..20, width in 1usize..40) {
        let quantise = LayerSpec::Quantise { name: "codebook".into(), entries, channels };
        assert_same(std::slice::from_ref(&quantise), [channels, height, width], 0.0);
        assert_same(&[quantise, LayerSpec::Conv(conv(3, None, channels, 4))], [channels, height, width], 0.0);
    }

    #[test]
    fn tiny_blocks(width in 1usize..20, pooled in any::<bool>(), height in 1usize..20, columns in 1usize..40) {
        let pool = pooled.then(|| PoolSpec {
            widen: ConvSpec { name: "widen".into(), ..conv(1, None, width, 4 * width) },
            norm: norm(4 * width, 4),
            narrow: ConvSpec { name: "narrow".into(), ..conv(1, None, 4 * width, width) },
        });
        let convs = [1, 2, 3].map(|index| ConvSpec { name: index.to_string(), ..conv(3, None, width, width) });
        assert_same(&[LayerSpec::TinyBlock { convs, pool }], [width, height, columns], 0.0);
    }
}

const SAMPLES: [&str; 2] = ["dahlia.png", "cat.jpg"];

/// 96 × 64 pixels of one of the page's samples.
fn sample_crop(sample: &str) -> Values {
    let bytes = fs::read(repository("www/samples").join(sample)).unwrap();
    crop(&image::load_from_memory(&bytes).unwrap(), [128, 64, 96, 64])
}

fn crop(image: &image::DynamicImage, [x, y, width, height]: [u32; 4]) -> Values {
    let image = image.crop_imm(x, y, width, height).into_rgb8();
    let plane = |channel| image.pixels().map(move |pixel| f32::from(pixel[channel]) / 127.5 - 1.0);
    Values::new((0..3).flat_map(plane).collect(), [3, height as usize, width as usize]).unwrap()
}

/// The whole method: losses of the default model on the page's samples, by the kernels and by burn's
/// operations.
#[test]
fn losses_are_those_of_the_plain_layers() {
    let folder = repository("weights/aedr-small");
    let plain = load(&folder, ComputeDevice { kernels: false, ..cpu() });
    let models: Vec<Model> =
        devices().into_iter().map(|device| load(&folder, ComputeDevice { kernels: true, ..device })).collect();
    for sample in SAMPLES {
        let values = sample_crop(sample);
        let losses = |model| block_on(double_reconstruction(model, &values, &mut Silent)).unwrap();
        let expected = losses(&plain);
        for model in &models {
            let found = losses(model);
            let adapter = &model.device.adapter;
            assert!(relative(found.first, expected.first) < 1e-4, "{sample}, {adapter}: {found:?}, not {expected:?}");
            assert!(relative(found.second, expected.second) < 1e-4, "{sample}, {adapter}: {found:?}, not {expected:?}");
        }
    }
}

/// t of the reference images, 96 × 96 pixels of each, by the CPU's kernels and by burn's operations.
#[test]
fn signals_of_the_reference_images_are_those_of_the_plain_layers() {
    let Some(folder) = reference("images") else { return };
    let load = |kernels| load(&repository("weights/aedr-small"), ComputeDevice { kernels, ..cpu() });
    let models = [load(false), load(true)];
    let mut folders = vec![folder];
    let (mut count, mut largest) = (0, 0.0f64);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let Ok(image) = image::open(&path) else { continue };
            let values = crop(&image, [16, 16, 96, 96]);
            let [plain, ours] = models.each_ref().map(|model| {
                let losses = block_on(double_reconstruction(model, &values, &mut Silent)).unwrap();
                losses.first / losses.second
            });
            let change = relative(ours, plain);
            assert!(change < 1e-4, "{}: {ours}, not {plain}", path.display());
            (count, largest) = (count + 1, largest.max(change));
        }
    }
    println!("t of {count} reference images: largest change {largest:.1e}");
    assert!(count > 30, "{count} images");
}

/// Maps in f16 keep eleven bits of every value, where the adapter has them.
#[test]
fn losses_with_maps_in_f16_stay_near() {
    let Some(gpu) = gpu() else { return };
    if !gpu.has_f16 {
        return Requirement::F16.missing(&format!("{} has no f16", gpu.adapter));
    }
    let folder = repository("weights/aedr-small");
    let [exact, half] = [(MapPrecision::F32, Stored::F32), (MapPrecision::F16, Stored::F16)].map(|(maps, expected)| {
        let model = load(&folder, ComputeDevice { maps, ..gpu.clone() });
        assert_eq!(model.maps, expected);
        model
    });
    for sample in SAMPLES {
        let image = sample_crop(sample);
        let [exact, half] =
            [&exact, &half].map(|model| block_on(double_reconstruction(model, &image, &mut Silent)).unwrap());
        let change = relative(half.first / half.second, exact.first / exact.second);
        println!("{sample}: maps in f16 change t by {change:.1e}");
        assert!(change < 5e-3 && change > 0.0, "{half:?}, not {exact:?}");
    }
}

/// Against the definition, in f64: more values than one workgroup takes, and a last part of any length.
#[test]
fn squared_differences() {
    for size in [[3, 5, 7], [3, 96, 131], [4, 64, 64], [3, 1, 4097]] {
        let count = size.iter().product();
        let [a, b] = [1, 2].map(|seed| values(seed, count));
        let expected: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let kernels = |gpu: ComputeDevice| Gpu::new(gpu.wgpu.as_ref().unwrap(), u64::MAX, Stored::F32);
        let gpu = gpu().map(|gpu| squared_difference(kernels(gpu), size, [&a, &b]));
        for found in [Some(squared_difference(Cpu::new(u64::MAX), size, [&a, &b])), gpu].into_iter().flatten() {
            assert!(relative(found, expected) < 1e-6, "{size:?}: {found}, not {expected}");
        }
    }
}

fn squared_difference<K: Kernels>(kernels: K, size: [usize; 3], values: [&[f32]; 2]) -> f64 {
    let [a, b] = values.map(|values| written(&kernels, size, values));
    block_on(kernels.squared_difference(&a, &b)).unwrap()
}

/// The GPU's sums of the high-frequency error against the CPU's, of sides that are no multiples of a tile, in all orientations:
/// the CPU's are held against SciPy's by `method::orientation`.
#[test]
fn error_sums() {
    use Orientation::{Flipped, HalfTurn, Mirrored, QuarterTurn, ThreeQuarterTurn, Upright};
    let Some(gpu) = gpu() else { return };
    for (height, width) in [(16, 16), (40, 56), (72, 8), (8, 24), (4, 20)] {
        for orientation in [Upright, Mirrored, Flipped, HalfTurn, QuarterTurn, ThreeQuarterTurn] {
            let [rows, columns] = orientation.sides([height, width]);
            let size = [3, rows, columns];
            let [made, input] = [1, 2].map(|seed| values(seed, size.iter().product()));
            let expected = sums_of(Cpu::new(u64::MAX), size, [&made, &input], orientation);
            let kernels = Gpu::new(gpu.wgpu.as_ref().unwrap(), u64::MAX, Stored::F32);
            let found = sums_of(kernels, size, [&made, &input], orientation);
            let pairs = [(&found.tiles, &expected.tiles), (&found.cells, &expected.cells)];
            for (found, expected) in pairs {
                assert_eq!(found.len(), expected.len());
                for (found, expected) in found.iter().zip(expected) {
                    assert!(relative(*found, *expected) < 1e-4, "{size:?} {orientation:?}: {found}, not {expected}");
                }
            }
        }
    }
}

fn sums_of<K: Kernels>(kernels: K, size: [usize; 3], values: [&[f32]; 2], orientation: Orientation) -> ErrorSums {
    let [made, input] = values.map(|values| written(&kernels, size, values));
    block_on(kernels.error_sums(&made, &input, orientation)).unwrap()
}

/// A map that holds these values.
fn written<K: Kernels>(kernels: &K, size: [usize; 3], values: &[f32]) -> Band<K::Buffer> {
    let bytes = kernels.limits().end_bytes(size, size[1]);
    let mut map = Band::whole(kernels.allocate(bytes, true), size);
    kernels.write(&mut map, 0..size[1], values).unwrap();
    map
}

/// More positions than one chunk of statistics and one batch of attention scores hold.
#[test]
fn large_maps_are_divided() {
    let layers = [LayerSpec::Attention { name: "attention".into(), norm: norm(4, 2).into() }];
    assert_same(&layers, [4, 72, 64], 0.0);
    let layers = [LayerSpec::NormSilu(norm(6, 3).into()), LayerSpec::Conv(conv(3, None, 6, 3))];
    assert_same(&layers, [6, 130, 150], 5.0);
}

/// Counts launches of at most so much work.
struct Launches {
    most: u64,
    count: u32,
}

impl Meter for Launches {
    async fn spent(&mut self, _: u64) -> aedr::Result<()> {
        self.count += 1;
        Ok(())
    }

    fn launch_work(&self) -> u64 {
        self.most
    }
}

#[test]
fn launches_follow_the_meter_and_change_no_value() {
    let layers = [LayerSpec::Conv(conv(3, None, 5, 7))];
    let input = TensorData::new::<f32, _>(values(1, 5 * 70 * 33), [1, 5, 70, 33]);
    for device in devices() {
        let launches = |most| {
            let mut meter = Launches { most, count: 0 };
            let found = match &device.wgpu {
                Some(gpu) => {
                    let kernels = Gpu::new(gpu, device.buffer_bytes, Stored::F32);
                    run_metered(kernels, &layers, &device.device, &input, u64::MAX, &mut meter).0
                }
                None => run_metered(Cpu::new(u64::MAX), &layers, &device.device, &input, u64::MAX, &mut meter).0,
            };
            (found, meter.count)
        };
        // Sixteen rows at least: the last of the 70 are six.
        let (many, one) = (launches(1), launches(u64::MAX));
        assert_eq!((many.1, one.1), (5, 1), "{}", device.adapter);
        assert!(many.0 == one.0, "{}", device.adapter);
    }
}

#[test]
fn the_posterior_mean_and_a_last_affine_are_folded_into_the_convolution_before() {
    let layers = [LayerSpec::Conv(conv(3, None, 5, 12)), LayerSpec::PosteriorMean];
    assert_same(&layers, [5, 9, 17], 0.0);
    let layers = [LayerSpec::Conv(conv(3, None, 5, 3)), LayerSpec::Affine { scale: 2.0, shift: -1.0 }];
    assert_same(&layers, [5, 9, 17], 0.0);
}

#[test]
fn what_cannot_be_lowered_is_left_to_the_plain_layers() {
    assert!(lower(&[LayerSpec::UpsampleNearest]).is_none());
    assert!(lower(&[LayerSpec::UpsampleNearest, LayerSpec::PosteriorMean]).is_none());
    assert!(lower(&[LayerSpec::Relu]).is_none());
}
