//! What the system knows of the process, under the names that all exporters use.

use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use std::fs;

/// Has `registry` show it, as far as this system tells.
pub(super) fn register(registry: &mut Registry) {
    let Ok(stat) = fs::read_to_string("/proc/self/stat") else { return };
    // Behind the name of the program, which may have anything in it (proc_pid_stat(5)).
    let Some((_, fields)) = stat.rsplit_once(')') else { return };
    let fields: Vec<f64> =
        fields.split_whitespace().map(|field| field.parse().unwrap_or_default()).collect();
    // The third field is the first of these.
    let field = |number: usize| fields.get(number - 3).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a hundred or so")]
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let page = rustix::param::page_size() as f64;
    registry.register_with_unit(
        "process_cpu",
        "Processor time that was used",
        Unit::Seconds,
        ConstCounter::new((field(14) + field(15)) / ticks),
    );
    registry.register("process_threads", "Threads", ConstGauge::new(field(20)));
    if let Some(booted) = booted() {
        registry.register_with_unit(
            "process_start_time",
            "When it began, in seconds since 1970",
            Unit::Seconds,
            ConstGauge::new(booted + field(22) / ticks),
        );
    }
    registry.register_with_unit(
        "process_virtual_memory",
        "Memory that it may use",
        Unit::Bytes,
        ConstGauge::new(field(23)),
    );
    registry.register_with_unit(
        "process_resident_memory",
        "Memory that it uses, with the pages of the store that are mapped",
        Unit::Bytes,
        ConstGauge::new(field(24) * page),
    );
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        let open = i64::try_from(open.count()).unwrap_or(i64::MAX);
        registry.register("process_open_fds", "Open files and sockets", ConstGauge::new(open));
    }
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let limit = limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(i64::MAX);
    registry.register(
        "process_max_fds",
        "Files and sockets that may be open",
        ConstGauge::new(limit),
    );
}

/// When the system began, in seconds since 1970.
fn booted() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}
