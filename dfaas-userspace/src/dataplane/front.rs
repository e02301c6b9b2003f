//! Native XDP in front of tcx, where it is wanted and can be.

use super::kernel::Kernel;
use super::link::{Kind, Links};
use super::mode::decide;
use super::nic::Nic;
use super::{Attachment, DataPlaneError, Mode, attach};

/// An interface that cannot do what the operator insists on.
fn refused(nic: &Nic, cause: String) -> DataPlaneError {
    let driver = if nic.driver.is_empty() { "unknown" } else { &nic.driver };
    DataPlaneError::Setup {
        what: format!("native XDP on {} (driver {driver})", nic.name),
        cause,
        hint: "set dataplane.mode to \"auto\" or \"tcx\", or leave the interface out",
    }
}

impl Kernel {
    /// Decides for every interface. Nothing is attached yet, so that an error changes nothing.
    pub(super) fn plan_front(&self, links: &Links) -> Result<Vec<(Attachment, Nic)>, DataPlaneError> {
        let nics = self.settings.interfaces.iter();
        // One that is not there is told when tcx is attached.
        nics.filter_map(|name| Nic::read(name, links, &self.folder))
            .map(|nic| match decide(self.settings.mode, &nic) {
                Ok(attachment) => Ok((attachment, nic)),
                Err(cause) => Err(refused(&nic, cause)),
            })
            .collect()
    }

    /// Attaches native XDP where that was decided, and takes it off everywhere else. tcx comes first: what is answered
    /// here goes on there.
    pub(super) fn attach_front(&mut self, plan: Vec<(Attachment, Nic)>) -> Result<(), DataPlaneError> {
        for (mut attachment, nic) in plan {
            let folder = self.folder.clone();
            if attachment.native {
                match self.object.attach_xdp(&folder, &nic.name, nic.kind == Kind::Veth) {
                    Ok(()) => {}
                    Err(e) if self.settings.mode == Mode::XdpNative => {
                        return Err(refused(&nic, e.to_string()));
                    }
                    Err(e) => {
                        attachment.native = false;
                        attachment.why = e.to_string();
                    }
                }
            }
            if !attachment.native {
                attach::detach_xdp(&folder, &nic.name);
            }
            tracing::info!("{}: {} ({})", attachment.interface, attachment.word(), attachment.why);
            self.attachments.push(attachment);
        }
        Ok(())
    }

    /// Takes native XDP off where it has become harmful: a VLAN device was put on the interface, say, and answers would
    /// go out without their tags.
    pub(super) fn follow_front(&mut self, links: &Links) {
        let mode = self.settings.mode;
        for attachment in self.attachments.iter_mut().filter(|attachment| attachment.native) {
            let Some(nic) = Nic::read(&attachment.interface, links, &self.folder) else { continue };
            let why = match decide(mode, &nic) {
                Ok(Attachment { native: true, .. }) => continue,
                Ok(Attachment { why, .. }) | Err(why) => why,
            };
            tracing::warn!("native XDP is taken off {}: {why}", attachment.interface);
            attach::detach_xdp(&self.folder, &attachment.interface);
            attachment.native = false;
            attachment.why = why;
        }
    }
}
