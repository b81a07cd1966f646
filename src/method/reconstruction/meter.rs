//! The progress of a computation, and whether it continues.

use web_time::{Duration, Instant};

use crate::{
    Error, Result,
    engine::{
        device::ComputeDevice,
        executor::{self, LAUNCH_WORK},
    },
};

/// What is being computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Decode,
    Search,
    EncodeFirst,
    DecodeFirst,
    EncodeSecond,
    DecodeSecond,
    Losses,
    /// Of the image, turned or mirrored.
    EncodeOriented,
    DecodeOriented,
}

impl Stage {
    /// A stable name.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Decode => "decode",
            Stage::Search => "search",
            Stage::EncodeFirst => "encode_first",
            Stage::DecodeFirst => "decode_first",
            Stage::EncodeSecond => "encode_second",
            Stage::DecodeSecond => "decode_second",
            Stage::Losses => "losses",
            Stage::EncodeOriented => "encode_oriented",
            Stage::DecodeOriented => "decode_oriented",
        }
    }
}

/// Receives the progress of a computation, and decides whether it continues.
pub trait Progress {
    /// `fraction` of the whole is done, 0 to 1. Returning false cancels with [`Error::Cancelled`].
    fn report(&mut self, fraction: f64, stage: Stage) -> impl Future<Output = bool>;
}

/// No reports, never cancelled.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    async fn report(&mut self, _: f64, _: Stage) -> bool {
        true
    }
}

/// Time between two reports: often enough for progress to be smooth and a cancel to take effect at once,
/// rarely enough that a GPU does not idle while it is waited for.
const INTERVAL: Duration = Duration::from_millis(100);
/// Multiply-adds before the first report, and the fewest ever.
const FIRST_WORK: u64 = LAUNCH_WORK;
/// How long a launch may take. Fewer and larger launches keep a fast GPU busy: while the last workgroups of a launch
/// run, most of it idles.
const LAUNCH_SECONDS: f64 = 0.01;

/// Counts work, waits for the device now and then, and reports.
pub struct Meter<'a, P> {
    device: &'a ComputeDevice,
    progress: &'a mut P,
    stage: Stage,
    total: u64,
    done: u64,
    /// Work since the last wait for the device, the time of that wait, and the work after which to wait again.
    unwaited: u64,
    waited: Instant,
    interval: u64,
    launch: u64,
}

impl<'a, P: Progress> Meter<'a, P> {
    /// `total` multiply-adds are to be done.
    pub fn new(device: &'a ComputeDevice, progress: &'a mut P, total: u64) -> Self {
        let stage = Stage::EncodeFirst;
        let waited = Instant::now();
        Meter {
            device,
            progress,
            stage,
            total,
            done: 0,
            unwaited: 0,
            waited,
            interval: FIRST_WORK,
            launch: LAUNCH_WORK,
        }
    }

    /// Begins a stage.
    pub async fn enter(&mut self, stage: Stage) -> Result<()> {
        self.stage = stage;
        self.report().await
    }

    async fn report(&mut self) -> Result<()> {
        let fraction = (self.done as f64 / self.total.max(1) as f64).min(1.0);
        if self.progress.report(fraction, self.stage).await { Ok(()) } else { Err(Error::Cancelled) }
    }
}

impl<P: Progress> executor::Meter for Meter<'_, P> {
    async fn spent(&mut self, multiply_adds: u64) -> Result<()> {
        self.done = self.done.saturating_add(multiply_adds);
        self.unwaited = self.unwaited.saturating_add(multiply_adds);
        if self.unwaited < self.interval {
            return Ok(());
        }
        self.device.wait().await?;
        let took = self.waited.elapsed();
        let seconds = took.as_secs_f64().max(1e-6);
        let factor = (INTERVAL.as_secs_f64() / seconds).clamp(0.5, 2.0);
        self.interval = ((self.unwaited as f64 * factor) as u64).max(FIRST_WORK);
        self.launch = ((self.unwaited as f64 / seconds * LAUNCH_SECONDS) as u64).max(LAUNCH_WORK);
        self.unwaited = 0;
        self.report().await?;
        self.waited = Instant::now();
        Ok(())
    }

    fn launch_work(&self) -> u64 {
        self.launch
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use pollster::block_on;

    use super::*;
    use crate::engine::{device::DevicePreference, executor::Meter as _};

    #[test]
    fn launches_grow_with_the_speed_and_never_below_what_a_slow_device_takes() {
        let device = block_on(ComputeDevice::open(DevicePreference::Cpu)).unwrap();
        let mut silent = Silent;
        let mut meter = Meter::new(&device, &mut silent, u64::MAX);
        assert_eq!(meter.launch_work(), LAUNCH_WORK);
        // No time has passed: the device appears arbitrarily fast.
        block_on(meter.spent(FIRST_WORK)).unwrap();
        assert!(meter.launch_work() > 8 * LAUNCH_WORK);
        // The next wait comes after at most twice the work, which now takes far longer than a launch may.
        sleep(4 * INTERVAL);
        block_on(meter.spent(2 * FIRST_WORK)).unwrap();
        assert_eq!(meter.launch_work(), LAUNCH_WORK);
    }
}
