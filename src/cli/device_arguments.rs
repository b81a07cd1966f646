//! Arguments that several commands have: which device computes, and how.

use aedr::{
    engine::device::{DevicePreference, MapPrecision},
    image::orientation::Orientation,
};
use clap::ValueEnum;

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DeviceArgument {
    /// A GPU if there is a real one, else the CPU.
    Auto,
    Gpu,
    Cpu,
}

impl From<DeviceArgument> for DevicePreference {
    fn from(device: DeviceArgument) -> Self {
        match device {
            DeviceArgument::Auto => DevicePreference::Auto,
            DeviceArgument::Gpu => DevicePreference::Gpu,
            DeviceArgument::Cpu => DevicePreference::Cpu,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum MapArgument {
    Auto,
    F32,
    F16,
}

impl From<MapArgument> for MapPrecision {
    fn from(maps: MapArgument) -> Self {
        match maps {
            MapArgument::Auto => MapPrecision::Auto,
            MapArgument::F32 => MapPrecision::F32,
            MapArgument::F16 => MapPrecision::F16,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum EngineArgument {
    Auto,
    Kernels,
    Burn,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum OrientationArgument {
    Mirrored,
    Flipped,
    HalfTurn,
    QuarterTurn,
    ThreeQuarterTurn,
}

impl From<OrientationArgument> for Orientation {
    fn from(orientation: OrientationArgument) -> Self {
        match orientation {
            OrientationArgument::Mirrored => Orientation::Mirrored,
            OrientationArgument::Flipped => Orientation::Flipped,
            OrientationArgument::HalfTurn => Orientation::HalfTurn,
            OrientationArgument::QuarterTurn => Orientation::QuarterTurn,
            OrientationArgument::ThreeQuarterTurn => Orientation::ThreeQuarterTurn,
        }
    }
}
