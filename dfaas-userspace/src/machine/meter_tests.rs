use std::fs;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

const STAT: &str = "cpu  100 0 0 0 0 0 0\ncpu0 50 0 0 0 0 0 0\ncpu1 50 0 0 0 0 0 0\n";
const MEMINFO: &str = "MemTotal: 4000 kB\nMemAvailable: 3000 kB\n";

/// A machine with these files of cgroups.
struct Made(TempDir);

impl Made {
    fn new(cgroups: &[(&str, &str)]) -> Self {
        let made = Self(TempDir::new().unwrap());
        made.write("proc/stat", STAT);
        made.write("proc/meminfo", MEMINFO);
        cgroups.iter().for_each(|(file, text)| made.write(&format!("cgroup/{file}"), text));
        made
    }

    fn write(&self, file: &str, text: &str) {
        let file = self.0.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn read(&self, pattern: &str, functions: &[&str]) -> Reading {
        let name = |name: &&str| FunctionName {
            canonical: (*name).to_owned(),
            name: (*name).to_owned(),
            namespace: "openfaas-fn".to_owned(),
        };
        let functions: Vec<FunctionName> = functions.iter().map(name).collect();
        let folder = |name| self.0.path().join(name);
        let pattern = Some(Pattern::parse(pattern).unwrap());
        Machine::at(&folder("proc"), &folder("cgroup"), pattern).read(&functions)
    }
}

const V2: (&str, &str) = ("cgroup.controllers", "cpu memory\n");

#[test]
fn a_machine_without_limits_has_all_of_its_processors_and_memory() {
    let reading = Made::new(&[V2]).read("{function}", &[]);
    assert_eq!((reading.cores, reading.busy), (Some(2.0), Some(Duration::from_secs(1))));
    assert_eq!((reading.memory_free, reading.memory_total), (Some(3_072_000), Some(4_096_000)));
}

#[test]
fn a_node_in_a_container_has_what_its_cgroup_lets_it_have() {
    let cgroup = [
        V2,
        ("cpuset.cpus.effective", "0-1\n"),
        ("cpu.max", "150000 100000\n"),
        ("cpu.stat", "usage_usec 2500000\nuser_usec 1\n"),
        ("memory.max", "2048000\n"),
        ("memory.current", "1024000\n"),
        ("memory.stat", "anon 1\ninactive_file 24000\n"),
    ];
    let reading = Made::new(&cgroup).read("{function}", &[]);
    assert_eq!((reading.cores, reading.busy), (Some(1.5), Some(Duration::from_millis(2_500))));
    assert_eq!((reading.memory_free, reading.memory_total), (Some(1_048_000), Some(2_048_000)));
}

#[test]
fn the_older_hierarchy_tells_the_same() {
    let cgroup = [
        ("cpuset/cpuset.effective_cpus", "1\n"),
        ("cpu/cpu.cfs_quota_us", "-1\n"),
        ("cpu/cpu.cfs_period_us", "100000\n"),
        ("cpuacct/cpuacct.usage", "3000000000\n"),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ("memory/memory.usage_in_bytes", "5\n"),
        ("cpuacct/openfaas-fn/figlet/cpuacct.usage", "70000000\n"),
    ];
    let reading = Made::new(&cgroup).read("{namespace}/{function}", &["figlet", "env"]);
    assert_eq!((reading.cores, reading.busy), (Some(1.0), Some(Duration::from_secs(3))));
    assert_eq!(reading.memory_total, Some(4_096_000));
    assert_eq!(reading.functions, [("figlet".to_owned(), Duration::from_millis(70))].into());
}

#[test]
fn all_containers_of_a_function_are_counted_and_no_others() {
    let stat = "usage_usec 1000\n";
    let cgroup = [
        V2,
        ("system.slice/figlet-1.service/cpu.stat", stat),
        ("system.slice/figlet-2.service/cpu.stat", stat),
        ("system.slice/env-1.service/cpu.stat", "usage_usec 7\n"),
        ("system.slice/figlet-3.service/other", stat),
        ("system.slice/figlet-4.service/cpu.stat", "strange\n"),
    ];
    let made = Made::new(&cgroup);
    let reading = made.read("system.slice/{function}-*.service", &["figlet", "none", ".."]);
    assert_eq!(reading.functions, [("figlet".to_owned(), Duration::from_millis(2))].into());
}

#[test]
fn what_is_missing_or_strange_is_not_measured_and_nothing_fails() {
    let made = Made::new(&[V2]);
    for strange in ["", "cpu  x", "\u{0}"] {
        made.write("proc/stat", strange);
        made.write("proc/meminfo", strange);
        made.write("cgroup/cpu.max", strange);
        assert_eq!(made.read("{function}", &["figlet"]), Reading::default());
    }
    fs::remove_dir_all(made.0.path().join("proc")).unwrap();
    fs::remove_dir_all(made.0.path().join("cgroup")).unwrap();
    assert_eq!(made.read("{function}", &["figlet"]), Reading::default());
}

#[test]
fn the_machine_of_the_test_itself_is_measured() {
    let reading = Machine::new(None).read(&[]);
    assert!(reading.cores.is_some_and(|cores| cores > 0.0), "{reading:?}");
    assert!(reading.busy.is_some_and(|busy| busy > Duration::ZERO));
    assert!(reading.memory_free <= reading.memory_total && reading.memory_total.is_some());
}

#[test]
fn memory_of_a_function_is_that_of_all_its_cgroups() {
    let ocr = FunctionName {
        canonical: "ocr".to_owned(),
        name: "ocr".to_owned(),
        namespace: "openfaas-fn".to_owned(),
    };
    let of = |made: &Made, pattern: &str| {
        let folder = |name| made.0.path().join(name);
        let pattern = Some(Pattern::parse(pattern).unwrap());
        Machine::at(&folder("proc"), &folder("cgroup"), pattern).memory_of(&ocr)
    };
    let second = Made::new(&[
        V2,
        ("slice/ocr-1.service/memory.current", "1000\n"),
        ("slice/ocr-2.service/memory.current", "500\n"),
    ]);
    assert_eq!(of(&second, "slice/{function}-*.service"), Some(1500));
    assert_eq!(of(&second, "slice/{function}"), None);
    let first = Made::new(&[("memory/openfaas-fn/ocr/memory.usage_in_bytes", "700\n")]);
    assert_eq!(of(&first, "{namespace}/{function}"), Some(700));
}
