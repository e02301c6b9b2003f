//! The relay at work: one thread between the TAP devices.

use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use super::delays::Delays;
use super::forwarding::{Forwarding, Way};
use super::held::Held;
use super::tap::Tap;
use crate::ip::ip;
use crate::lab::Lab;
use crate::registry;

/// Most frames on their way at one time: some 25 MB of full ones, a tenth of a second of 2 Gb/s.
const MOST: usize = 16_384;

/// Frames that are read of one device before the others have their turn.
const TURN: usize = 64;

/// What a relay has carried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Carried {
    /// Frames handed over.
    pub frames: u64,
    /// Frames lost because too many were on their way, or a node did not take them.
    pub lost: u64,
    /// Bytes of the longest frame.
    pub longest: usize,
    /// The most by which the relay itself was late.
    pub late: Duration,
}

/// A running relay between the nodes of a lab. It ends when it is dropped, and its devices go then; the nodes stay apart.
#[derive(Debug)]
pub struct Relay {
    thread: Option<JoinHandle<Result<Carried>>>,
    /// When this is dropped the thread ends.
    running: Option<UnixStream>,
}

impl Relay {
    /// Takes the cables of all nodes from the lab's switch and carries their frames itself.
    ///
    /// # Errors
    /// If the delays are not those of the lab's nodes, or a device cannot be made.
    pub fn start(lab: &Lab, delays: Delays) -> Result<Self> {
        ensure!(
            delays.nodes() == usize::from(lab.nodes()),
            "delays between {} nodes for a lab of {}",
            delays.nodes(),
            lab.nodes()
        );
        let taps = (1..=lab.nodes()).map(|index| plug(lab, index)).collect::<Result<Vec<Tap>>>()?;
        let (running, ends) = UnixStream::pair().context("cannot make a socket pair")?;
        let thread = std::thread::Builder::new()
            .name("relay".to_owned())
            .spawn(move || carry(taps, &delays, &ends))
            .context("cannot start the relay")?;
        Ok(Self { thread: Some(thread), running: Some(running) })
    }

    /// An error if it has ended by itself.
    pub fn check(&self) -> Result<()> {
        let ended = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        ensure!(!ended, "the relay between the nodes has ended");
        Ok(())
    }

    /// Ends it; what it has carried.
    ///
    /// # Errors
    /// What it failed with, if it did.
    pub fn finish(mut self) -> Result<Carried> {
        self.end()
    }

    fn end(&mut self) -> Result<Carried> {
        self.running = None;
        let Some(thread) = self.thread.take() else { return Ok(Carried::default()) };
        thread.join().map_err(|_| anyhow!("the relay panicked"))?
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("lab: the relay between the nodes: {error:#}");
        }
    }
}

/// Joins the cable of a node to a TAP device by a bridge of their own.
fn plug(lab: &Lab, index: u8) -> Result<Tap> {
    let _making = registry::enter();
    let switch = lab.switch();
    let (bridge, tap) = (format!("way{index}"), format!("tap{index}"));
    let device = switch.run(|| Tap::new(&tap))??;
    for words in [
        format!("link add name {bridge} type bridge forward_delay 0"),
        format!("link set dev {bridge} up"),
        format!("link set dev {tap} master {bridge} up"),
        format!("link set dev node{index} master {bridge}"),
    ] {
        ip(&format!("-n {} {words}", switch.name()))?;
    }
    Ok(device)
}

/// Carries frames until the other end of `ends` is closed.
fn carry(mut taps: Vec<Tap>, delays: &Delays, ends: &UnixStream) -> Result<Carried> {
    let begun = Instant::now();
    let (mut held, mut forwarding, mut carried) =
        (Held::new(MOST), Forwarding::default(), Carried::default());
    loop {
        while let Some(arrived) = held.give(begun.elapsed()) {
            carried.late = carried.late.max(begun.elapsed().saturating_sub(arrived.due));
            let taken = taps[arrived.port].write(&arrived.frame);
            *(if taken { &mut carried.frames } else { &mut carried.lost }) += 1;
        }
        let pause = held.next().map(|due| TimeSpec::from(due.saturating_sub(begun.elapsed())));
        let waiting = taps.iter().map(|tap| tap.as_fd()).chain([ends.as_fd()]);
        let mut waiting: Vec<_> = waiting.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        match ppoll(&mut waiting, pause, None) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error).context("cannot wait for frames"),
        }
        let ready: Vec<bool> = waiting.iter().map(|fd| fd.any().unwrap_or(true)).collect();
        if ready[taps.len()] {
            return Ok(carried);
        }
        let ports = taps.len();
        for (from, tap) in taps.iter_mut().enumerate().filter(|(from, _)| ready[*from]) {
            for _ in 0..TURN {
                let Some(frame) = tap.read()? else { break };
                carried.longest = carried.longest.max(frame.len());
                let now = begun.elapsed();
                let to = match forwarding.way(from, frame) {
                    Way::To(port) => port..port + 1,
                    Way::Others => 0..ports,
                    Way::Nowhere => 0..0,
                };
                for to in to.filter(|to| *to != from) {
                    let room = held.take(now, delays.between(from, to), to, frame.to_vec());
                    carried.lost += u64::from(!room);
                }
            }
        }
    }
}
