//! Makes maps as they were when the kernel made them, whatever they hold.
//!
//! By the kernel's own calls, as types of keys and values do not matter here.

use std::os::fd::{AsFd as _, AsRawFd as _};

use aya::maps::{MapInfo, MapType};
use nix::libc;

/// Commands of the system call, from linux/bpf.h.
const DELETE: libc::c_int = 3;
const NEXT_KEY: libc::c_int = 4;
const LOOKUP_AND_DELETE: libc::c_int = 21;
const UPDATE_BATCH: libc::c_int = 26;

/// Flag of a map that programs only read: it holds their constants.
const CONSTANT: u32 = 1 << 7;

/// Arguments of the commands for one element.
#[repr(C)]
#[derive(Default)]
struct Element {
    map: u32,
    padding: u32,
    key: u64,
    /// A value, or the next key.
    value: u64,
    flags: u64,
}

/// Arguments of the commands for many.
#[repr(C)]
#[derive(Default)]
struct Batch {
    from: u64,
    to: u64,
    keys: u64,
    values: u64,
    count: u32,
    map: u32,
    element_flags: u64,
    flags: u64,
}

/// Whether the kernel did it.
fn bpf<T>(command: libc::c_int, arguments: &mut T) -> bool {
    // SAFETY: both argument types are laid out as `union bpf_attr` has them for the commands that they are used with,
    // and callers fill in addresses of buffers of the map's own sizes, which outlive the call.
    unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(arguments), size_of::<T>()) == 0 }
}

fn address(bytes: &mut [u8]) -> u64 {
    bytes.as_mut_ptr() as u64
}

/// Makes a map as new.
pub fn wipe(info: &MapInfo) {
    let name = info.name_as_str().unwrap_or("?");
    let kind = info.map_type().expect("a type");
    let fd = info.fd().expect("a map that programs use");
    let map = fd.as_fd().as_raw_fd() as u32;
    match kind {
        // The steps stay, and the log is read by nobody.
        MapType::ProgramArray | MapType::RingBuf | MapType::PerfEventArray => {}
        MapType::Array if info.map_flags() & CONSTANT != 0 => {}
        MapType::Array | MapType::PerCpuArray => {
            assert!(!name.starts_with(".data"), "{name} begins with values that are not zero");
            zero(info, map, kind == MapType::PerCpuArray);
        }
        MapType::Hash | MapType::LruHash | MapType::PerCpuHash | MapType::LpmTrie => empty(info, map),
        MapType::Queue => {
            let mut value = vec![0; info.value_size() as usize];
            let mut taken = Element { map, value: address(&mut value), ..Element::default() };
            while bpf(LOOKUP_AND_DELETE, &mut taken) {}
        }
        kind => panic!("{name} is a {kind:?}: say here how it is made as new"),
    }
}

/// Removes all elements of a hash.
fn empty(info: &MapInfo, map: u32) {
    let mut key = vec![0; info.key_size() as usize];
    loop {
        // Without a key the next one is the first.
        let mut next = Element { map, value: address(&mut key), ..Element::default() };
        if !bpf(NEXT_KEY, &mut next) {
            return;
        }
        let mut gone = Element { map, key: address(&mut key), ..Element::default() };
        assert!(bpf(DELETE, &mut gone), "emptying {:?}", info.name_as_str());
    }
}

/// Writes zeros over all elements of an array.
fn zero(info: &MapInfo, map: u32, per_cpu: bool) {
    let count = info.max_entries();
    let size = info.value_size() as usize;
    let cpus = aya::util::nr_cpus().expect("the number of CPUs");
    let size = if per_cpu { size.next_multiple_of(8) * cpus } else { size };
    let mut keys: Vec<u8> = (0..count).flat_map(u32::to_ne_bytes).collect();
    let mut values = vec![0; size * count as usize];
    let (keys, values) = (address(&mut keys), address(&mut values));
    let mut batch = Batch { keys, values, count, map, ..Batch::default() };
    assert!(bpf(UPDATE_BATCH, &mut batch), "zeroing {:?}", info.name_as_str());
}
