//! Names of functions as callers write them: `figlet` or `figlet.openfaas-fn`.

use std::fmt;

/// The longest name of a function or namespace, in bytes: a DNS label, as Kubernetes asks.
const MAX_LABEL: usize = 63;

/// The full name of a function. Written as OpenFaaS does: `name.namespace`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionName {
    /// The namespace, `openfaas-fn` for example.
    pub namespace: String,
    /// The name inside the namespace, without dots.
    pub name: String,
}

impl FunctionName {
    /// Reads a name as a caller writes it. What follows the last dot is the namespace; without one it is
    /// `default_namespace`. `None` where a part is empty, too long or has characters that names cannot have.
    pub fn parse(called: &str, default_namespace: &str) -> Option<Self> {
        let (name, namespace) = called.rsplit_once('.').unwrap_or((called, default_namespace));
        (is_label(name) && is_label(namespace))
            .then(|| Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }

    /// Every way a caller can write this name: with the namespace, and without it where it is the default one.
    pub fn spellings(&self, default_namespace: &str) -> Vec<String> {
        let mut all = vec![self.to_string()];
        if self.namespace == default_namespace {
            all.push(self.name.clone());
        }
        all
    }
}

impl fmt::Display for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.name, self.namespace)
    }
}

/// Whether `text` can name a function or a namespace: 1 to 63 of `a-z A-Z 0-9 - _`.
pub fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_LABEL
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// The function part of an invocation's path: `figlet` of `/function/figlet`, `/function/figlet/` and
/// `/function/figlet/anything`. `None` where the path is no invocation.
pub fn called_in(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/function/")?;
    let name = rest.split('/').next()?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_namespace_is_in_the_default_one() {
        let name = FunctionName::parse("figlet", "openfaas-fn").unwrap();
        assert_eq!(name.to_string(), "figlet.openfaas-fn");
        assert_eq!(name, FunctionName::parse("figlet.openfaas-fn", "other").unwrap());
        assert_ne!(name, FunctionName::parse("figlet.other", "openfaas-fn").unwrap());
    }

    #[test]
    fn names_that_openfaas_would_not_route_are_refused() {
        for bad in ["", ".", "figlet.", ".openfaas-fn", "a b", "a%20b", "a.b.c", "é", &"x".repeat(64)] {
            assert_eq!(FunctionName::parse(bad, "openfaas-fn"), None, "{bad:?}");
        }
    }

    #[test]
    fn a_function_of_the_default_namespace_has_two_spellings_and_another_has_one() {
        let ours = FunctionName::parse("figlet", "openfaas-fn").unwrap();
        assert_eq!(ours.spellings("openfaas-fn"), ["figlet.openfaas-fn", "figlet"]);
        assert_eq!(ours.spellings("elsewhere"), ["figlet.openfaas-fn"]);
    }

    #[test]
    fn the_function_is_the_first_segment_after_the_prefix() {
        assert_eq!(called_in("/function/figlet"), Some("figlet"));
        assert_eq!(called_in("/function/figlet/"), Some("figlet"));
        assert_eq!(called_in("/function/figlet.fn/a/b"), Some("figlet.fn"));
        assert_eq!(called_in("/function/"), None);
        assert_eq!(called_in("/function//x"), None);
        assert_eq!(called_in("/functions/figlet"), None);
    }
}
