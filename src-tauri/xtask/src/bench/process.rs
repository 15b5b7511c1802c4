//! Measured programs: they end when dropped, and are observed from outside through `/proc`.

use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Longest time for a program to end after SIGTERM.
const END_TIME_MAX: Duration = Duration::from_secs(5);

/// Clock ticks per second in `/proc/PID/stat`. Linux has reported 100 on all our architectures
/// since 2.6 (`man 5 proc`, `man 7 time`).
const TICKS_PER_SECOND: f64 = 100.0;

/// A started program, ended on drop.
pub(crate) struct MeasuredProcess {
    child: Child,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct MemoryUse {
    /// Resident megabytes, with shared pages counted in full.
    pub(crate) rss_mb: f64,
    /// Resident megabytes, with shared pages counted proportionally; `None` without permission: the
    /// program hides its memory from other users.
    pub(crate) pss_mb: Option<f64>,
    /// The peak of `rss_mb` since [`MeasuredProcess::reset_peak`].
    pub(crate) peak_mb: f64,
}

impl MeasuredProcess {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().with_context(|| format!("could not start {name}"))?;
        Ok(Self { child })
    }

    /// The child process, for its streams.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Reads the current memory use.
    pub(crate) fn memory(&self) -> Result<MemoryUse> {
        let status = self.read("status")?;
        let rollup = self.read("smaps_rollup");
        Ok(MemoryUse {
            rss_mb: parse_megabytes(&status, "VmRSS:")?,
            pss_mb: rollup.and_then(|text| parse_megabytes(&text, "Pss:")).ok(),
            peak_mb: parse_megabytes(&status, "VmHWM:")?,
        })
    }

    /// Resets the peak to the current use.
    pub(crate) fn reset_peak(&self) -> Result<()> {
        // 5 resets the peak (`man 5 proc`, clear_refs).
        let path = format!("/proc/{}/clear_refs", self.child.id());
        std::fs::write(&path, "5").with_context(|| format!("could not write {path}"))
    }

    /// Processor time used in user space and kernel, ended threads included.
    pub(crate) fn processor_seconds(&self) -> Result<f64> {
        let stat = self.read("stat")?;
        parse_cpu_ticks(&stat)
            .map(|ticks| ticks / TICKS_PER_SECOND)
            .context("/proc/PID/stat has changed")
    }

    /// Sends SIGTERM and waits. A program that does not end in time is killed.
    pub(crate) fn end(&mut self) -> Result<ExitStatus> {
        let pid = self.child.id().to_string();
        let _asked = Command::new("kill").args(["-TERM", &pid]).status();
        let deadline = Instant::now() + END_TIME_MAX;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        self.child.kill()?;
        Ok(self.child.wait()?)
    }

    fn read(&self, file: &str) -> Result<String> {
        let path = Path::new("/proc").join(self.child.id().to_string()).join(file);
        std::fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))
    }
}

impl Drop for MeasuredProcess {
    fn drop(&mut self) {
        // The program may have ended already, so ignore the error.
        drop(self.end());
    }
}

/// The load averages over one, five and fifteen minutes, as the kernel formats them.
pub(crate) fn load_averages() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn parse_megabytes(text: &str, name: &str) -> Result<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|rest| rest.trim().strip_suffix("kB")).map(str::trim);
    let kilobytes: f64 = kilobytes.with_context(|| format!("/proc says no {name}"))?.parse()?;
    Ok(kilobytes / 1024.0)
}

/// The sum of `utime` and `stime`. The program name before them may contain blanks and brackets.
fn parse_cpu_ticks(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::{parse_cpu_ticks, parse_megabytes};

    #[test]
    fn the_kernel_is_read_right() {
        let stat = "12 (a) b c) S 1 12 12 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 100 1 1 1";
        assert_eq!(parse_cpu_ticks(stat), Some(300.0));
        assert_eq!(parse_cpu_ticks("12 (a"), None);
        let status = "VmHWM:\t   40960 kB\nVmRSS:\t   20480 kB\n";
        assert_eq!(parse_megabytes(status, "VmRSS:").expect("a number"), 20.0);
        assert!(parse_megabytes(status, "Pss:").is_err());
    }
}
