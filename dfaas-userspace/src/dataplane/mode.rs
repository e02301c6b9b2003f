//! Where handshakes are answered: in tcx, or before it in native XDP. A decision for each interface, without I/O.

use super::link::Kind;
use super::nic::Nic;

/// What the operator wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Native XDP where the driver can and nothing is lost by it.
    #[default]
    Auto,
    /// Never XDP.
    Tcx,
    /// Native XDP; an interface that cannot is an error.
    XdpNative,
}

impl Mode {
    /// The word of configurations.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Tcx => "tcx",
            Self::XdpNative => "xdp-native",
        }
    }

    /// The mode of a word; `None` if it is no such word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Auto, Self::Tcx, Self::XdpNative].into_iter().find(|mode| mode.word() == word)
    }
}

/// How an interface is served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub interface: String,
    /// Whether native XDP is in front of tcx.
    pub native: bool,
    /// Why, or why not.
    pub why: String,
}

impl Attachment {
    /// The word of commands and reports.
    pub const fn word(&self) -> &'static str {
        if self.native { Mode::XdpNative.word() } else { Mode::Tcx.word() }
    }
}

/// Why native XDP is out of the question, and what to do about it.
fn impossible(nic: &Nic) -> Option<String> {
    let Nic { name, driver, .. } = nic;
    if let Some(number) = nic.other_program {
        return Some(format!(
            "another XDP program (number {number}) is attached to it; `bpftool net` tells whose"
        ));
    }
    if !nic.native {
        return Some(match driver.as_str() {
            "" => "its driver has no native XDP".to_owned(),
            driver => format!("its driver {driver} has no native XDP"),
        });
    }
    if nic.strips_tags && !nic.tagged.is_empty() {
        return Some(format!(
            "its driver {driver} hides VLAN tags from XDP, and {} may need them; `ethtool -K {name} rxvlan off` \
             leaves them in the frames",
            nic.tagged.join(", ")
        ));
    }
    None
}

/// What is lost by native XDP, or that nothing is gained.
fn loss(nic: &Nic) -> Option<String> {
    match nic.kind {
        Kind::Physical => (!nic.merges.is_empty())
            .then(|| format!("{} is on, which XDP programs do not get along with", nic.merges.join(", "))),
        Kind::Veth => Some(
            "the other end of the pair has no segmentation offload with it, and sees its answers only with GRO on".to_owned(),
        ),
        _ => Some("it is virtual, and nothing is gained there".to_owned()),
    }
}

/// Decides for an interface.
///
/// # Errors
/// Why the interface cannot do what the operator insists on, and what to do.
pub fn decide(mode: Mode, nic: &Nic) -> Result<Attachment, String> {
    let chosen = |native, why| Ok(Attachment { interface: nic.name.clone(), native, why });
    let wanted = || format!("dataplane.mode is {}", mode.word());
    match mode {
        Mode::Tcx => chosen(false, wanted()),
        _ if nic.kind == Kind::Loopback => chosen(false, "the loopback has no driver".to_owned()),
        Mode::XdpNative => match (impossible(nic), loss(nic)) {
            (Some(why), _) => Err(why),
            (None, Some(loss)) => chosen(true, format!("{}, although {loss}", wanted())),
            (None, None) => chosen(true, wanted()),
        },
        Mode::Auto => match impossible(nic).or_else(|| loss(nic)) {
            Some(why) => chosen(false, why),
            None => chosen(true, format!("its driver {} can, and loses nothing by it", nic.driver)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> Nic {
        Nic { name: "eth0".to_owned(), driver: "ice".to_owned(), native: true, ..Nic::default() }
    }

    fn native(mode: Mode, nic: &Nic) -> Option<bool> {
        decide(mode, nic).ok().map(|attachment| attachment.native)
    }

    /// What each of the modes does: `Some(native)`, or nothing where it is an error.
    fn all(nic: &Nic) -> [Option<bool>; 3] {
        [Mode::Auto, Mode::Tcx, Mode::XdpNative].map(|mode| native(mode, nic))
    }

    #[test]
    fn a_card_that_can_is_used_unless_the_operator_says_no() {
        assert_eq!(all(&card()), [Some(true), Some(false), Some(true)]);
    }

    #[test]
    fn virtual_interfaces_have_it_only_where_it_is_asked_for_and_the_loopback_never() {
        for kind in [Kind::Veth, Kind::Virtual] {
            assert_eq!(all(&Nic { kind, ..card() }), [Some(false), Some(false), Some(true)], "{kind:?}");
        }
        let loopback = Nic { kind: Kind::Loopback, native: false, ..card() };
        assert_eq!(all(&loopback), [Some(false); 3]);
    }

    #[test]
    fn merging_by_the_card_is_not_given_up_unasked() {
        let merging = Nic { merges: vec!["rx-gro-hw".to_owned()], ..card() };
        assert_eq!(all(&merging), [Some(false), Some(false), Some(true)]);
        assert!(decide(Mode::Auto, &merging).unwrap().why.contains("rx-gro-hw is on"));
    }

    #[test]
    fn what_cannot_be_is_an_error_only_for_those_who_insist_and_says_what_to_do() {
        let without = Nic { native: false, ..card() };
        let taken = Nic { other_program: Some(7), ..card() };
        let tagged = Nic { strips_tags: true, tagged: vec!["eth0.7".to_owned()], ..card() };
        for (nic, says) in
            [(&without, "driver ice has no native XDP"), (&taken, "number 7"), (&tagged, "rxvlan off")]
        {
            assert_eq!(all(nic), [Some(false), Some(false), None], "{nic:?}");
            let error = decide(Mode::XdpNative, nic).unwrap_err();
            assert!(error.contains(says), "{error}");
            assert_eq!(decide(Mode::Auto, nic).unwrap().why, error);
        }
    }

    #[test]
    fn tags_that_are_hidden_do_not_matter_where_nobody_needs_them_nor_do_needed_ones_that_are_shown() {
        assert_eq!(all(&Nic { strips_tags: true, ..card() })[0], Some(true));
        assert_eq!(all(&Nic { tagged: vec!["eth0.7".to_owned()], ..card() })[0], Some(true));
    }

    #[test]
    fn modes_have_the_words_of_the_configuration() {
        for mode in [Mode::Auto, Mode::Tcx, Mode::XdpNative] {
            assert_eq!(Mode::of(mode.word()), Some(mode));
        }
        assert_eq!(Mode::of("fast"), None);
    }
}
