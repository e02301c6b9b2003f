//! A flood of frames that costs its sender next to nothing: a program writes each anew, and the kernel sends it as the
//! frame of a driver, without making a packet of it (`BPF_F_TEST_XDP_LIVE_FRAMES`).

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use nix::libc;

/// Commands of the system call, from linux/bpf.h.
const LOAD: libc::c_int = 5;
const TEST_RUN: libc::c_int = 10;
/// `BPF_PROG_TYPE_XDP`.
const XDP: u32 = 6;
/// `BPF_F_TEST_XDP_LIVE_FRAMES`.
const LIVE_FRAMES: u32 = 1 << 1;
/// Helpers by number.
const RANDOM: i32 = 7;
const REDIRECT: i32 = 23;
/// Frames that are sent together.
const BATCH: u32 = 64;

/// Arguments for loading a program, without those at the end that stay zero.
#[repr(C)]
struct Load {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
}

/// Arguments for running a program.
#[repr(C)]
#[derive(Default)]
struct Run {
    program: u32,
    verdict: u32,
    size_in: u32,
    size_out: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration: u32,
    context_size_in: u32,
    context_size_out: u32,
    context_in: u64,
    context_out: u64,
    flags: u32,
    cpu: u32,
    batch: u32,
    padding: u32,
}

/// `struct bpf_insn`, by its fields in one number.
fn instruction(code: u8, to: u8, from: u8, offset: i16, value: i32) -> u64 {
    let registers = u64::from(to | from << 4);
    let offset = u64::from(offset.cast_unsigned());
    u64::from(code) | registers << 8 | offset << 16 | u64::from(value.cast_unsigned()) << 32
}

/// Writes the frame, puts a random number into the 16 bits at `port`, and sends it out of an interface.
fn program(frame: &[u8], port: usize, interface: u32) -> Vec<u64> {
    let (load, add, copy, put, call, exit) = (0x61, 0x07, 0xbf, 0xb7, 0x85, 0x95);
    let (store_word, store_byte, store_half_of, jump_if_greater) = (0x62, 0x72, 0x6b, 0x2d);
    let length = frame.len() as i32;
    let mut code = vec![
        instruction(load, 6, 1, 0, 0),            // r6: data
        instruction(load, 7, 1, 4, 0),            // r7: its end
        instruction(call, 0, 0, 0, RANDOM),       // r0: a random number
        instruction(copy, 8, 6, 0, 0),            // r8: data and
        instruction(add, 8, 0, 0, length),        // a frame more
        instruction(jump_if_greater, 8, 7, 0, 0), // past the end: leave; filled in below
    ];
    let check = code.len() - 1;
    let (words, rest) = frame.as_chunks::<4>();
    for (at, word) in words.iter().enumerate() {
        code.push(instruction(store_word, 6, 0, 4 * at as i16, i32::from_ne_bytes(*word)));
    }
    for (at, byte) in rest.iter().enumerate() {
        code.push(instruction(store_byte, 6, 0, (4 * words.len() + at) as i16, i32::from(*byte)));
    }
    code.push(instruction(store_half_of, 6, 0, port as i16, 0));
    code.push(instruction(put, 1, 0, 0, interface.cast_signed()));
    code.push(instruction(put, 2, 0, 0, 0));
    code.push(instruction(call, 0, 0, 0, REDIRECT));
    code.push(instruction(exit, 0, 0, 0, 0));
    // Whoever leaves early drops: `XDP_DROP`.
    code[check] = instruction(jump_if_greater, 8, 7, (code.len() - check - 1) as i16, 0);
    code.push(instruction(put, 0, 0, 0, 1));
    code.push(instruction(exit, 0, 0, 0, 0));
    code
}

fn bpf<T>(command: libc::c_int, arguments: &mut T) -> io::Result<i32> {
    // SAFETY: both argument types are laid out as `union bpf_attr` has them for their commands, and callers fill in
    // addresses of buffers that outlive the call.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(arguments), size_of::<T>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as i32) }
}

/// Sends one frame out of an interface again and again.
pub struct Sender {
    program: OwnedFd,
    frame: Vec<u8>,
}

impl Sender {
    /// The 16 bits at `port` of the frame are random each time.
    pub fn new(frame: Vec<u8>, port: usize, interface: u32) -> io::Result<Self> {
        let code = program(&frame, port, interface);
        let (mut log, license) = (vec![0u8; 65_536], c"GPL");
        let mut load = Load {
            kind: XDP,
            count: code.len() as u32,
            instructions: code.as_ptr() as u64,
            license: license.as_ptr() as u64,
            log_level: 1,
            log_size: log.len() as u32,
            log: log.as_mut_ptr() as u64,
        };
        let program = bpf(LOAD, &mut load)
            .map_err(|e| io::Error::other(format!("{e}: {}", String::from_utf8_lossy(&log))))?;
        // SAFETY: a descriptor that the kernel has just given to us alone.
        Ok(Self { program: unsafe { OwnedFd::from_raw_fd(program) }, frame })
    }

    /// Sends so many frames, from the network namespace of the calling thread; returns when the last one is sent.
    pub fn send(&self, count: u32) -> io::Result<()> {
        let mut run = Run {
            program: self.program.as_raw_fd().cast_unsigned(),
            size_in: self.frame.len() as u32,
            data_in: self.frame.as_ptr() as u64,
            repeat: count,
            flags: LIVE_FRAMES,
            batch: BATCH,
            ..Run::default()
        };
        bpf(TEST_RUN, &mut run).map(drop)
    }
}
