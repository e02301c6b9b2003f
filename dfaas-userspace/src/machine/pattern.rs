/// Where the cgroups of a function are, below the root of the hierarchy.
///
/// A path with `{function}` and `{namespace}`, and `*` for any text within one folder's name, so that a function with
/// several containers is found: `system.slice/{function}-*.service`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<String>);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<String> = text.trim_matches('/').split('/').map(str::to_owned).collect();
        if parts.iter().any(|part| matches!(part.as_str(), "" | "." | "..")) {
            return Err(format!("\"{text}\" is not a path of folders below /sys/fs/cgroup"));
        }
        if !text.contains("{function}") {
            return Err(format!("\"{text}\" names no {{function}}, so all would have the same cgroup"));
        }
        let rest = text.replace("{function}", "").replace("{namespace}", "");
        if rest.contains(['{', '}']) {
            return Err(format!("\"{text}\": only {{function}} and {{namespace}} are known in braces"));
        }
        Ok(Self(parts))
    }

    /// The folders that lead to a function's cgroups, each with `*` where anything may stand. `None` for names that
    /// would lead elsewhere.
    pub(super) fn folders(&self, name: &str, namespace: &str) -> Option<Vec<String>> {
        let usable = |name: &str| !name.is_empty() && !name.contains(['/', '*', '{', '}', '\0']);
        if !usable(name) || !usable(namespace) {
            return None;
        }
        let folder = |part: &String| {
            let folder = part.replace("{function}", name).replace("{namespace}", namespace);
            (folder != "." && folder != "..").then_some(folder)
        };
        self.0.iter().map(folder).collect()
    }
}

/// Whether a folder's name is one that `wanted` means, in which `*` stands for any text.
pub(super) fn matches(wanted: &str, name: &str) -> bool {
    let mut pieces = wanted.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        // The earliest place leaves the most for what comes behind.
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pattern_leads_to_the_functions_folder() {
        let pattern = Pattern::parse(crate::machine::DEFAULT_PATTERN).unwrap();
        assert_eq!(pattern.folders("figlet", "openfaas-fn").unwrap(), ["openfaas-fn", "figlet"]);
        let pattern = Pattern::parse("/system.slice/{function}-*.service/").unwrap();
        assert_eq!(pattern.folders("a", "n").unwrap(), ["system.slice", "a-*.service"]);
    }

    #[test]
    fn no_name_of_a_function_leads_out_of_the_hierarchy() {
        let pattern = Pattern::parse("{namespace}/{function}").unwrap();
        for (name, namespace) in [("..", "n"), (".", "n"), ("a", ".."), ("a/b", "n"), ("", "n"), ("*", "n")] {
            assert_eq!(pattern.folders(name, namespace), None, "{name} {namespace}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_a_reason() {
        for (text, reason) in [
            ("", "not a path"),
            ("../{function}", "not a path"),
            ("a//{function}", "not a path"),
            ("openfaas-fn", "names no {function}"),
            ("{function}/{pod}", "only {function} and {namespace}"),
        ] {
            let refused = Pattern::parse(text).unwrap_err();
            assert!(refused.contains(reason), "{text}: {refused}");
        }
    }

    #[test]
    fn a_star_is_any_text() {
        for (wanted, name) in
            [("a", "a"), ("*", ""), ("a*", "a"), ("a-*.s", "a-1.s"), ("*b*b", "bbb"), ("a*c*", "abcb")]
        {
            assert!(matches(wanted, name), "{wanted} {name}");
        }
        for (wanted, name) in [("a", "ab"), ("a*b", "a"), ("a*a", "a"), ("*b*b", "b"), ("a-*.s", "b-1.s")] {
            assert!(!matches(wanted, name), "{wanted} {name}");
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_for_the_stars_the_name_is_meant(
            pieces in proptest::collection::vec("[ab]{0,3}", 1..5), between in proptest::collection::vec("[abc]{0,3}", 5),
        ) {
            let name: String = pieces.iter().enumerate().map(|(index, piece)| {
                if index == 0 { piece.clone() } else { format!("{}{piece}", between[index]) }
            }).collect();
            prop_assert!(matches(&pieces.join("*"), &name));
        }

        #[test]
        fn no_pattern_makes_it_stumble(text in "(?s).{0,40}", name in "(?s).{0,20}", other in "(?s).{0,20}") {
            if let Ok(pattern) = Pattern::parse(&text) {
                pattern.folders(&name, &other);
            }
            matches(&text, &name);
        }
    }
}
