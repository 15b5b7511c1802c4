//! Reads this process and the machine, on every system that we run on.

use std::time::Duration;

use sysinfo::{MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::SystemReading;

/// Keeps what the next reading is compared with.
pub(crate) struct SystemReader {
    system: System,
    own: Pid,
    /// A share of the processor lies between two readings.
    has_read: bool,
}

impl SystemReader {
    /// `None` on a system that cannot be read.
    pub(crate) fn new() -> Option<Self> {
        let (system, own) = (System::new().ok()?, sysinfo::get_current_pid().ok()?);
        Some(Self { system, own, has_read: false })
    }

    /// One process and two totals: a handful of small files.
    pub(crate) fn read(&mut self) -> SystemReading {
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        let only = [self.own];
        self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&only), true, kind);
        self.system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        self.system.refresh_cpu_usage();
        let is_first = !std::mem::replace(&mut self.has_read, true);
        let process = self.system.process(self.own);
        let bytes = |count: u64| (count > 0).then_some(count);
        SystemReading {
            app_processor: process.map(|it| Duration::from_millis(it.accumulated_cpu_time())),
            app_memory_bytes: process.and_then(|it| bytes(it.memory())),
            machine_processor_percent: (!is_first)
                .then(|| f64::from(self.system.global_cpu_usage())),
            machine_memory_bytes: bytes(self.system.total_memory()),
            machine_memory_used_bytes: bytes(self.system.used_memory()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_and_machine_are_read() {
        let mut reader = SystemReader::new().expect("a system that can be read");
        assert_eq!(reader.read().machine_processor_percent, None, "nothing to compare with");
        let reading = reader.read();
        let memory = reading.app_memory_bytes.expect("memory");
        assert!((1_000_000..10_000_000_000).contains(&memory), "{memory}");
        assert!(reading.app_processor.is_some() && reading.machine_processor_percent.is_some());
        assert!(reading.machine_memory_used_bytes < reading.machine_memory_bytes);
    }
}
